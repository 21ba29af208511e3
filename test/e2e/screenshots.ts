/**
 * `npm run screenshots [-- --language LANGUAGE]`: every view and state of the window at three sizes, light and dark, in
 * test-results/screens.
 */
import { spawnSync } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Page } from "playwright";
import type * as z from "zod";
import { settingsSchema } from "../../electron/settings.js";
import { build } from "../../scripts/build.mjs";
import { projectDir, resize } from "./support.js";
import { tour } from "./tour.js";

const sizes = [
  [1280, 800],
  [900, 600],
  [2560, 1440],
] as const;
const { language } = parseArgs({ options: { language: { type: "string" } } }).values;
const setting: z.ZodType | undefined = Object.entries(settingsSchema.shape).find(
  ([name]) => name === "interfaceLanguage",
)?.[1];
if (language !== undefined && !setting?.safeParse(language).success) {
  console.error(`This Precis has no setting that lets its window speak ${language}.`);
  process.exit(2);
}

/** Characters without a face come as boxes, which show neither text nor how much room it takes. */
const fontless =
  process.platform === "linux" &&
  language !== undefined &&
  spawnSync("fc-list", [`:lang=${language === "zh-Hans" ? "zh-cn" : language}`], { encoding: "utf8" }).stdout === "";
if (fontless) {
  console.error(`This machine has no font for ${language}. On Debian: apt install fonts-noto-cjk`);
  process.exit(1);
}

/** Waits until the pages that are to be seen, if there are any, are drawn in their new size. */
async function drawn(page: Page): Promise<void> {
  if (!(await page.locator(".document").isVisible())) return;
  await page.locator(".page-picture, .pages-message").first().waitFor({ state: "attached" });
  await page.waitForFunction(() => !document.querySelector(".page-picture[aria-busy=true]"));
}

await build();
const folder = path.join(projectDir, "test-results", "screens", ...(language === undefined ? [] : [language]));
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
let count = 0;
await tour(
  async (name, launched, about = ".page :focus") => {
    const { page } = launched;
    for (const [width, height] of sizes) {
      await resize(launched, width, height);
      // What the view is about must be seen at each size.
      await page.evaluate((selector) => {
        document.querySelector(selector)?.scrollIntoView({ block: "center" });
        document.querySelector(".lists [aria-current=true]")?.scrollIntoView({ block: "nearest" });
      }, about);
      await drawn(page);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`) });
        count += 1;
      }
    }
  },
  language === undefined ? {} : { interfaceLanguage: language },
);
console.log(`${count} pictures in ${path.relative(projectDir, folder)}`);

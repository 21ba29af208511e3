/** What axe-core finds wrong with every view and state of the window, in each of its looks: nothing that matters. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import { expect, it } from "vitest";
import { type Launched, resize } from "./support.js";
import { tour } from "./tour.js";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What looks can differ in; all else is looked at in the first of them. */
const ofColours: RunOptions = { runOnly: { type: "rule", values: ["color-contrast", "link-in-text-block"] } };
const looks = [
  { name: "light", colorScheme: "light", contrast: "no-preference", options: {} },
  { name: "dark", colorScheme: "dark", contrast: "no-preference", options: ofColours },
  { name: "light, high contrast", colorScheme: "light", contrast: "more", options: ofColours },
  { name: "dark, high contrast", colorScheme: "dark", contrast: "more", options: ofColours },
] as const;

/** The window's page refuses what it has not brought itself; what Playwright evaluates is exempt. */
async function violations({ page }: Launched, options: RunOptions): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate(
    // A PDF's words lie unseen over its picture, so they have no contrast of their own.
    (chosen) => window.axe.run({ exclude: [".page-words"] }, { resultTypes: ["violations"], ...chosen }),
    options,
  );
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, help, nodes }) =>
      nodes.map(({ target, any }) => `${id} (${help}): ${target.join(" ")} ${any[0]?.message ?? ""}`),
    );
}

declare global {
  interface Window {
    readonly axe: { run(context: object, options: RunOptions): Promise<AxeResults> };
  }
}

it("has no serious flaw that axe-core knows of", async () => {
  const found: Record<string, string[]> = {};
  const look = async (name: string, launched: Launched, options: RunOptions) => {
    const flaws = await violations(launched, options);
    if (flaws.length > 0) found[name] = flaws;
  };
  await tour(async (name, launched) => {
    const { page } = launched;
    for (const { name: looked, colorScheme, contrast, options } of looks) {
      // A colour on its way to another is neither.
      await page.emulateMedia({ colorScheme, contrast, reducedMotion: "reduce" });
      await look(`${name}, ${looked}`, launched, options);
    }
    await page.emulateMedia({ colorScheme: "light", contrast: "no-preference" });
    if (!["library", "done"].includes(name)) return;
    await resize(launched, 640, 480);
    await look(`${name}, narrow`, launched, {});
    await resize(launched, 1180, 800);
  });
  expect(found).toEqual({});
});

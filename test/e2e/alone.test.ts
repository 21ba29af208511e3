/** From the first start to a saved summary with one hand only: nothing but the mouse, then nothing but the keyboard. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Locator, Page } from "playwright";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { answerSaveDialog, type Launched, launch, memoryBar, screenshot, scriptedApp } from "./support.js";

let root: string;
let folder: string;
let launched: Launched;
let page: Page;

beforeAll(async () => {
  root = await scriptedApp();
  folder = await mkdtemp(path.join(tmpdir(), "precis-alone-"));
});
afterAll(async () => {
  for (const made of [root, folder]) await rm(made, { recursive: true, force: true });
});
beforeEach(async () => {
  launched = await launch(root);
  page = launched.page;
  await page.getByText(/Reads about \d+ pages in one go on this computer/).waitFor();
});
afterEach(async () => {
  await launched.close();
  expect(launched.errors, launched.log()).toEqual([]);
});

const summarised = () => page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
const pageShown = () => page.getByRole("textbox", { name: "Page", exact: true }).inputValue();

it("needs nothing but the mouse", async () => {
  const click = async (target: Locator) => {
    const { x, y, width, height } = (await target.boundingBox())!;
    await page.mouse.move(x + width / 2, y + height / 2, { steps: 4 });
    await page.mouse.down();
    await page.mouse.up();
  };
  await click(page.getByRole("button", { name: "Try the sample report" }));
  const bar = memoryBar(page);
  await bar.getByRole("button", { name: /^Start/, disabled: false }).waitFor();
  const slider = bar.getByRole("slider");
  const { x, y, width, height } = (await slider.boundingBox())!;
  const before = await slider.getAttribute("aria-valuetext");
  await page.mouse.move(x + 0.7 * width, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + 0.62 * width, y + height / 2, { steps: 8 });
  await page.mouse.up();
  expect(await slider.getAttribute("aria-valuetext")).not.toBe(before);
  await click(bar.getByText("Short", { exact: true }));
  await click(bar.getByRole("button", { name: /^Start/ }));
  await summarised();
  await click(page.getByRole("article").getByRole("button", { name: "p. 7", exact: true }).first());
  await expect.poll(pageShown).toBe("7");
  await page.getByRole("heading", { name: "What was kept" }).scrollIntoViewIfNeeded();
  await page.getByRole("button", { name: /^Map of what was kept/ }).hover();
  await page.getByText(/layer \d+ keeps [\d.]+ %, all layers [\d.]+ %/).waitFor();
  const target = path.join(folder, "by mouse.md");
  await answerSaveDialog(launched.app, target);
  await click(page.getByRole("button", { name: "Export" }));
  await click(page.getByRole("menuitem", { name: "Markdown…" }));
  await page.getByText(`Saved as ${target}`).waitFor();
  expect(await readFile(target, "utf8")).toContain("outer breakwater");
});

it("needs nothing but the keyboard", async () => {
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  /** Goes on with Tab until the focus is where it is wanted, as somebody does who sees only the ring. */
  const tabTo = async (target: Locator, key = "Tab") => {
    for (let presses = 0; presses < 60; presses += 1) {
      const reached = await target.evaluateAll((found) => found.includes(document.activeElement as HTMLElement));
      if (reached) return;
      await page.keyboard.press(key);
    }
    await screenshot(page, "keyboard-lost");
    throw new Error(`Tab does not reach ${target}.`);
  };
  const button = (name: string | RegExp) => page.getByRole("button", { name });
  await tabTo(button("Try the sample report"));
  await press("Enter");
  await memoryBar(page)
    .getByRole("button", { name: /^Start/, disabled: false })
    .waitFor();
  const slider = page.getByRole("slider");
  const inPane = () =>
    page.evaluate(() => document.activeElement?.closest(".library, .document, .summary, .memory")?.className);
  for (const pane of ["document", "memory", "library"]) {
    await press("F6");
    expect(await inPane()).toBe(pane);
  }
  await press("Shift+F6");
  expect(await slider.evaluate((element) => element === document.activeElement)).toBe(true);
  await press("PageDown", "ArrowRight");
  await tabTo(button("More choices"), "Shift+Tab");
  await press("Enter");
  await tabTo(page.getByRole("combobox", { name: "Answer" }));
  await page
    .getByRole("paragraph")
    .filter({ hasText: /^What the memory does not keep lies on disk/ })
    .waitFor();
  await screenshot(page, "keyboard-choices");
  await tabTo(page.getByRole("slider"));
  await press("Enter");
  await summarised();
  await tabTo(page.getByRole("article").getByRole("button", { name: "p. 7", exact: true }));
  await press("Enter");
  await expect.poll(pageShown).toBe("7");
  await tabTo(page.getByRole("textbox", { name: "Ask about this document" }));
  await page.keyboard.type("Who pays?");
  await press("Enter");
  await page.getByRole("heading", { name: "Who pays?" }).waitFor();
  await tabTo(button(/^Map of what was kept/));
  await press("ArrowRight", "ArrowDown");
  await page.getByText(/^Page \d+, here: layer \d+ /).waitFor();
  const target = path.join(folder, "by keyboard.md");
  await answerSaveDialog(launched.app, target);
  await tabTo(button(/^Export/), "Shift+Tab");
  await press("Enter", "ArrowDown", "ArrowDown", "ArrowDown", "Enter");
  await page.getByText(`Saved as ${target}`).waitFor();
  expect(await readFile(target, "utf8")).toContain("outer breakwater");
  await press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await screenshot(page, "keyboard-sheet");
  await press("Escape");
});

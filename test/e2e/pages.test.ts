/** A document's pages in the real window, with a scripted worker: drawn, gone to, searched, and led to by citations. */
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  chooseMenu,
  drop,
  type Launched,
  launch,
  listEntry,
  resize,
  samplePdf,
  screenshot,
  scriptedApp,
  startButton,
} from "./support.js";

let root: string;
let folder: string;
let launched: Launched;
let page: Page;

beforeAll(async () => {
  root = await scriptedApp();
  folder = await mkdtemp(path.join(tmpdir(), "precis-pages-"));
  launched = await launch(root);
  page = launched.page;
});
afterAll(async () => {
  await launched.close();
  for (const made of [root, folder]) await rm(made, { recursive: true, force: true });
});

const pane = () => page.getByRole("region", { name: "Document" });
const pageNow = () => pane().getByRole("textbox", { name: /^(Page|Section)$/ });
const frame = (number: number) => pane().getByRole("region", { name: `Page ${number}`, exact: true });
const canvas = (number: number) => frame(number).locator("canvas");

/** Goes to a page by its number, as a reader does. */
async function goTo(number: number): Promise<void> {
  await pageNow().fill(String(number));
  await pageNow().press("Enter");
}

/** What is marked on the pages that are there, without its spaces, and whether the first of it is seen. */
const marked = (kind: string) =>
  page.evaluate((name) => {
    const ranges = [...(CSS.highlights.get(name) ?? [])] as Range[];
    const [first] = ranges;
    const list = document.querySelector(".page-list")?.getBoundingClientRect();
    const words = first?.getBoundingClientRect();
    const seen = list && words ? words.top >= list.top && words.bottom <= list.bottom && words.height > 0 : false;
    return { words: ranges.map((range) => range.toString().replace(/\s+/g, "")), seen };
  }, kind);

it("shows the first page before anything was read out of the document, and says what was read of each", async () => {
  const scan = path.join(folder, "scan-of-harbour.pdf");
  await copyFile(samplePdf, scan);
  await drop(page, [scan]);
  await canvas(1).waitFor();
  expect(await page.getByRole("progressbar", { name: "Recognising scanned pages" }).count()).toBe(1);
  // The picture is seen while it is made.
  const ink = () =>
    canvas(1).evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      const { data } = (element as HTMLCanvasElement).getContext("2d")!.getImageData(0, 0, width, height);
      return data.filter((value, index) => index % 4 === 0 && value < 128).length / (width * height);
    });
  await expect.poll(ink).toBeGreaterThan(0.005);

  await page.getByText(/7 of 10 pages readable/).waitFor();
  await goTo(8);
  await frame(8)
    .getByText(/Scanned; its words were recognised with 94 % confidence/)
    .waitFor();
  await frame(8).getByRole("button", { name: "Show the words" }).click();
  await frame(8).getByText("Minutes, sheet 8.").waitFor();
  await goTo(7);
  await frame(7).getByText("Not read: its picture is unreadable").waitFor();
  await canvas(7).waitFor();
});

it("goes to any page at once, and keeps only what is near", async () => {
  await drop(page, [samplePdf]);
  await canvas(1).waitFor();
  await screenshot(page, "pages");
  await goTo(9);
  await canvas(9).waitFor();
  await frame(9).locator("span").first().waitFor();
  expect(await pageNow().inputValue()).toBe("9");
  expect(await frame(1).count()).toBe(0);
  await goTo(999);
  await expect.poll(() => pageNow().inputValue()).toBe("10");
});

it("is as large as is wanted, and stays at its place", async () => {
  await goTo(4);
  const width = () => frame(4).evaluate((element) => element.clientWidth);
  const fit = await width();
  await pane().getByRole("button", { name: "Larger" }).click();
  await pane().getByRole("button", { name: "Larger" }).click();
  await expect.poll(width).toBeGreaterThan(fit);
  expect(await pageNow().inputValue()).toBe("4");
  await pane().getByRole("button", { name: "Fit" }).click();
  await expect.poll(width).toBe(fit);
});

it("finds words anywhere in the document, and goes through the places", async () => {
  await goTo(3);
  await chooseMenu(launched.app, "Find in This Document");
  const field = pane().getByRole("searchbox", { name: "Find in this document" });
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);
  await page.keyboard.type("marguerite VANE");
  const state = pane().getByRole("status");
  await state.getByText(/^1 of \d+$/).waitFor();
  await expect.poll(() => marked("current")).toEqual({ words: ["MargueriteVane"], seen: true });
  await field.fill("harbour");
  await state.getByText(/^\d+ of \d\d+$/).waitFor();
  const [first, all] = (await state.innerText()).split(" of ").map(Number);
  await page.keyboard.press("Enter");
  await state.getByText(`${first! + 1} of ${all}`).waitFor();
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("Shift+Enter");
  await state.getByText(`${((first! - 2 + all! - 1) % all!) + 1} of ${all}`).waitFor();
  await expect.poll(async () => (await marked("current")).seen).toBe(true);
  await screenshot(page, "pages-find");
  await field.fill("no such words");
  await state.getByText("Not found").waitFor();
  await page.keyboard.press("Escape");
  await field.waitFor({ state: "hidden" });
  expect((await marked("found")).words).toEqual([]);
});

it("leads from a citation to its words on the page", async () => {
  await startButton(page).click();
  await page.getByText("Kept after reading").waitFor({ timeout: 20_000 });
  const chip = page.getByRole("article").getByRole("button", { name: "p. 7", exact: true }).first();
  await chip.click();
  await expect.poll(() => pageNow().inputValue()).toBe("7");
  const words =
    "Dr Leila Moussavi, who came to us from the lock authority at Terneuzen, succeeded him on 1 February 2025";
  await expect.poll(() => marked("support")).toEqual({ words: [words.replaceAll(" ", "")], seen: true });
  await page.getByRole("article").getByRole("button", { name: "p. 3", exact: true }).first().press("Enter");
  await expect.poll(async () => (await marked("support")).words.join()).toMatch(/^Thecampaigncost£2.07million/);
  await screenshot(page, "pages-citation");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "pages-dark");
});

it("lets words be selected as they stand on the page", async () => {
  await page.emulateMedia({ colorScheme: "light" });
  const line = frame(3).locator("span", { hasText: "The campaign cost" }).first();
  const { x, y, width, height } = (await line.boundingBox())!;
  await page.mouse.move(x + 1, y + height / 2);
  await page.mouse.down();
  // Into the gap below the line's end, where there are no words.
  await page.mouse.move(x + width, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const selected = await page.evaluate(() => getSelection()?.toString() ?? "");
  expect(selected).toMatch(/^The campaign cost £2.07 million/);
  expect(selected.length).toBeLessThan(200);
});

it("takes turns with the summary where there is room for one", async () => {
  await resize(launched, 760, 600);
  await page.getByRole("button", { name: "Summary", exact: true }).click();
  await pane().waitFor({ state: "hidden" });
  await screenshot(page, "pages-760-summary");
  await page.getByRole("article").getByRole("button", { name: "p. 7", exact: true }).first().click();
  await expect.poll(() => pageNow().inputValue()).toBe("7");
  await canvas(7).waitFor();
  await expect.poll(async () => (await marked("support")).seen).toBe(true);
  await screenshot(page, "pages-760");
  await resize(launched, 1180, 800);
});

it("shows the words of a document without pages of its own, and searches them alike", async () => {
  const notes = path.join(folder, "minutes.md");
  await writeFile(notes, "# Minutes\n");
  await drop(page, [notes]);
  await pane().getByText("Minutes, sheet 1.").waitFor();
  await goTo(9);
  await pane().getByText("Minutes, sheet 9.").waitFor();
  await chooseMenu(launched.app, "Find in This Document");
  await page.keyboard.type("harbour mole");
  await pane()
    .getByRole("status")
    .getByText(/^\d+ of 10$/)
    .waitFor();
  await expect.poll(async () => (await marked("current")).seen).toBe(true);
  await screenshot(page, "pages-words");
  await page.keyboard.press("Escape");
});

it("says in the place of the pages why they cannot be shown, and goes on", async () => {
  const broken = path.join(folder, "broken.pdf");
  await writeFile(broken, "%PDF-1.7\nnothing more");
  await drop(page, [broken]);
  await pane().getByText("The pages of this file cannot be shown.").waitFor();
  await listEntry(page, /Harbour report/).click();
  await canvas(7).waitFor();
  expect(launched.errors, launched.log()).toEqual([]);
});

/** The whole app on real input: the built window, the real worker, the default model, the sample report. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from "vitest";
import { steppedShare, stops } from "../../renderer/view/budget.js";
import { formatPercent } from "../../renderer/view/format.js";
import {
  answerSaveDialog,
  copiedText,
  drop,
  type Launched,
  launch,
  projectDir,
  resize,
  samplePdf,
  screenshot,
  startButton as startButtonOf,
} from "./support.js";

/** The most that reading the sample, or writing, may take: half a minute on two quiet cores, several times that on busy ones. */
const patience = 360_000;

/** The largest budget that the evaluation has figures of. */
const largest = stops.at(-2)?.share ?? 0;

let launched: Launched;
let page: Page;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "precis-e2e-"));
  launched = await launch(projectDir);
  page = launched.page;
});
afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

const startButton = () => startButtonOf(page);
const slider = () => page.getByRole("slider", { name: "Memory for reading" });
const readingFraction = async () => Number(await ruler().getAttribute("aria-valuenow"));
const ruler = () => page.getByRole("progressbar", { name: "Reading" });
const shownBytes = () => page.locator(".memory-bytes output").innerText();

/** Waits until the reading is past `percent`, and fails with the window's own words when the run ended instead. */
async function readPast(percent: number): Promise<void> {
  const alert = page.getByRole("alert");
  await expect
    .poll(
      async () => {
        if (await alert.count()) throw new Error(await alert.first().innerText());
        return (await ruler().count()) ? await readingFraction() : -1;
      },
      { timeout: patience, interval: 50 },
    )
    .toBeGreaterThan(percent);
}

// One story in order: each step goes on from the window that the last one left.
describe("a report, from the drop to the saved summary", () => {
  let broken = false;
  beforeEach(({ skip }) => {
    if (broken) skip("an earlier step failed");
    onTestFailed(async () => {
      broken = true;
      await screenshot(page, "app-failed");
    });
  });

  it("starts empty, with the model loaded", async () => {
    await page.getByText(/Reads about [\d,]+ pages in one go/).waitFor({ timeout: 60_000 });
    await screenshot(page, "app-1-empty");
  });

  it("opens the dropped PDF with its real pages and tokens", async () => {
    await drop(page, [samplePdf]);
    await expect.poll(() => startButton().isEnabled(), { timeout: 60_000 }).toBe(true);
    const facts = await page.getByText(/^PDF · /).innerText();
    const pages = Number(/(\d+) pages/.exec(facts)?.[1]);
    const tokens = Number(/([\d,]+) tokens/.exec(facts)?.[1]?.replace(",", ""));
    expect(pages).toBeGreaterThanOrEqual(10);
    expect(pages).toBeLessThanOrEqual(14);
    expect(tokens).toBeGreaterThanOrEqual(4_500);
    expect(tokens).toBeLessThanOrEqual(7_500);
    await screenshot(page, "app-2-document");
  });

  it("moves the memory slider by keyboard, with the exact figures at once", async () => {
    await slider().focus();
    await page.keyboard.press("End");
    expect(await slider().getAttribute("aria-valuetext")).toContain("100 % of its notes");
    const full = await shownBytes();
    const shows = async (share: number) =>
      expect(await slider().getAttribute("aria-valuetext")).toContain(`, ${formatPercent(share)} of its notes`);
    await page.keyboard.press("PageDown");
    await shows(largest);
    await page.keyboard.press("ArrowLeft");
    await shows(steppedShare(largest, -1));
    await page.keyboard.press("ArrowRight");
    expect(Number.parseFloat(await shownBytes()) / Number.parseFloat(full)).toBeCloseTo(largest / 100, 2);
  });

  it("cancels a reading within a second", async () => {
    await page.keyboard.press("Enter");
    await readPast(3);
    const began = Date.now();
    await page.keyboard.press("Escape");
    await page.getByText(/Cancelled after/).waitFor({ timeout: 10_000 });
    expect(Date.now() - began).toBeLessThan(1_000);
    await screenshot(page, "app-3-cancelled");
  });

  it("reads with advancing progress, and writes the summary as it comes", async () => {
    await startButton().click();
    await readPast(5);
    const early = await readingFraction();
    await readPast(early + 20);
    await screenshot(page, "app-4-reading");
    const article = page.getByRole("article");
    await article.waitFor({ timeout: patience });
    const first = (await article.innerText()).length;
    await screenshot(page, "app-5-writing");
    await expect.poll(async () => (await article.innerText()).length, { timeout: 60_000 }).toBeGreaterThan(first);
    await page.getByText("Kept after reading").waitFor({ timeout: patience });
    expect((await article.innerText()).length).toBeGreaterThan(80);
  }, 600_000);

  it("says what the run read and held", async () => {
    const facts = await page.locator(".run-facts dl").innerText();
    await page.getByRole("heading", { name: /^All \d+ pages read$/ }).waitFor();
    const [, kept, full] = /Kept after reading\s+([\d.]+) MiB\s+of ([\d.]+) MiB/.exec(facts) ?? [];
    const share = Number(kept) / Number(full);
    expect(share).toBeGreaterThan(largest / 100 - 0.005);
    expect(share).toBeLessThan(largest / 100 + 0.0005);
    await screenshot(page, "app-6-done");
  });

  it("copies the summary and exports it", async () => {
    const shown = await copiedText(launched, "article");
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied").waitFor();
    const copied = await launched.app.evaluate(({ clipboard }) => clipboard.readText());
    const target = path.join(folder, "summary.md");
    await answerSaveDialog(launched.app, target);
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: "Markdown…" }).click();
    await page.getByText(`Saved as ${target}`).waitFor();
    const saved = await readFile(target, "utf8");
    expect(saved).toContain(copied.trim());
    expect(saved).toContain("harbour-report.pdf");
    const words = (text: string) => text.match(/\p{L}+/gu)?.slice(0, 8);
    expect(words(copied.replace(/\((pages? [^)]*|no page found [^)]*)\)/g, ""))).toEqual(words(shown));
  });

  it("says of each sentence which page supports it, or that none does", async () => {
    const article = page.getByRole("article");
    const chips = article.getByRole("button", { name: /^p\.\s\d+$/ });
    const unsupported = article.getByText("(No page was found that supports this sentence.)");
    expect((await chips.count()) + (await unsupported.count())).toBeGreaterThan(0);
    const facts = await page.locator(".run-facts dl").innerText();
    expect(facts).toMatch(/Sentences with a page\s+\d+ of \d+/);
  });

  it("answers a question from what the reading kept, without reading again", async () => {
    const field = page.getByRole("textbox", { name: "Ask about this document" });
    await field.fill("Which ship carried out the dredging?");
    await field.press("Enter");
    const questions = page.getByRole("region", { name: "Questions" });
    await questions.getByText(/not read again.*all the notes about it/).waitFor({ timeout: 120_000 });
    expect((await questions.getByRole("article").innerText()).trim()).not.toBe("");
    await screenshot(page, "app-7-question");
  });

  it("keeps question and answer with the document, puts them into exports, and takes them away for good", async () => {
    const questions = page.getByRole("region", { name: "Questions" });
    const asked = questions.getByRole("heading", { name: "Which ship carried out the dredging?" });
    const answer = (await questions.getByRole("article").innerText()).trim();
    await page.getByRole("button", { name: "Close harbour-report.pdf" }).click({ force: true });
    await questions.waitFor({ state: "hidden" });
    await page.getByRole("navigation").getByRole("button").filter({ hasText: "Summarised" }).first().click();
    await asked.waitFor({ timeout: 30_000 });
    expect((await questions.getByRole("article").innerText()).trim()).toBe(answer);
    await questions.getByText(/not read again.*all the notes about it/).waitFor();
    const exported = async (name: string) => {
      const target = path.join(folder, name);
      await answerSaveDialog(launched.app, target);
      await page.getByRole("button", { name: "Export" }).click();
      await page.getByRole("menuitem", { name: "Markdown…" }).click();
      await page.getByText(`Saved as ${target}`).waitFor();
      return readFile(target, "utf8");
    };
    expect(await exported("asked.md")).toMatch(
      /## Questions and answers\n\n### Which ship carried out the dredging\?\n/,
    );
    await questions.getByRole("button", { name: "Remove" }).click();
    await questions.getByText("deleted for good").waitFor();
    await questions.getByRole("button", { name: "Keep" }).click();
    await questions.getByRole("button", { name: "Remove" }).click();
    await questions.getByRole("button", { name: "Delete for good" }).click();
    await asked.waitFor({ state: "hidden" });
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("question");
    expect(await exported("unasked.md")).not.toContain("Which ship");
    await page.getByRole("button", { name: "Close harbour-report.pdf" }).click({ force: true });
    await page.getByRole("navigation").getByRole("button").filter({ hasText: "Summarised" }).first().click();
    await questions.getByRole("textbox").waitFor({ timeout: 30_000 });
    expect(await asked.count()).toBe(0);
  });

  it("shows a damaged file's error where its summary would be", async () => {
    const damaged = path.join(folder, "damaged.pdf");
    const whole = await readFile(samplePdf);
    await writeFile(damaged, whole.subarray(0, 600));
    await drop(page, [damaged]);
    const alert = page.getByRole("alert");
    await alert.waitFor({ timeout: 30_000 });
    expect(await alert.innerText()).toContain("damaged.pdf");
    expect(await alert.getByRole("button").count()).toBeGreaterThan(0);
    await screenshot(page, "app-8-error");
  });

  it("looks right in the dark and in a small window", async () => {
    await page.getByRole("navigation").getByRole("button").filter({ hasText: "Summarised" }).first().click();
    await page.emulateMedia({ colorScheme: "dark" });
    await page.getByText("Kept after reading").waitFor();
    await screenshot(page, "app-9-dark");
    await resize(launched, 760, 600);
    await screenshot(page, "app-10-small-dark");
  });

  it("logged no error all the while", () => {
    expect(launched.errors, launched.log()).toEqual([]);
  });
});

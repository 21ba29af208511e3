/** What a summary is to be, what its memory takes, and what was kept: chosen and seen in the real window. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  drop,
  type Launched,
  launch,
  listEntry,
  memoryBar,
  resize,
  samplePdf,
  screenshot,
  scriptedApp,
  startButton,
} from "./support.js";

let root: string;
let files: string;
let launched: Launched;
let page: Page;

beforeAll(async () => {
  root = await scriptedApp();
  files = await mkdtemp(path.join(tmpdir(), "precis-choices-"));
  launched = await launch(root);
  page = launched.page;
});
afterAll(async () => {
  await launched.close();
  await rm(root, { recursive: true, force: true });
  await rm(files, { recursive: true, force: true });
});

const bar = () => memoryBar(page);
const entry = (name: RegExp) => listEntry(page, name);
const chosen = () => page.locator(".chosen-options");

it("says what the run takes, which places do not fit and why, and goes to the nearest that does", async () => {
  // With pages to be seen: what is kept of them is tinted later.
  const inquiry = path.join(files, "large-inquiry.pdf");
  await copyFile(samplePdf, inquiry);
  await drop(page, [inquiry]);
  await bar()
    .getByText(/at the peak, .* free/)
    .waitFor();
  for (const name of ["in use", "model", "computing", "reading"]) {
    await bar()
      .getByText(new RegExp(`^${name} [\\d.]+ [MG]iB$`))
      .waitFor();
  }
  await bar()
    .getByText(/about 6 s$/)
    .waitFor();
  await page.getByText(/Read whole, in one go. That takes about 6 s/).waitFor();
  const slider = page.getByRole("slider", { name: "Memory for reading" });
  await slider.focus();
  await page.keyboard.press("End");
  const reason = /In one go this takes [\d.]+ MiB and [\d.]+ MiB is free.*the nearest that fits/;
  expect(await slider.getAttribute("aria-valuetext")).toMatch(reason);
  await bar().getByText(reason).waitFor();
  await bar().getByText("it would be read in parts. Use").waitFor();
  await screenshot(page, "choices-unfit");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "choices-unfit-dark");
  await page.emulateMedia({ colorScheme: "light" });
  const nearest = bar().getByRole("button", { name: /^Use [\d.]+ %/ });
  const words = /Use ([\d.]+ %)/.exec(await nearest.innerText())?.[1] as string;
  await nearest.click();
  expect(await slider.getAttribute("aria-valuetext")).toMatch(
    new RegExp(`, ${words} of its notes, answers as with all of them$`),
  );
  await page.getByRole("slider").hover({ position: { x: 12, y: 12 } });
  await bar()
    .getByText(/The instruction alone takes/)
    .waitFor();
  await page.mouse.move(5, 5);
  await slider.press("Home");
  await bar().getByText("Too little for the instruction alone.").waitFor();
  await nearest.click();
});

it("takes the form, length, language and focus of the summary, and what is folded away", async () => {
  await bar().getByLabel("Form of the summary").selectOption("Executive summary");
  await bar().getByText("Long", { exact: true }).click();
  await bar().getByLabel("Language of the summary").selectOption("German");
  expect(await bar().getByLabel("KV type").count()).toBe(0);
  await bar().getByRole("button", { name: "More choices" }).click();
  await bar().getByLabel("KV type").selectOption("q8_0, half the bytes");
  await bar().getByLabel("Policy").selectOption("SnapKV");
  await bar().getByLabel("Layers at a time").fill("4");
  await bar().getByLabel("Threads").fill("2");
  await bar().getByLabel("Seed").fill("7");
  expect(await bar().getByLabel("Layers on the GPU").isDisabled()).toBe(true);
  await screenshot(page, "choices-advanced");
  await bar().getByLabel("What the summary dwells on").fill("Who pays?");
  await page.keyboard.press("Enter");
  await chosen().waitFor();
  expect(await chosen().innerText()).toBe("Executive summary · Long · German · SnapKV · Dwells on “Who pays?”");
  await page.keyboard.press("Escape");
  await page.getByText(/Cancelled after/).waitFor();
  await bar().getByLabel("What the summary dwells on").fill("");
  await bar().getByRole("button", { name: "More choices" }).click();
});

it("draws what was kept, names what is pointed at, and has it as tables", async () => {
  await startButton(page).click();
  const map = page.getByRole("button", { name: /^Map of what was kept/ });
  await map.waitFor({ timeout: 20_000 });
  const picture = await map.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
    const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
      0,
      0,
      canvas.width,
      canvas.height,
    );
    return new Set(Array.from({ length: data.length / 4 }, (_, at) => data.slice(4 * at, 4 * at + 3).join())).size;
  });
  expect(picture, "colours in the picture").toBeGreaterThan(20);
  const tinted = () =>
    page.evaluate(() => {
      const kept = [...CSS.highlights].filter(([name]) => name.startsWith("kept-"));
      return kept.reduce((sum, [, words]) => sum + words.size, 0);
    });
  await expect.poll(tinted).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Tint what was kept" }).click();
  await expect.poll(tinted).toBe(0);
  await page.getByRole("button", { name: "Tint what was kept" }).click();
  await expect.poll(tinted).toBeGreaterThan(0);
  await map.scrollIntoViewIfNeeded();
  const kept = page.getByRole("region", { name: "What was kept" });
  const place = kept.getByText(/^Page \d+, here: layer \d+ keeps [\d.]+ %, all layers [\d.]+ %$/);
  // Moved again where what came late above has moved the map from under the pointer.
  let moves = 0;
  const pointedAt = async () => {
    await map.hover({ position: { x: 40 + (moves++ % 2), y: 10 } });
    return place.count();
  };
  await expect.poll(pointedAt, { timeout: 20_000 }).toBe(1);
  await kept.getByText(/Minutes, sheet \d+\./).waitFor();
  await screenshot(page, "choices-map");
  await page.mouse.move(5, 5);
  await map.focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
  await kept.getByText(/^Page 3, here: layer 2 /).waitFor();
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "choices-map-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await kept.getByText("As tables").click();
  expect(await kept.getByRole("row", { name: /^Page 10 / }).count()).toBe(1);
  expect(await kept.getByRole("row", { name: /^30 / }).count()).toBe(1);
  await resize(launched, 640, 480);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  await screenshot(page, "choices-small");
  await resize(launched, 1280, 800);
});

it("makes one summary of documents that are chosen together, or one of each", async () => {
  await drop(page, [samplePdf]);
  await entry(/Harbour report/).waitFor();
  await entry(/Large inquiry/).click({ modifiers: ["Control"] });
  await bar().getByLabel("Form of the summary").selectOption("Bullet points");
  await bar().getByText("One summary", { exact: true }).click();
  await screenshot(page, "choices-together");
  await bar()
    .getByRole("button", { name: /^Start 2 as one/ })
    .click();
  const warnings = page.getByRole("list", { name: "Warnings about this run" });
  await warnings.getByText("Together with large-inquiry.pdf.").waitFor({ timeout: 20_000 });
  await bar().getByText("Each on its own").click();
  await bar()
    .getByRole("button", { name: /^Start 2 Enter/ })
    .click();
  await entry(/Large inquiry.*Waiting for its turn/).waitFor();
  expect(launched.errors, launched.log()).toEqual([]);
});

/** The library in the real window with the real worker: SQLite in Electron, search, and deleting for good. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Page } from "playwright";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chooseMenu, drop, type Launched, launch, projectDir, resize, samplePdf, screenshot } from "./support.js";

let launched: Launched;
let page: Page;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "precis-e2e-library-"));
  launched = await launch(projectDir);
  page = launched.page;
});
afterAll(async () => {
  await launched.close();
  await rm(folder, { recursive: true, force: true });
});

const library = () => page.getByRole("navigation", { name: "Documents" });
const field = () => page.getByRole("searchbox", { name: "Search documents and summaries" });
const open = (name: string) => library().getByRole("button", { name: `Close ${name}` });

it("finds the page of a document that is closed again, and opens it by the keyboard", async () => {
  const note = path.join(folder, "tide-tables.md");
  await writeFile(note, "# Tide tables\n\nThe gauge at the lighthouse shows spring tides of 4.1 m.\n");
  await drop(page, [samplePdf, note]);
  await expect
    .poll(
      () =>
        library()
          .getByText(/tokens/)
          .count(),
      { timeout: 60_000 },
    )
    .toBe(3);
  await library().getByRole("button", { name: "Clear", exact: true }).click();
  await library().getByRole("button", { name: "Clear the queue" }).click();
  await open("harbour-report.pdf").click({ force: true });
  await open("tide-tables.md").click({ force: true });
  const earlier = library().getByRole("region", { name: "Earlier" });
  await expect.poll(() => earlier.getByRole("listitem").count()).toBe(2);
  await screenshot(page, "library-earlier");

  await chooseMenu(launched.app, "Search Documents and Summaries");
  await expect.poll(() => field().evaluate((input) => input === document.activeElement)).toBe(true);
  await page.keyboard.type("dredging channel");
  await library().getByText("Found in 1 document").waitFor();
  await library()
    .getByText(/^Page \d+(, and \d+ more)?$/)
    .waitFor();
  expect(await library().locator("mark").first().innerText()).toMatch(/dredging|channel/i);
  await screenshot(page, "library-search");
  await page.emulateMedia({ colorScheme: "dark" });
  await screenshot(page, "library-search-dark");
  await resize(launched, 900, 600);
  await screenshot(page, "library-search-900-dark");
  await page.emulateMedia({ colorScheme: "light" });

  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const inDocument = page.getByRole("search").filter({ hasText: / of \d+$/ });
  await inDocument.getByText(/^1 of \d+$/).waitFor();
  expect(await field().inputValue(), "there may be more to look at").not.toBe("");
  await field().fill("");
  await open("harbour-report.pdf").waitFor();
  await screenshot(page, "library-900");
});

it("deletes a document for good, once that is confirmed", async () => {
  await field().fill("lighthouse");
  // The list of before has the same button: a click on it while what was found takes its place would be lost.
  await library().getByText("Found in 1 document").waitFor();
  await library().getByRole("button", { name: "Delete Tide tables from the library" }).click();
  const dialog = page.getByRole("dialog", { name: /Delete/ });
  await screenshot(page, "library-delete");
  await dialog.getByRole("button", { name: "Keep" }).click();
  await library().getByText("Found in 1 document").waitFor();
  await library().getByRole("button", { name: "Delete Tide tables from the library" }).click();
  await dialog.getByRole("button", { name: "Delete for good" }).click();
  await library().getByText("No document has all these words on one page.").waitFor();
  await field().press("Escape");
  expect(await library().getByText("Tide tables").count()).toBe(0);
  expect(launched.errors, launched.log()).toEqual([]);
});

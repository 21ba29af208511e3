/**
 * Every view and state of the window, one after the other, with the scripted worker and a library that has something in it.
 * It finds its way by the page's structure and not by its words, so that it works in every language of the window.
 */
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { textPage } from "../../core/documents/document.js";
import { openDocument } from "../../core/documents/open.js";
import { Library } from "../../core/library/library.js";
import { channelOf } from "../../electron/bridge.js";
import type { EventData } from "../../electron/contract.js";
import { documentOf, resultOf } from "./made-up.js";
import { drop, type Launched, launch, namedFile, samplePdf, scriptedApp } from "./support.js";

/**
 * Called at each stop, with its name in words that a file can have.
 * @param about what must be seen of it, when that is not what has the focus
 */
export type Visit = (name: string, launched: Launched, about?: string) => Promise<void>;

/** @param settings what the settings file has at the start */
export async function tour(visit: Visit, settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const root = await scriptedApp();
  const folder = await mkdtemp(path.join(tmpdir(), "precis-tour-"));
  const stage = async (profile: string, stops: (launched: Launched) => Promise<void>) => {
    await writeFile(path.join(profile, "settings.json"), JSON.stringify(settings));
    const launched = await launch(root, [], { profile });
    try {
      await stops(launched);
      if (launched.errors.length > 0) throw new Error(launched.errors.join("\n"));
    } catch (thrown) {
      // While it reads it would ask before it closes.
      await launched.kill();
      throw thrown;
    }
    await launched.close();
  };
  try {
    await stage(await mkdtemp(path.join(folder, "empty-")), (launched) => atFirst(launched, visit));
    const profile = await mkdtemp(path.join(folder, "used-"));
    await fillLibrary(path.join(profile, "library.sqlite"));
    await stage(profile, async (launched) => {
      await throughLibrary(launched, visit);
      await throughViews(launched, visit);
      await throughStored(launched, visit);
      await throughSummary(launched, visit, folder);
      await throughRuns(launched, visit, folder);
      await throughErrors(launched, visit, folder);
      await throughQueue(launched, visit, folder);
    });
  } finally {
    for (const made of [root, folder]) await rm(made, { recursive: true, force: true });
  }
}

const options = { policy: "dynamickv", length: "medium", seed: 1, temperature: 0 } as const;
const summaries = [
  "The harbour had a good year. Dredging took less time than planned, and trade grew by a tenth.",
  "The harbour had a good year. Dredging cost £2.07 million, more per cubic metre than before, and trade grew.",
];

/** The sample report with two summaries, and four documents with and without tags. */
async function fillLibrary(file: string): Promise<void> {
  const library = Library.open(file);
  const saveRun = (path: string, budget: string, text: string, ended: number) => {
    const chosen = { ...options, budget };
    const stored = library.list(50).entries.find((entry) => entry.path === path);
    const result = resultOf(documentOf("stored", path, stored), chosen, text);
    const { prefillMs, compressMs, decodeMs } = result.timings;
    library.saveRun(path, chosen, result, { started: ended - prefillMs - compressMs - decodeMs, ended });
  };
  const day = (date: number) => Date.UTC(2026, 10, date, 12);
  for (const [index, title] of ["Tide tables", "Council minutes", "Letters of 1923", "Survey of the quay"].entries()) {
    const documentPath = `/home/ada/documents/${title.toLowerCase().replaceAll(" ", "-")}.pdf`;
    const pages = [1, 2, 3].map((page) => textPage(page, `${title}, sheet ${page}: the gauge at the lighthouse.`));
    library.saveDocument({ path: documentPath, title, kind: "pdf", unit: "page", pages, warnings: [] }, index);
    if (index > 1) library.tag(documentPath, { add: "harbour" });
    saveRun(documentPath, "25%", "The gauge at the lighthouse was read every day.", day(1 + index));
  }
  library.saveDocument(await openDocument(samplePdf));
  library.tag(samplePdf, { add: "harbour" });
  library.tag(samplePdf, { add: "to read" });
  for (const [index, text] of summaries.entries())
    saveRun(samplePdf, index === 0 ? "6.9%" : "25%", text, day(20 + index));
  library.close();
}

const dialog = ({ page }: Launched) => page.locator("dialog[open]");

/** What the menu sends to the window, whatever it is called there. */
async function choose({ app }: Launched, item: EventData<"menu">["item"]): Promise<void> {
  await app.evaluate(
    ({ BrowserWindow }, [channel, chosen]) =>
      BrowserWindow.getAllWindows()[0]?.webContents.send(channel as string, { item: chosen }),
    [channelOf("menu"), item],
  );
}

/** Visits a dialog that is about to open, and leaves it. */
async function sheet(launched: Launched, visit: Visit, name: string, open: () => Promise<void>): Promise<void> {
  await open();
  await dialog(launched).waitFor();
  await visit(name, launched);
  await launched.page.keyboard.press("Escape");
  await dialog(launched).waitFor({ state: "hidden" });
}

/** Drops copies of the sample report whose names tell the scripted worker what to do. */
async function give({ page }: Launched, folder: string, ...names: readonly string[]): Promise<void> {
  const files: string[] = [];
  for (const name of names) {
    const file = await namedFile(folder, `${name}.pdf`);
    // What is damaged stays without pages.
    if (!name.includes("damaged")) await copyFile(samplePdf, file);
    files.push(file);
  }
  await drop(page, files);
}

/** The same, and waits until it is open: then it has its title, and the plan of its reading is there. */
async function open(launched: Launched, folder: string, name: string): Promise<void> {
  await give(launched, folder, name);
  const title = name.charAt(0).toUpperCase() + name.slice(1).replaceAll("-", " ");
  await launched.page.locator(".document-head h1", { hasText: title }).waitFor();
  await launched.page.locator(".start:enabled").waitFor();
  await launched.page.locator(".before [role=status]").waitFor({ state: "attached" });
}

async function atFirst(launched: Launched, visit: Visit): Promise<void> {
  const { page } = launched;
  await page.locator(".empty-sheet > .small", { hasText: "SmolLM2" }).waitFor();
  await visit("empty", launched);
  const drag = (type: string) =>
    page.evaluate((name) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([], "report.pdf"));
      document.body.dispatchEvent(new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true }));
    }, type);
  await drag("dragover");
  await page.locator(".drop-frame").waitFor();
  await visit("dropping", launched);
  await drag("dragleave");
}

async function throughLibrary(launched: Launched, visit: Visit): Promise<void> {
  const { page } = launched;
  const first = page.locator(".earlier .entry").first();
  await first.waitFor();
  await visit("library", launched);
  const tool = async (place: "first" | "last") => {
    await first.hover();
    await first.locator(".entry-tools button")[place]().click();
  };
  await sheet(launched, visit, "tags", () => tool("first"));
  await sheet(launched, visit, "delete", () => tool("last"));
  await page.locator(".tag-filter .tag").first().click();
  await page.locator(".tag[aria-pressed=true]").waitFor();
  await visit("tagged", launched);
  await page.locator(".tag-filter .tag").first().click();
  await page.locator("#library-search").fill("dredging");
  await page.locator(".found .entry").first().waitFor();
  await visit("search", launched);
  await page.keyboard.press("Escape");
  await first.waitFor();
}

async function throughViews(launched: Launched, visit: Visit): Promise<void> {
  for (const item of [
    "settings",
    "models",
    "palette",
    "storage",
    "export-several",
    "scan-languages",
    "shortcuts",
  ] as const) {
    await sheet(launched, visit, item, () => choose(launched, item));
  }
}

/** A document of the library, with the last of its summaries. */
async function throughStored(launched: Launched, visit: Visit): Promise<void> {
  const { page } = launched;
  await page.locator(".earlier .entry-main").first().click();
  const compare = page.locator(".run-history > button");
  await compare.waitFor();
  await page.locator(".start:enabled").waitFor();
  await visit("stored", launched);
  await sheet(launched, visit, "compare", async () => {
    await compare.click();
    await page.locator(".compare-texts").waitFor();
  });
}

/** From a new document to its summary, what that says of itself, and a question. */
async function throughSummary(launched: Launched, visit: Visit, folder: string): Promise<void> {
  const { page } = launched;
  await open(launched, folder, "harbour-notes");
  await page.locator(".page-picture canvas").first().waitFor();
  await page.locator(".stretches").waitFor();
  await visit("document", launched);
  await page.locator(".about > summary").click();
  await visit("about", launched);
  await page.locator(".about > summary").click();
  await page.locator(".more").click();
  await visit("choices", launched);
  await page.locator(".more").click();
  await choose(launched, "find-in-document");
  await page.locator(".find-bar input").fill("harbour");
  await page.locator(".find-bar button:enabled").nth(2).waitFor();
  await visit("find", launched);
  await page.keyboard.press("Escape");
  await page.locator(".start").click();
  await page.locator(".run-facts").waitFor({ timeout: 20_000 });
  await visit("done", launched);
  await page.locator("button.chip").first().focus();
  await page.locator(".preview:popover-open").waitFor();
  await visit("citation", launched);
  await choose(launched, "export");
  await page.locator(".menu").waitFor();
  await visit("exports", launched);
  await page.keyboard.press("Escape");
  await page.locator(".questions input").fill("Who pays?");
  await page.keyboard.press("Enter");
  await page.locator(".answer .chip").first().waitFor();
  await visit("answer", launched, ".answer");
  await page.locator(".retention-map").focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await page.keyboard.press(key);
  await page.locator(".retention-passage:not(:empty)").waitFor();
  await visit("retention", launched);
  await page.locator(".retention summary").click();
  await visit("retention-tables", launched);
}

/** What stands in the summary's place before it is there. */
async function throughRuns(launched: Launched, visit: Visit, folder: string): Promise<void> {
  const { page } = launched;
  const stop = async (shown: string) => {
    await page.keyboard.press("Escape");
    await page.locator(shown).waitFor({ state: "hidden" });
  };
  await open(launched, folder, "slow-reading");
  await page.locator(".start").click();
  await page.locator(".reading").waitFor();
  await visit("reading", launched);
  await stop(".reading");
  await visit("cancelled", launched);
  await open(launched, folder, "wordy-notes");
  await page.locator(".start").click();
  await page.locator(".prose", { hasText: "outer breakwater" }).waitFor({ timeout: 20_000 });
  await visit("writing", launched);
  await stop(".prose[data-writing=true]");
  await open(launched, folder, "long-inquiry");
  await page.locator(".stretches").waitFor();
  await visit("parts", launched);
  await open(launched, folder, "large-inquiry");
  await page.locator(".stretches").waitFor();
  await page.locator(".slider input").focus();
  await page.keyboard.press("End");
  await page.locator(".slider-reason").waitFor();
  await page.locator('.plan[data-stale="false"]', { hasText: "2" }).waitFor({ state: "attached" });
  await visit("unfit", launched);
  await page.locator(".slider-nearest button").click();
  await give(launched, folder, "slow-scan");
  await page.locator(".summary [role=progressbar]").waitFor();
  await visit("recognising", launched);
  await stop(".summary [role=progressbar]");
  await open(launched, folder, "scan-of-minutes");
  await visit("coverage", launched);
}

async function throughErrors(launched: Launched, visit: Visit, folder: string): Promise<void> {
  const { page } = launched;
  await give(launched, folder, "damaged-annex");
  await page.locator(".error-note").waitFor();
  await visit("not-opened", launched);
  await open(launched, folder, "fails-halfway");
  await page.locator(".start").click();
  await page.locator(".error-note").waitFor();
  await visit("not-finished", launched);
  await open(launched, folder, "dies-while-reading");
  await page.locator(".start").click();
  await page.locator(".worker-notice").waitFor();
  await page.locator(".start:enabled").waitFor();
  // The bar has what is free now, not what was when memory had run out.
  await page.locator(".stretches-bar [data-kind=over]").waitFor({ state: "detached" });
  await visit("worker-died", launched);
  await page.locator(".worker-notice button").click();
}

async function throughQueue(launched: Launched, visit: Visit, folder: string): Promise<void> {
  const { page } = launched;
  const head = page.locator(".queue .queue-head button");
  await give(launched, folder, "slow-first", "slow-second", "slow-third");
  await page.locator(".queue .entry").nth(2).waitFor();
  await page.locator(".start:enabled").waitFor();
  await visit("queue-held", launched);
  await head.first().click();
  await page.locator(".queue progress").waitFor();
  await visit("queue", launched);
  await head.last().click();
  await page.locator(".queue .confirm").waitFor();
  await visit("queue-clear", launched);
  await page.locator(".queue .confirm button").first().click();
  await page.locator(".queue").waitFor({ state: "hidden" });
}

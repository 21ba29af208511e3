/** Times that a user waits: for the first page of a long PDF beside its text, and for what a search finds. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright";
import { pagesOfWords } from "../../documents/pdfs.js";
import { drop } from "../../e2e/support.js";
import { queries } from "../../library/large.js";
import { documents, withLargeLibrary } from "./profile.js";

export const pages = 300;

export interface Opening {
  /** Milliseconds from the drop until the first page is drawn. */
  readonly firstPageMs: number;
  /** Until the text of all pages is there, and its tokens are counted. */
  readonly textMs: number;
}

export interface Search {
  readonly what: string;
  /** Milliseconds from the last letter to the frame after the one with the answer. */
  readonly ms: readonly number[];
}

/** Both in one window. */
export function measureTimes(rounds: number): Promise<{ openings: readonly Opening[]; searches: readonly Search[] }> {
  return withLargeLibrary(async ({ page }, folder) => {
    const searches: Search[] = [];
    for (const [what, query] of queries(documents)) {
      const ms: number[] = [];
      // the first is not counted: it brings the index into memory
      for (let round = 0; round <= rounds; round++) {
        const taken = await search(page, query);
        if (round > 0) ms.push(taken);
      }
      searches.push({ what, ms });
    }
    const pdf = await pagesOfWords(pages);
    const openings: Opening[] = [];
    for (let round = 0; round < rounds; round++) {
      const file = join(folder, `words-${round}.pdf`);
      await writeFile(file, pdf);
      openings.push(await open(page, file));
    }
    return { openings, searches };
  });
}

async function open(page: Page, file: string): Promise<Opening> {
  await page.evaluate((path) => {
    /** Whether the upper half of the page, which is full of words, has any. */
    const isDrawn = () => {
      const canvas = document.querySelector<HTMLCanvasElement>(".page-picture canvas");
      if (!canvas || canvas.width === 0) return false;
      const { width, height } = canvas;
      const area = [0, Math.floor(height / 4), width, Math.floor(height / 20)] as const;
      const data = canvas.getContext("2d")?.getImageData(...area).data ?? [];
      for (let at = 0; at < data.length; at += 4) if ((data[at] ?? 255) < 128 && (data[at + 3] ?? 0) > 0) return true;
      return false;
    };
    const opening = new Promise<Opening>((resolve, reject) => {
      const onDrop = () => {
        const began = performance.now();
        setTimeout(() => reject(new Error("Its first page or its text did not come within two minutes.")), 120_000);
        let firstPageMs: number | undefined;
        const look = () => {
          const shown = document.querySelector<HTMLElement>(".document-head h1")?.title === path;
          if (shown && firstPageMs === undefined && isDrawn()) firstPageMs = performance.now() - began;
          const textMs = shown && document.querySelector(".about") ? performance.now() - began : undefined;
          if (firstPageMs !== undefined && textMs !== undefined) resolve({ firstPageMs, textMs });
          else requestAnimationFrame(look);
        };
        look();
      };
      addEventListener("drop", onDrop, { capture: true, once: true });
    });
    Object.assign(window, { opening });
  }, file);
  await drop(page, [file]);
  return page.evaluate(() => (window as unknown as { opening: Promise<Opening> }).opening);
}

function search(page: Page, query: string): Promise<number> {
  return page.evaluate(async (wanted) => {
    const field = document.getElementById("library-search") as HTMLInputElement;
    const frame = () => new Promise(requestAnimationFrame);
    const answer = () => document.querySelector(".library .list-note[role=status]");
    const type = (text: string) => {
      // React hears of a value that is set past its own setter
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")?.set?.call(field, text);
      field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    type("");
    while (answer()) await frame();
    const began = performance.now();
    type(wanted);
    while (!answer()) await frame();
    await frame();
    return performance.now() - began;
  }, query);
}

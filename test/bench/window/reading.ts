/** How evenly the window shows its frames while the model reads and writes: a PDF of 1,000 pages, a large library. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright";
import { pagesOfTables } from "../../documents/pdfs.js";
import { drop, startButton } from "../../e2e/support.js";
import { withLargeLibrary } from "./profile.js";

export const pages = 1_000;

export interface Frames {
  /** What goes on. */
  readonly what: string;
  /** Milliseconds from each frame to the next. */
  readonly gaps: readonly number[];
}

export function measureFrames(): Promise<readonly Frames[]> {
  return withLargeLibrary(async ({ page }, folder) => {
    const file = join(folder, "tables.pdf");
    await writeFile(file, await pagesOfTables(pages));
    await drop(page, [file]);
    await page.locator(".start:enabled").waitFor({ timeout: 120_000 });
    const frames: Frames[] = [];
    const measure = async (what: string, how: How) => {
      const gaps = await gapsWhile(page, how);
      frames.push({ what, gaps });
    };
    await measure("nothing", { ms: 8_000 });
    await measure("pages are scrolled", { ms: 8_000, scrolled: true });
    await startButton(page).click();
    await page.locator(".reading [aria-valuenow]:not([aria-valuenow='0'])").waitFor({ timeout: 120_000 });
    await measure("the model reads", { ms: 10_000, whileShown: ".reading" });
    await measure("the model reads, pages are scrolled", { ms: 10_000, whileShown: ".reading", scrolled: true });
    await page.locator(".prose[data-writing=true]").waitFor({ timeout: 300_000 });
    await measure("the model writes, pages are scrolled", {
      ms: 60_000,
      whileShown: ".prose[data-writing=true]",
      scrolled: true,
    });
    return frames;
  });
}

interface How {
  /** The most time that it takes. */
  readonly ms: number;
  /** It ends when nothing like this is shown any more. */
  readonly whileShown?: string;
  /** The document's pages move by 40 pixels with every frame, two or three pages a second. */
  readonly scrolled?: boolean;
}

function gapsWhile(page: Page, how: How): Promise<number[]> {
  return page.evaluate(async ({ ms, whileShown, scrolled }) => {
    const list = document.querySelector(".page-list");
    const gaps: number[] = [];
    const began = performance.now();
    let before = began;
    while (before - began < ms && (!whileShown || document.querySelector(whileShown))) {
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      gaps.push(now - before);
      before = now;
      if (scrolled && list) list.scrollTop += 40;
    }
    return gaps;
  }, how);
}

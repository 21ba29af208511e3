/** Which pages were read and how, as the window says it. */
import { type Coverage, type How, SURE } from "../../electron/contract.js";
import { formatPages, plural } from "./format.js";

export interface CoverageLine {
  readonly how: How;
  readonly name: string;
  readonly words: string;
}

/** A line for each way in which pages were read; those without a page are left out. */
export function coverageLines({ unit, text, ocr, empty, failed }: Coverage): CoverageLine[] {
  const lines: CoverageLine[] = [];
  const add = (how: How, name: string, pages: readonly number[], more = "") => {
    if (pages.length > 0)
      lines.push({ how, name, words: `${plural(pages.length, unit)}: ${formatPages(pages)}${more}` });
  };
  add("text", "Text", text);
  const numbers = (found: Coverage["ocr"]) => found.map(({ page }) => page);
  const confident = ocr.filter(({ confidence }) => confidence >= SURE);
  const doubtful = ocr.filter(({ confidence }) => confidence < SURE);
  add("ocr", "Recognised (OCR)", numbers(confident), confidenceWords(confident));
  add("unsure", "Recognised, unsure", numbers(doubtful), confidenceWords(doubtful));
  add("empty", "Empty", empty);
  for (const reason of new Set(failed.map((page) => page.reason))) {
    const pages = failed.filter((page) => page.reason === reason).map(({ page }) => page);
    add("failed", "Not read", pages, `, because ${reason}`);
  }
  return lines;
}

const percent = (confidence: number): string => `${Math.floor(confidence * 100)} %`;

function confidenceWords(ocr: Coverage["ocr"]): string {
  const found = ocr.map(({ confidence }) => confidence);
  const least = percent(Math.min(...found));
  const most = percent(Math.max(...found));
  return `, confidence ${least === most ? least : `${least} to ${most}`}`;
}

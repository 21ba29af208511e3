/** Which pages were read and how, as the window shows it. */
import type { Coverage } from "../../electron/contract.js";
import { formatPages, plural } from "./format.js";

/** How one page was read; "unsure": recognised, with a confidence that leaves wrong words likely. */
export type How = "text" | "ocr" | "unsure" | "empty" | "failed";

export interface PageRow {
  readonly page: number;
  readonly how: How;
  /** In words: "recognised, confidence 91 %", "could not be read: …". */
  readonly words: string;
}

/** Below this confidence a recognised page may have wrong words; core/documents/coverage.ts warns below the same. */
const sure = 0.8;

const percent = (confidence: number): string => `${Math.floor(confidence * 100)} %`;

/** Every page of the document, in order. */
export function pageRows({ text, ocr, empty, failed }: Coverage): PageRow[] {
  const rows: PageRow[] = [
    ...text.map((page) => ({ page, how: "text" as const, words: "read" })),
    ...ocr.map(({ page, confidence }) => ({
      page,
      how: confidence < sure ? ("unsure" as const) : ("ocr" as const),
      words: `recognised, confidence ${percent(confidence)}`,
    })),
    ...empty.map((page) => ({ page, how: "empty" as const, words: "no text" })),
    ...failed.map(({ page, reason }) => ({ page, how: "failed" as const, words: `not read: ${reason}` })),
  ];
  return rows.sort((one, other) => one.page - other.page);
}

export interface Stretch {
  readonly how: How;
  readonly from: number;
  readonly to: number;
}

/** Neighbouring pages that were read alike: what is drawn is as long as the document is mixed, not as long as it is. */
export function stretches(rows: readonly PageRow[]): Stretch[] {
  const found: Stretch[] = [];
  for (const { page, how } of rows) {
    const last = found.at(-1);
    if (last?.how === how && last.to === page - 1) found[found.length - 1] = { ...last, to: page };
    else found.push({ how, from: page, to: page });
  }
  return found;
}

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
  add("text", "Read", text);
  const numbers = (found: Coverage["ocr"]) => found.map(({ page }) => page);
  const confident = ocr.filter(({ confidence }) => confidence >= sure);
  const doubtful = ocr.filter(({ confidence }) => confidence < sure);
  add("ocr", "Recognised (OCR)", numbers(confident), confidenceWords(confident));
  add("unsure", "Recognised, unsure", numbers(doubtful), confidenceWords(doubtful));
  add("empty", "Empty", empty);
  for (const reason of new Set(failed.map((page) => page.reason))) {
    const pages = failed.filter((page) => page.reason === reason).map(({ page }) => page);
    add("failed", "Not read", pages, `, because ${reason}`);
  }
  return lines;
}

function confidenceWords(ocr: Coverage["ocr"]): string {
  const found = ocr.map(({ confidence }) => confidence);
  const least = percent(Math.min(...found));
  const most = percent(Math.max(...found));
  return `, confidence ${least === most ? least : `${least} to ${most}`}`;
}

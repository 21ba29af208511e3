import { said } from "../said.js";
import type { DocumentPage, PageUnit } from "./document.js";
import { pageList } from "./page-list.js";

/** Which pages were read and how; every page of the document stands in exactly one of the lists, ascending. */
export interface Coverage {
  readonly unit: PageUnit;
  readonly text: number[];
  /** `confidence` 0..1, the recogniser's own. */
  readonly ocr: { readonly page: number; readonly confidence: number }[];
  readonly empty: number[];
  readonly failed: { readonly page: number; readonly reason: string }[];
}

export function coverageOf({
  unit,
  pages,
}: {
  readonly unit: PageUnit;
  readonly pages: readonly DocumentPage[];
}): Coverage {
  const coverage: Coverage = { unit, text: [], ocr: [], empty: [], failed: [] };
  for (const { number, reading } of pages) {
    if (reading.how === "text") coverage.text.push(number);
    else if (reading.how === "ocr") coverage.ocr.push({ page: number, confidence: reading.confidence });
    else if (reading.how === "empty") coverage.empty.push(number);
    else coverage.failed.push({ page: number, reason: reading.reason });
  }
  return coverage;
}

/** Below this mean confidence a recognised page may have wrong words, and the user is told. */
export const SURE = 0.8;

/** How one page was read; "unsure": recognised, but with so little confidence that some words are likely wrong. */
export type How = "text" | "ocr" | "unsure" | "empty" | "failed";

export interface Stretch {
  readonly how: How;
  /** Completes "page 3: …": "read", "recognised, confidence 91 %", "not read: it is damaged". */
  readonly words: string;
  readonly from: number;
  readonly to: number;
}

/** Every page in order, each in exactly one stretch; neighbours of which the same is to be said share theirs. */
export function coverageStretches({ text, ocr, empty, failed }: Coverage): Stretch[] {
  const pages: { page: number; how: How; words: string }[] = [
    ...text.map((page) => ({ page, how: "text" as const, words: "read" })),
    ...ocr.map(({ page, confidence }) => ({
      page,
      how: confidence < SURE ? ("unsure" as const) : ("ocr" as const),
      words: `recognised, confidence ${percent(confidence)}`,
    })),
    ...empty.map((page) => ({ page, how: "empty" as const, words: "no text" })),
    ...failed.map(({ page, reason }) => ({ page, how: "failed" as const, words: `not read: ${reason}` })),
  ];
  const found: Stretch[] = [];
  for (const { page, how, words } of pages.sort((one, other) => one.page - other.page)) {
    const last = found.at(-1);
    if (last?.words === words && last.to === page - 1) found[found.length - 1] = { ...last, to: page };
    else found.push({ how, words, from: page, to: page });
  }
  return found;
}

/**
 * How much of a document was read, in words: "all 12 pages", "pages 1 to 3 of 5 (page 3 by text recognition, with a
 * confidence of 91 %; no text on page 4; page 5 could not be read)".
 */
export function coverageWords(coverage: Coverage): string {
  const { unit, text, ocr, empty, failed } = coverage;
  const recognised = ocr.map(({ page }) => page);
  const read = [...text, ...recognised].sort((one, other) => one - other);
  const total = read.length + empty.length + failed.length;
  const details: string[] = [];
  if (ocr.length > 0) details.push(`${pageList(recognised, unit)} by text recognition, ${confidence(ocr)}`);
  if (empty.length > 0) details.push(`no text on ${pageList(empty, unit)}`);
  if (failed.length > 0)
    details.push(
      `${pageList(
        failed.map(({ page }) => page),
        unit,
      )} could not be read`,
    );
  return `${readWords(read, total, unit)}${details.length > 0 ? ` (${details.join("; ")})` : ""}`;
}

function readWords(read: readonly number[], total: number, unit: PageUnit): string {
  if (read.length === total) return total === 1 ? `its only ${unit}` : `all ${total} ${unit}s`;
  return read.length === 0 ? `no ${unit}` : `${pageList(read, unit)} of ${total}`;
}

/** What the user must be told of pages that gave no text of their own; nothing when all did. */
export function coverageWarnings({ unit, ocr, empty, failed }: Coverage): string[] {
  const warnings: string[] = [];
  if (ocr.length > 0) {
    const list = pageList(
      ocr.map(({ page }) => page),
      unit,
    );
    warnings.push(said`Scanned: the text of ${list} was recognised (OCR), ${confidence(ocr)}.`);
    const doubtful = ocr.filter((page) => page.confidence < SURE).map(({ page }) => page);
    if (doubtful.length > 0) {
      warnings.push(said`Recognition was unsure on ${pageList(doubtful, unit)}: check what is said from there.`);
    }
  }
  if (empty.length > 0) warnings.push(said`No text on ${pageList(empty, unit)}: nothing of it was read.`);
  const reasons = new Set(failed.map(({ reason }) => reason));
  for (const reason of reasons) {
    const list = pageList(
      failed.filter((page) => page.reason === reason).map(({ page }) => page),
      unit,
    );
    warnings.push(said`Not read: ${list}, because ${reason}.`);
  }
  return warnings;
}

/** The mean confidence in words, with the lowest where there are several: "with a confidence of 91 % (lowest 84 %)". */
function confidence(ocr: Coverage["ocr"]): string {
  const mean = ocr.reduce((sum, page) => sum + page.confidence, 0) / ocr.length;
  const lowest = Math.min(...ocr.map((page) => page.confidence));
  return ocr.length > 1
    ? said`with a confidence of ${percent(mean)} (lowest ${percent(lowest)})`
    : said`with a confidence of ${percent(mean)}`;
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`;

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
const SURE = 0.8;

/** What the user must be told of pages that gave no text of their own; nothing when all did. */
export function coverageWarnings({ unit, ocr, empty, failed }: Coverage): string[] {
  const warnings: string[] = [];
  if (ocr.length > 0) {
    const list = pageList(
      ocr.map(({ page }) => page),
      unit,
    );
    warnings.push(`Scanned: the text of ${list} was recognised (OCR), ${confidence(ocr)}.`);
    const doubtful = ocr.filter((page) => page.confidence < SURE).map(({ page }) => page);
    if (doubtful.length > 0) {
      warnings.push(`Recognition was unsure on ${pageList(doubtful, unit)}: check what is said from there.`);
    }
  }
  if (empty.length > 0) warnings.push(`No text on ${pageList(empty, unit)}: nothing of it was read.`);
  const reasons = new Set(failed.map(({ reason }) => reason));
  for (const reason of reasons) {
    const list = pageList(
      failed.filter((page) => page.reason === reason).map(({ page }) => page),
      unit,
    );
    warnings.push(`Not read: ${list}, because ${reason}.`);
  }
  return warnings;
}

/** The mean confidence in words, with the lowest where there are several: "with a confidence of 91 % (lowest 84 %)". */
export function confidence(ocr: Coverage["ocr"]): string {
  const mean = ocr.reduce((sum, page) => sum + page.confidence, 0) / ocr.length;
  const lowest = Math.min(...ocr.map((page) => page.confidence));
  const percent = (share: number) => `${Math.floor(share * 100)} %`;
  return `with a confidence of ${percent(mean)}${ocr.length > 1 ? ` (lowest ${percent(lowest)})` : ""}`;
}

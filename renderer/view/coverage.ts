/** Which pages were read and how, as the window says it. */

import type { Coverage } from "../../electron/contract.js";
import { type How, type Stretch, SURE } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { formatFraction, formatPages, plural } from "./format.js";

export interface CoverageLine {
  readonly how: How;
  readonly name: string;
  readonly words: string;
}

/** A line for each way in which pages were read; those without a page are left out. */
export function coverageLines({ unit, text, ocr, empty, failed }: Coverage): CoverageLine[] {
  const lines: CoverageLine[] = [];
  const add = (
    how: How,
    name: string,
    pages: readonly number[],
    more: (words: string) => string = (words) => words,
  ) => {
    if (pages.length === 0) return;
    lines.push({
      how,
      name,
      words: more(t("coverage.pages", { units: plural(pages.length, unit), pages: formatPages(pages) })),
    });
  };
  add("text", t("coverage.text"), text);
  const numbers = (found: Coverage["ocr"]) => found.map(({ page }) => page);
  const confident = ocr.filter(({ confidence }) => confidence >= SURE);
  const doubtful = ocr.filter(({ confidence }) => confidence < SURE);
  add("ocr", t("coverage.ocr"), numbers(confident), confidenceWords(confident));
  add("unsure", t("coverage.unsure"), numbers(doubtful), confidenceWords(doubtful));
  add("empty", t("coverage.empty"), empty);
  for (const reason of new Set(failed.map((page) => page.reason))) {
    const pages = failed.filter((page) => page.reason === reason).map(({ page }) => page);
    add("failed", t("coverage.failed"), pages, (words) =>
      t("coverage.because", { pages: words, reason: translated(reason) }),
    );
  }
  return lines;
}

function confidenceWords(ocr: Coverage["ocr"]): (words: string) => string {
  const found = ocr.map(({ confidence }) => confidence);
  const least = formatFraction(Math.min(...found));
  const most = formatFraction(Math.max(...found));
  const confidence = least === most ? least : t("coverage.range", { least, most });
  return (words) => t("coverage.confidence", { pages: words, confidence });
}

/** What is said of a stretch of pages: "read", "recognised, confidence 91 %", "not read: it is damaged". */
export function stretchWords({ how, from }: Stretch, { ocr, failed }: Coverage): string {
  if (how === "text") return t("coverage.stretchText");
  if (how === "empty") return t("coverage.stretchEmpty");
  if (how === "failed") {
    const reason = failed.find(({ page }) => page === from)?.reason ?? "";
    return t("coverage.stretchFailed", { reason: translated(reason) });
  }
  const confidence = formatFraction(ocr.find(({ page }) => page === from)?.confidence ?? 0);
  return t("coverage.stretchOcr", { confidence });
}

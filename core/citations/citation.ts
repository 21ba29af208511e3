import * as z from "zod";
import { type CitablePage, cite } from "./cite.js";

const count = z.number().int().nonnegative();

/**
 * A sentence of the answer and the pages that support it; `start` and `end` index UTF-16 units of the answer's text,
 * `end` exclusive. A sentence that several documents support has a citation for each of them.
 */
export const citationSchema = z.object({
  start: count,
  end: count,
  /** Numbers (1-based), ascending; none when no page supports the sentence. */
  pages: z.array(count),
  /** For each of those pages the words on it that support the sentence. */
  passages: z.array(z.string()).optional(),
  /** How much of the sentence the document covers, 0..1, whether or not that is enough. */
  score: z.number().min(0).max(1).optional(),
  /** Which of the result's `furtherDocuments`, from 1; undefined: its `document`. */
  document: count.optional(),
});
export type Citation = z.infer<typeof citationSchema>;

interface DocumentPages {
  readonly pages: readonly (CitablePage & { readonly number: number })[];
}

/**
 * The sentences of `text`, an answer that was written from these documents, each with the pages that support it. What
 * only announces a list and has no support is left out.
 */
export function citationsOf(text: string, documents: readonly DocumentPages[]): Citation[] {
  const all = documents.flatMap(({ pages }, document) => pages.map(({ number, text }) => ({ document, number, text })));
  return cite(text, all).flatMap(({ start, end, supports, score }) => {
    const cited = new Set(supports.map(({ page }) => page.document));
    const sentence = { start, end, score: Math.min(1, score) };
    // "The main points are:" only announces what follows
    if (cited.size === 0 && /[:：]$/.test(text.slice(start, end))) return [];
    if (cited.size === 0) return [{ ...sentence, pages: [], passages: [] }];
    return [...cited].map((document) => {
      const own = supports.filter(({ page }) => page.document === document);
      const pages = own.map(({ page }) => page.number);
      const passages = own.map(({ page, ...place }) => passageAround(page.text, place.start, place.end));
      return { ...sentence, pages, passages, ...(document > 0 ? { document } : {}) };
    });
  });
}

/** Characters that a passage may grow by on either side to begin and end with a sentence. */
const REACH = 240;
const sentences = new Intl.Segmenter(undefined, { granularity: "sentence" });

/** The words from `start` to `end`, begun and ended as their sentences are, on one line. */
function passageAround(text: string, start: number, end: number): string {
  const paragraph = text.lastIndexOf("\n", start - 1) + 1;
  const next = text.indexOf("\n", end);
  const from = Math.max(paragraph, start - REACH);
  const to = Math.min(next < 0 ? text.length : next, end + REACH);
  const whole = [...sentences.segment(text.slice(from, to))].filter(
    ({ segment, index }) => from + index < end && from + index + segment.length > start,
  );
  return whole
    .map(({ segment }) => segment)
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

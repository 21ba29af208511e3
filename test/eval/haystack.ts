/** Long documents with sentences hidden in them, after RULER (arXiv 2404.06654), from our own words. */
import { sampleReport } from "./documents.js";
import type { Random } from "./random.js";

/** Running text alone: headings, tables and lists would show where a sentence does not belong. */
const paragraphs = sampleReport.split(/\n{2,}/).filter((part) => /^[\p{L}"“]/u.test(part) && part.length > 120);

/**
 * Paragraphs of the sample report from a random one on, over again where they do not suffice, with each sentence as a
 * paragraph of its own at its depth (0 is the start, 1 the end).
 * @param measure tokens of a text
 * @param tokens of the whole document, about
 */
export function haystack(
  random: Random,
  measure: (text: string) => number,
  tokens: number,
  hidden: readonly { readonly sentence: string; readonly depth: number }[],
): string {
  let left = tokens - hidden.reduce((sum, { sentence }) => sum + measure(sentence) + 1, 0);
  const chosen: string[] = [];
  for (let i = random.whole(0, paragraphs.length - 1); left > 0; i++) {
    const paragraph = paragraphs[i % paragraphs.length] as string;
    left -= measure(paragraph) + 1;
    if (left > 0 || chosen.length === 0) chosen.push(paragraph);
  }
  const count = chosen.length;
  // from the last to the first, so that an index stays true
  for (const { sentence, depth } of hidden.toSorted((a, b) => b.depth - a.depth)) {
    chosen.splice(Math.round(depth * count), 0, sentence);
  }
  return chosen.join("\n\n");
}

/** Depths that fill 0 to 1 evenly however many are taken (steps of the golden ratio). */
export function depth(index: number): number {
  return (0.5 + index * 0.618033988749895) % 1;
}

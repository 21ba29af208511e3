/** Counts what citations get right, against the labels. */
import { cite } from "../../../core/citations/cite.js";
import type { LabelledSentence, LabelledSummary } from "./labelled.js";

export interface Counts {
  sentences: number;
  /** Pages cited, and those of them that the labels allow. */
  cited: number;
  right: number;
  /** Pages (or groups of pages, of which one is enough) that support a sentence, and those of them that were cited. */
  supporting: number;
  found: number;
  /** Sentences without support, those marked so, and those marked so rightly. */
  unsupported: number;
  marked: number;
  markedRightly: number;
}

const none = (): Counts => ({
  sentences: 0,
  cited: 0,
  right: 0,
  supporting: 0,
  found: 0,
  unsupported: 0,
  marked: 0,
  markedRightly: 0,
});

function count(counts: Counts, { groups }: LabelledSentence, cited: ReadonlySet<number>): void {
  const right = [...cited].filter((page) => groups.flat().includes(page)).length;
  counts.sentences++;
  counts.cited += cited.size;
  counts.right += right;
  counts.supporting += groups.length;
  counts.found += groups.filter((group) => group.some((page) => cited.has(page))).length;
  if (groups.length === 0) counts.unsupported++;
  if (cited.size === 0) counts.marked++;
  if (groups.length === 0 && cited.size === 0) counts.markedRightly++;
}

/** @param onMistake takes a line about each sentence that was cited wrongly */
function measure(summary: LabelledSummary, onMistake?: (line: string) => void): Counts {
  const counts = none();
  const citations = cite(summary.text, summary.pages);
  for (const sentence of summary.sentences) {
    // what the labels count as one sentence may be cited in several
    const own = citations.filter(({ start, end }) => start < sentence.end && end > sentence.start);
    const cited = new Set(own.flatMap(({ supports }) => supports.map(({ page }) => page.number)));
    count(counts, sentence, cited);
    const wrong = [...cited].some((page) => !sentence.groups.flat().includes(page));
    const missing = sentence.groups.some((group) => !group.some((page) => cited.has(page)));
    if (onMistake && (wrong || missing)) {
      const labels = sentence.groups.map((group) => group.join("/")).join(" ");
      const scores = own.map(({ score }) => score.toFixed(2)).join(" ");
      const words = summary.text.slice(sentence.start, sentence.end);
      onMistake(`${summary.name} [${labels}] cited [${[...cited].join(" ")}] ${scores} ${words}`);
    }
  }
  return counts;
}

/** The counts of all these summaries together. */
export function measured(summaries: readonly LabelledSummary[], onMistake?: (line: string) => void): Counts {
  const total = none();
  for (const summary of summaries) {
    const counts = measure(summary, onMistake);
    for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
  }
  return total;
}

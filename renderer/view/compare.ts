/** Two runs of a document side by side: what was chosen, what it took, and which words differ. */
import { diffWordsWithSpace } from "diff";
import type { StoredRun } from "../../electron/contract.js";
import { formatBytes, formatCount, formatDuration, formatPages } from "./format.js";

export interface Piece {
  readonly text: string;
  /** Whether only this side has it. */
  readonly own: boolean;
}

/** Words are told apart as the language does that has no spaces between them, too. */
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** Both texts in pieces, whole: joined, they are what they were. */
export function difference(left: string, right: string): { left: Piece[]; right: Piece[] } {
  const changes = diffWordsWithSpace(left, right, { intlSegmenter: segmenter });
  const side = (without: "added" | "removed", own: "added" | "removed") =>
    changes.filter((change) => !change[without]).map((change) => ({ text: change.value, own: change[own] }));
  return { left: side("added", "removed"), right: side("removed", "added") };
}

const dates = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });
export const formatMoment = (milliseconds: number): string => dates.format(milliseconds);

/** What tells a run from another, as rows of a table. */
export function runRows({ started, ended, options, result }: StoredRun): readonly (readonly [string, string])[] {
  const { budget, document, kv, model, text } = result;
  return [
    ["Finished", formatMoment(ended)],
    ["Memory", `${options.budget} of the full cache, ${formatBytes(kv.retainedBytes)}`],
    ["Each layer kept", `${formatCount(budget.tokensPerLayer)} tokens`],
    ["Policy", options.policy],
    ["Model", model.id],
    ["Length", options.length],
    ["Language", options.language ?? "the document’s"],
    ["Read", `${document.coverage.unit} ${formatPages(document.pagesRead)}`],
    ["Took", formatDuration(ended - started)],
    ["Words", formatCount([...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length)],
  ];
}

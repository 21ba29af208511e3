/** The memory slider's arithmetic. Shares are percent of the document's full KV cache. */
import { type DocumentSummary, type ModelSummary, planRun, type RunOptions } from "../../electron/contract.js";

export interface Stop {
  readonly share: number;
  readonly words: string;
}

/** The places that the handle snaps to lightly. */
export const stops: readonly Stop[] = [
  { share: 1.7, words: "least" },
  { share: 6.9, words: "small" },
  { share: 25, words: "usual" },
  { share: 50, words: "large" },
  { share: 100, words: "everything" },
];

export const leastShare = 1;
/** Steps of the slider from the least share to 100 %. */
export const sliderSteps = 1000;

export const roundShare = (share: number): number => Math.round(Math.min(100, Math.max(leastShare, share)) * 10) / 10;

/** Where a share stands, 0..sliderSteps. The scale is logarithmic: between 2 and 7 % there is as much to choose as between 25 and 90. */
export const positionOf = (share: number): number =>
  (sliderSteps * Math.log(share / leastShare)) / Math.log(100 / leastShare);

export const shareAt = (position: number): number =>
  roundShare(leastShare * (100 / leastShare) ** (position / sliderSteps));

/** The share at a dragged handle: a stop when it is within `reach` steps of one. */
export function snappedShare(position: number, reach = 14): number {
  const near = stops.find((stop) => Math.abs(positionOf(stop.share) - position) <= reach);
  return near ? near.share : shareAt(position);
}

/** The share one keyboard step up or down: fine steps do not snap, or the handle could never leave a stop. */
export function steppedShare(share: number, direction: 1 | -1): number {
  // The step of the stretch that is entered, so that a step down takes back a step up.
  const towards = share + direction * 0.05;
  const step = towards < 10 ? 0.1 : towards < 25 ? 0.5 : 1;
  return roundShare(share + direction * step);
}

/** The next stop above or below. */
export function nextStop(share: number, direction: 1 | -1): number {
  const ordered = direction === 1 ? stops : [...stops].reverse();
  const found = ordered.find((stop) => (stop.share - share) * direction > 0.05);
  return found?.share ?? (direction === 1 ? 100 : leastShare);
}

/** The words that stand by a share: a stop's own. */
export const wordsAt = (share: number): string | undefined => stops.find((stop) => stop.share === share)?.words;

/** What depends on the slider; of a document that is read in parts, what holds for a full part. */
export interface Figures {
  /** Of the whole prompt: the document or the part, the template and the instruction. */
  readonly promptTokens: number;
  /** The fewest parts that the document is read in: 1 when the model reads it whole. */
  readonly parts: number;
  readonly fullBytes: number;
  readonly bytes: number;
  readonly tokensPerLayer: number;
  /** The most that attention holds at any moment of the run. */
  readonly peakBytes: number;
}

/** Every figure that depends on the slider, from the document's real token count and the model's real shape. */
export function budgetFigures(
  model: ModelSummary,
  document: DocumentSummary,
  share: number,
  policy: RunOptions["policy"],
): Figures {
  const promptTokens = longestPrompt(model, document);
  const lengths = { tokens: promptTokens, headTokens: 0, windowTokens: 0 };
  const options = { budget: `${policy === "full" ? 100 : share}%`, policy };
  const { budget, estimate } = planRun(model, lengths, document.answerTokens, options);
  return {
    promptTokens,
    parts: leastParts(model, document),
    fullBytes: estimate.fullKvBytes,
    bytes: budget.bytes,
    tokensPerLayer: budget.tokensPerLayer,
    peakBytes: estimate.peakKvBytes,
  };
}

/** Tokens of a document's prompt, or of the longest that the model reads in one go. */
function longestPrompt(model: ModelSummary, document: DocumentSummary): number {
  return Math.min(document.tokens + document.promptTokens, model.contextLength);
}

/** The fewest parts that a document is read in: 1 when it may be read whole. How many there are, the run says first. */
export function leastParts(model: ModelSummary, document: DocumentSummary): number {
  const room = Math.max(1, model.contextLength - document.promptTokens);
  return Math.max(1, Math.ceil(document.tokens / room));
}

/**
 * The share below which the instruction alone would fill the budget; the slider hatches what lies under it. An upper
 * bound by a few tokens, since the instruction's exact length is known only when the run begins.
 */
export function smallestUsefulShare(model: ModelSummary, document: DocumentSummary): number {
  return (100 * (document.promptTokens + 1)) / longestPrompt(model, document);
}

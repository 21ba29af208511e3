/** The memory slider's arithmetic. Shares are percent of the document's full KV cache. */

import follow from "../../docs/eval/follow.json" with { type: "json" };
import measured from "../../docs/eval/slider.json" with { type: "json" };
import type { DocumentSummary, Machine, ModelSummary, RunOptions } from "../../electron/contract.js";
import { defaultKvType, type KvType, largestShare, planRun } from "../../electron/core.js";
import { type Key, t } from "../../electron/language.js";
import { formatPercent } from "./format.js";

/** A place that the handle snaps to lightly: a budget that was measured, or the whole cache. */
export interface Stop {
  readonly share: number;
  /** The least budget with the best words of all that were measured. */
  readonly recommended: boolean;
}

const shareOf = (budget: string): number => Number.parseFloat(budget);

/**
 * From the least share up. The budgets are those that the evaluation has figures of (docs/eval/policies.md), with entries
 * stored as they are when nobody says.
 */
export const stops: readonly Stop[] = [
  ...measured.stops
    .filter(({ kvType }) => kvType === measured.kvType)
    .map(({ budget }) => ({ share: shareOf(budget), recommended: budget === measured.recommended })),
  { share: 100, recommended: false },
].sort((one, other) => one.share - other.share);

const measuredStop = (share: number, type: KvType) =>
  measured.stops.find(({ budget, kvType }) => shareOf(budget) === share && kvType === type);

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

/** In the table of docs/eval/follow.md, how often a word is the full cache's first choice: a share in percent. */
const agreementOf = (row: string): number =>
  Number.parseFloat(follow.distribution.rows.find(([kept]) => kept === row)?.[2] ?? "");

/** By what the whole cache on disk does for the answer; where it does not check it, with a quarter kept. */
export const agreements = {
  checked: agreementOf("checked, any budget"),
  draft: agreementOf("25% draft"),
  off: agreementOf("25% off"),
} as const;

const storedAgreement = (type: KvType): string => {
  const stop = measuredStop(25, type);
  return stop ? formatPercent(Math.round(100 * stop.agreement)) : "–";
};

/** How often a word is the full cache's first choice with a quarter kept, by how entries are stored. */
export const storedAgreements = {
  f16: storedAgreement("f16"),
  q8: storedAgreement("q8_0"),
  q4: storedAgreement("q4_0"),
} as const;

/** What to expect of a summary, as far as that was measured. */
export interface Quality {
  readonly words: string;
  /** The figures that the words stand on; undefined where there are none. */
  readonly figures?: string;
}

/**
 * What to expect with a budget: where the whole cache checks the answer, what that would write. Otherwise the evidence's
 * words, which hold for what was measured and nothing else: one policy, the ways of storing entries and the budgets of
 * the table.
 */
export function qualityOf(share: number, options: Pick<RunOptions, "policy" | "kvType">, checked = false): Quality {
  if (checked) {
    const agreement = formatPercent(agreements.checked);
    return { words: t("memory.asFull"), figures: t("memory.measuredChecked", { agreement }) };
  }
  const all = share === 100 || options.policy === "full";
  const kvType = options.kvType ?? defaultKvType(all, "off");
  if (all && kvType === "f16") return { words: t("memory.nothingLost") };
  const found = measuredStop(share, kvType);
  if (!found || options.policy !== measured.policy) return { words: t("memory.notMeasured") };
  const { words, agreement, needles, documents, questions } = found;
  return {
    // the words themselves are the keys: test/renderer/budget.test.ts holds that there are such keys
    words: t(`quality.${words}` as Key),
    figures: t("memory.measured", {
      agreement: formatPercent(Math.round(100 * agreement)),
      needles: formatPercent(Math.round(100 * needles)),
      documents,
      questions,
    }),
  };
}

/** What of a run's options decides its memory. */
export type MemoryOptions = Pick<RunOptions, "budget" | "policy" | "kvType" | "groupLayers" | "reading" | "reaim">;

/** What depends on the slider; of a document that is read in parts, what holds for a full part. */
export interface Figures {
  /** Of the whole prompt: the document or the part, the template and the instruction. */
  readonly promptTokens: number;
  /** The fewest parts that the document is read in: 1 when the model reads it whole. */
  readonly parts: number;
  readonly fullBytes: number;
  readonly bytes: number;
  readonly tokensPerLayer: number;
  /** What the run takes of the computer's memory at its worst moment. */
  readonly memory: Taken;
  /** And of the GPU's. */
  readonly gpuBytes: number;
  /** Whether the whole cache writes or checks the answer; it takes so much of the disk meanwhile, with room for a question. */
  readonly checked: boolean;
  readonly diskBytes: number;
}

/** Bytes of memory, by what takes them. */
export interface Taken {
  readonly weights: number;
  /** Buffers, and the program itself. */
  readonly computing: number;
  /** All that is held for attention at the most. */
  readonly reading: number;
  readonly total: number;
}

/** Every figure that depends on the slider, from the document's real token count and the model's real shape. */
export function budgetFigures(model: ModelSummary, document: DocumentSummary, options: MemoryOptions): Figures {
  const lengths = longestPrompt(model, document);
  const { budget, estimate, reaim } = planRun(model, lengths, document.answerTokens, options);
  return {
    promptTokens: lengths.tokens,
    parts: leastParts(model, document),
    fullBytes: estimate.fullKvBytes,
    bytes: budget.bytes,
    tokensPerLayer: budget.tokensPerLayer,
    memory: taken(model, estimate),
    gpuBytes: estimate.devices.gpu,
    checked: reaim === "checked",
    diskBytes: estimate.diskBytes,
  };
}

/** Layers on the GPU, and what belongs to them, take nothing of the computer's memory. */
function taken(model: ModelSummary, estimate: ReturnType<typeof planRun>["estimate"]): Taken {
  const { devices, weightsBytes, peakKvBytes, hiddenBytes } = estimate;
  const rest = 1 - Math.min(1, model.gpuLayers / (model.layers + 1));
  const weights = rest * weightsBytes;
  // hidden states lie where the first layer does
  const reading = rest * (peakKvBytes - hiddenBytes) + (rest > 0 ? hiddenBytes : 0);
  return { weights, reading, computing: devices.memory - weights - reading, total: devices.memory };
}

/** A document's prompt, or the longest that the model reads in one go. */
function longestPrompt(model: ModelSummary, document: DocumentSummary) {
  const tokens = Math.min(document.tokens + document.promptTokens, model.contextLength);
  return { tokens, headTokens: 0, windowTokens: 0 };
}

/** The fewest parts that a document is read in: 1 when it may be read whole. How many there are, the forecast says. */
export function leastParts(model: ModelSummary, document: DocumentSummary): number {
  const room = Math.max(1, model.contextLength - document.promptTokens);
  return Math.max(1, Math.ceil(document.tokens / room));
}

/** The shares that a document can be read with in one go; the slider hatches what lies outside. */
export interface Reach {
  /** Below it the instruction alone would fill the budget. */
  readonly least: number;
  /** Above it the run takes more than the memory that is free; undefined when it does at every share. */
  readonly most: number | undefined;
}

/**
 * @param availableBytes memory that programs can still take; undefined while that is not known
 */
export function reachOf(
  model: ModelSummary,
  document: DocumentSummary,
  options: MemoryOptions,
  availableBytes: number | undefined,
): Reach {
  const lengths = longestPrompt(model, document);
  const { answerTokens } = document;
  const all = planRun(model, lengths, answerTokens, { ...options, budget: `${lengths.tokens}` });
  // An upper bound by a few tokens: the instruction's exact length is known only when the run begins.
  const least = (100 * (all.budget.bytes / all.estimate.fullKvBytes) * (document.promptTokens + 1)) / lengths.tokens;
  const most = availableBytes === undefined ? 100 : largestShare(model, lengths, answerTokens, options, availableBytes);
  return { least: Math.ceil(least * 10) / 10, most };
}

/** The nearest share that can be read in one go; undefined when there is none. */
export function nearestWithin(share: number, { least, most }: Reach): number | undefined {
  return most === undefined || most < least ? undefined : Math.min(most, Math.max(least, share));
}

/** What to try where memory ran out: the most that fits, or the next stop below; undefined at the least there is. */
export function lesserShare(share: number, reach: Reach | undefined): number | undefined {
  const fits = reach && nearestWithin(share, reach);
  const less = fits !== undefined && fits < share ? fits : nextStop(share, -1);
  return less < share ? less : undefined;
}

/** One stretch of the memory bar; `over` is what there is not. */
export interface Stretch {
  readonly kind: "system" | "weights" | "computing" | "reading" | "free" | "over";
  readonly bytes: number;
  /** Of these, what the bar, which is as long as the computer has memory, has room for. */
  readonly drawn: number;
}

/** The computer's memory at the run's worst moment, from one end to the other. */
export function memoryStretches({ weights, computing, reading, total }: Taken, machine: Machine): Stretch[] {
  const { totalBytes, availableBytes } = machine;
  const over = Math.max(0, total - availableBytes);
  const stretches: Pick<Stretch, "kind" | "bytes">[] = [
    { kind: "system", bytes: totalBytes - availableBytes },
    { kind: "weights", bytes: weights },
    { kind: "computing", bytes: computing },
    { kind: "reading", bytes: reading },
  ];
  let room = totalBytes;
  const drawn = stretches.map(({ kind, bytes }) => {
    const inside = Math.max(0, Math.min(bytes, room));
    room -= inside;
    return { kind, bytes, drawn: inside };
  });
  return [...drawn, over > 0 ? { kind: "over", bytes: over, drawn: over } : { kind: "free", bytes: room, drawn: room }];
}

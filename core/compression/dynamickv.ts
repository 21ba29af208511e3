import { apportion, countMarks } from "./budget.js";
import { cakeDefaults, preference } from "./cake.js";
import { cascading } from "./cascading.js";
import { expectedScores } from "./expected-attention.js";
import type { GroupReduction, LayerScores, Policy, PolicyRun, Pooling, ReadingShape } from "./policy.js";
import { checkPooling } from "./pooling.js";
import {
  type HeadHolding,
  heldEntries,
  observed,
  openHeads,
  type Reading,
  shareOut,
  startReading,
  sumOf,
} from "./reading.js";
import { atOrAbove, type Cut, cutOrAll } from "./select.js";
import { withDefaults } from "./settings.js";

export interface DynamicKvSettings {
  readonly reduction: GroupReduction;
  readonly pooling: Pooling;
  /**
   * The paper's m: after every so many layers, the layers read so far are cut to their part of the budget. Undefined:
   * after every layer they are cut to what the whole budget can spare.
   */
  readonly groupLayers: number | undefined;
  /**
   * What a layer's budget follows. "marks", as in the paper: how many of the best scores of all layers are the layer's.
   * "spread", as in CAKE (arXiv 2503.12491): how widely its attention is spread, times how much it shifts from query to query.
   */
  readonly shares: "marks" | "spread";
  /** The paper's r_max, at least 1: no layer ever holds more than this many times the uniform share. */
  readonly maxRatio: number;
  /** Share of the uniform budget (0 to 1) that no layer falls below; the paper has none, and starves layers. */
  readonly floor: number;
  /** Whether a score counts in proportion to the length of the value that is found there; the paper's do not. */
  readonly valueNorms: boolean;
  /**
   * Not negative: how much counts, beside what the window looks at, what later queries can be expected to look at
   * (Expected Attention, arXiv 2510.00636): a KV head's sum of the one over that of the other. The paper has only the window.
   */
  readonly expected: number;
  /**
   * Share of an even split (0 to 1) that no KV head of a layer falls below, as in Ada-KV (arXiv 2407.11550). 1, as in the
   * paper: a layer's heads keep equally many, which alone lets attention run over all of them in one call.
   */
  readonly headFloor: number;
}

/**
 * Chosen on the tuning split (docs/eval/README.md). The paper's kernel of 7 keeps the first digits of a number and drops the
 * rest on small models; 31 and the maximum over a KV head's query group keep whole spans, and a position's own score among
 * them what drew attention alone. Marks of the window's scores are worth no more than even shares; spread and shift are. What
 * the instruction looks at finds facts, and what can be expected of later queries keeps a summary going.
 */
export const dynamicKvDefaults: DynamicKvSettings = {
  reduction: "max",
  pooling: { kind: "average", kernel: 31, own: 0.5 },
  groupLayers: undefined,
  shares: "spread",
  maxRatio: 10,
  floor: 0,
  valueNorms: true,
  expected: 0.3,
  headFloor: 1,
};

/**
 * Of the policy once the answer's own queries are known: what they look at counts by itself, not for its surroundings, nothing
 * needs to be expected, and a layer's share is what its scores deserve.
 */
export const aimedSettings = {
  pooling: { kind: "none", kernel: 1 },
  shares: "marks",
  floor: 0.2,
  valueNorms: false,
  expected: 0,
} as const satisfies Partial<DynamicKvSettings>;

/** Of the policy where neither attention's shift nor the document's queries are known: layers share by marks, none starves. */
export const recalledSettings = {
  shares: "marks",
  floor: 0.5,
  expected: 0,
} as const satisfies Partial<DynamicKvSettings>;

/** The paper's settings (section 4.1), averaging as it does for Llama; its window of 8 is the reading's to choose. */
export const dynamicKvPaperDefaults: DynamicKvSettings = {
  reduction: "mean",
  pooling: { kind: "average", kernel: 7 },
  groupLayers: 4,
  shares: "marks",
  maxRatio: 10,
  floor: 0,
  valueNorms: false,
  expected: 0,
  headFloor: 1,
};

/**
 * DynamicKV (arXiv 2412.14838, Algorithm 1): how much each layer keeps is found while reading, from attention itself.
 *
 * Let B be the open budget (without window and protected positions) per KV head, base = B / layers its uniform share.
 * - A layer just read, scores f32 [kvHeads x before] -> pooled over the open positions, keeps the maxRatio x base best
 *   of each KV head.
 * - Of all scores of the n layers read so far, heads together, the best are marked, and each layer's budget is its
 *   floor and, of what the floors leave, its share of the marks (or of all layers' spread and shift: `shares`). Scores
 *   of dropped positions still count, as in the published code, but only while they are among the best B x kvHeads:
 *   others can never be marked.
 *
 * The paper cuts after every m layers, to base x n entries with as many marks: until then m layers hold up to
 * maxRatio x base each, and the first layers share what only n layers are due, however much more they deserve. Here
 * (`groupLayers` undefined) layers are cut after each one, to B less the floors of the layers to come, with B x kvHeads
 * marks. That never holds more than the end state does. It also ends where knowing all layers at once would: marks are
 * a running best of fixed size, in which a layer only ever loses, so no layer is cut below its final budget (but for
 * rounding, and for layers that maxRatio caps).
 *
 * Unlike the published code: scores and retention are per KV head; the last, incomplete group is cut too; each layer
 * has a floor; the sum is exact each time.
 * @throws RangeError for settings outside their range
 */
export function dynamickv(settings: Partial<DynamicKvSettings> = {}): Policy {
  const variant = (change: Partial<DynamicKvSettings>) =>
    create("dynamickv", dynamicKvDefaults, { ...settings, ...change });
  return { ...variant({}), aimed: variant(aimedSettings), recalled: variant(recalledSettings) };
}

/** DynamicKV as published, for comparison: `dynamickv` with the paper's settings and pace. */
export function dynamickvPaper(settings: Partial<DynamicKvSettings> = {}): Policy {
  return create("dynamickv-paper", dynamicKvPaperDefaults, settings);
}

function create(name: string, defaults: DynamicKvSettings, settings: Partial<DynamicKvSettings>): Policy {
  const checked = withDefaults(name, defaults, settings);
  const { groupLayers, shares, maxRatio, floor, expected, headFloor } = checked;
  checkPooling(checked.pooling);
  if (groupLayers !== undefined && (!Number.isInteger(groupLayers) || groupLayers < 1)) {
    throw new RangeError(`groupLayers is a whole number from 1 on, not ${groupLayers}`);
  }
  if (!(maxRatio >= 1)) throw new RangeError(`maxRatio is at least 1, not ${maxRatio}`);
  if (!(floor >= 0 && floor <= 1)) throw new RangeError(`floor is from 0 to 1, not ${floor}`);
  if (!(expected >= 0)) throw new RangeError(`expected is not negative, not ${expected}`);
  if (!(headFloor >= 0 && headFloor <= 1)) throw new RangeError(`headFloor is from 0 to 1, not ${headFloor}`);
  return {
    name,
    reduction: checked.reduction,
    needs: [
      ...(checked.valueNorms ? (["valueNorms"] as const) : []),
      ...(shares === "spread" ? (["variances"] as const) : []),
      ...(expected > 0 ? (["expectedLogits"] as const) : []),
    ],
    keepsAll: false,
    heldEntries(shape) {
      const reading = startReading(shape);
      return heldEntries(reading, pace(reading, checked).heldAfter);
    },
    begin: (shape) => begin(shape, checked),
  };
}

/** Open positions per KV head: the most and the least for one layer, and what `read` layers hold together. */
function pace({ layers, open, openBudget }: Reading, { groupLayers, maxRatio, floor }: DynamicKvSettings) {
  const base = openBudget / layers;
  const most = Math.min(open.length, Math.ceil(maxRatio * base));
  const least = Math.floor(floor * base);
  const heldAfter = (read: number): number => {
    if (groupLayers === undefined) return Math.min(read * most, openBudget - (layers - read) * least);
    const waiting = read === layers ? 0 : read % groupLayers;
    return Math.floor((openBudget * (read - waiting)) / layers) + waiting * most;
  };
  return { most, least, heldAfter };
}

function begin(shape: ReadingShape, settings: DynamicKvSettings): PolicyRun {
  const reading = startReading(shape);
  const { kvHeads, openBudget } = reading;
  const { most, least, heldAfter } = pace(reading, settings);
  /** Of each layer read: how widely its attention is spread and how much it shifts. */
  const preferences: number[] = [];
  /** Scores that may still be marked, by layer and head; positions that had them may be gone. */
  let contenders: Contenders = { rows: [], count: openBudget * kvHeads, cut: undefined };

  return cascading(reading, {
    most,
    hold(ofLayer, scores) {
      const seen = openHeads(ofLayer, settings.valueNorms ? byValue(ofLayer, scores) : scores, settings.pooling);
      const heads = withExpected(ofLayer, scores, seen, settings.expected);
      if (settings.shares === "spread") {
        preferences.push(spreadOf(ofLayer, scores));
      } else {
        contenders = withLayer(
          contenders,
          heads.map((head) => head.scores),
        );
      }
      return heads;
    },
    budgets(held) {
      const total = heldAfter(held.length);
      if (held.reduce((sum, size) => sum + size, 0) <= total) return held;
      const floors = held.map((size) => Math.min(least, size));
      if (settings.shares === "spread") return apportion(total, preferences, floors, held);
      const { rows, count, cut } = contenders;
      const wanted = settings.groupLayers === undefined ? count : total * kvHeads;
      const marks = countMarks(rows, wanted, wanted === count ? cut : cutOrAll(rows.flat(), wanted));
      return apportion(total, marks, floors, held);
    },
    cut: (heads, count) => shareOut(heads, count, settings.headFloor),
  });
}

/** CAKE's preference, with the entropy of each KV head's scores instead of every query's: one logarithm for all queries. */
function spreadOf({ kvHeads, before }: Reading, layer: LayerScores): number {
  const variances = observed(layer, "variances", kvHeads * before, 1).values;
  let entropy = 0;
  for (let head = 0; head < kvHeads; head++) {
    entropy += entropyOf(layer.scores.subarray(head * before, (head + 1) * before));
  }
  return preference({ ...layer, entropy }, variances, cakeDefaults);
}

/** Of scores as shares of their sum, in nats; 0 when nothing is scored. */
function entropyOf(scores: Float32Array): number {
  let sum = 0;
  let logs = 0;
  for (const score of scores) {
    if (!(score > 0)) continue;
    sum += score;
    logs += score * Math.log(score);
  }
  return sum > 0 ? Math.log(sum) - logs / sum : 0;
}

/** A layer's heads, their scores with those expected of later queries, which stand for themselves and are not pooled. */
function withExpected(reading: Reading, layer: LayerScores, heads: HeadHolding[], weight: number): HeadHolding[] {
  if (weight === 0) return heads;
  const expected = { layer: layer.layer, scores: expectedScores(reading, layer, 0) };
  const later = openHeads(reading, expected, { kind: "none", kernel: 1 });
  return heads.map(({ positions, scores }, head) => {
    const other = (later[head] as HeadHolding).scores;
    const sum = sumOf(other);
    const factor = sum > 0 ? (weight * sumOf(scores)) / sum : 0;
    const both = new Float32Array(scores.length);
    for (let i = 0; i < both.length; i++) both[i] = (scores[i] as number) + factor * (other[i] as number);
    return { positions, scores: both };
  });
}

/**
 * Scores times the length of each position's value. The lengths are taken relative to the layer's mean, because scores
 * of all layers are compared and values are longer in some layers than in others.
 */
function byValue({ kvHeads, before, open }: Reading, layer: LayerScores): LayerScores {
  const { values: norms } = observed(layer, "valueNorms", kvHeads * before, 1);
  let sum = 0;
  let count = 0;
  for (let head = 0; head < kvHeads; head++) {
    for (const position of open) {
      const norm = norms[head * before + position] as number;
      if (!Number.isFinite(norm)) continue;
      sum += norm;
      count++;
    }
  }
  const mean = sum > 0 ? sum / count : 1;
  const scores = new Float32Array(layer.scores.length);
  for (let i = 0; i < scores.length; i++) scores[i] = ((layer.scores[i] as number) * (norms[i] as number)) / mean;
  return { ...layer, scores };
}

/** The best scores of all layers and heads read so far. */
interface Contenders {
  /** By layer and head; those above the cut and on it. */
  readonly rows: readonly (readonly Float32Array[])[];
  /** How many are wanted. */
  readonly count: number;
  /** Where the best `count` end; undefined: there are no more than that. */
  readonly cut: Cut | undefined;
}

function withLayer({ rows, count, cut: last }: Contenders, layer: readonly Float32Array[]): Contenders {
  const above = (heads: readonly Float32Array[], cut: Cut | undefined) =>
    cut ? heads.map((row) => atOrAbove(row, cut)) : heads;
  if (count === 0) return { rows: [...rows, layer.map(() => new Float32Array(0))], count, cut: undefined };
  // the cut only ever rises
  const all = [...rows, above(layer, last)];
  const cut = cutOrAll(all.flat(), count);
  return { rows: all.map((heads) => above(heads, cut)), count, cut };
}

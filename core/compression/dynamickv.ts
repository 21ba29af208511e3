import { apportion } from "./budget.js";
import type {
  GroupReduction,
  LayerRetention,
  LayerScores,
  Policy,
  PolicyRun,
  Pooling,
  ReadingShape,
} from "./policy.js";
import { checkPooling } from "./pooling.js";
import { bestOpen, checkOrder, type HeadHolding, shrink, startReading, withProtected } from "./reading.js";
import { countAgainst, cutAt } from "./select.js";
import { withDefaults } from "./settings.js";

export interface DynamicKvSettings {
  readonly reduction: GroupReduction;
  readonly pooling: Pooling;
  /** The paper's m: layers after which all layers read so far are re-balanced. */
  readonly groupLayers: number;
  /** The paper's r_max, at least 1: a layer just read may hold this many times the uniform share until then. */
  readonly maxRatio: number;
  /** Share of the uniform budget (0 to 1) that no layer falls below; the paper has none, and starves layers. */
  readonly floor: number;
}

/**
 * groupLayers and maxRatio are the paper's m and r_max. Its kernel of 7 keeps the first digits of a number and drops
 * the rest on small models; 15 and the maximum over a KV head's query group keep whole spans.
 */
export const dynamicKvDefaults: DynamicKvSettings = {
  reduction: "max",
  pooling: { kind: "average", kernel: 15 },
  groupLayers: 4,
  maxRatio: 10,
  floor: 0.2,
};

/**
 * DynamicKV (arXiv 2412.14838, Algorithm 1): how much each layer keeps is found while reading, from attention itself.
 *
 * Let base be the uniform share of the open budget (budget without window and protected positions, per layer).
 * - A layer just read, scores f32 [kvHeads x before], keeps the maxRatio x base best open positions of each KV head.
 * - After every `groupLayers` layers, and after the last one, the n layers read so far are cut to base x n positions:
 *   of all their scores, heads together, the base x n x kvHeads best are marked, and each layer's part is as large as
 *   its share of the marks.
 *
 * Unlike the published code: scores and retention are per KV head; the last, incomplete group is re-balanced too; each
 * layer has a floor; the sum is exact each time. It can be, because the n layers read before hold exactly their
 * rounded-down base x n and each new one at least base, so what they hold together never falls short of the new total.
 *
 * The outcome does not depend on how many layers one call brings.
 * @throws RangeError for settings outside their range
 */
export function dynamickv(settings: Partial<DynamicKvSettings> = {}): Policy {
  const checked = withDefaults("dynamickv", dynamicKvDefaults, settings);
  checkPooling(checked.pooling);
  if (!Number.isInteger(checked.groupLayers) || checked.groupLayers < 1) {
    throw new RangeError(`groupLayers is a whole number from 1 on, not ${checked.groupLayers}`);
  }
  if (!(checked.maxRatio >= 1)) throw new RangeError(`maxRatio is at least 1, not ${checked.maxRatio}`);
  if (!(checked.floor >= 0 && checked.floor <= 1)) throw new RangeError(`floor is from 0 to 1, not ${checked.floor}`);
  return {
    name: "dynamickv",
    reduction: checked.reduction,
    keepsAll: false,
    begin: (shape) => begin(shape, checked),
  };
}

function begin(shape: ReadingShape, { pooling, groupLayers, maxRatio, floor }: DynamicKvSettings): PolicyRun {
  const reading = startReading(shape);
  const { layers, open, openBudget } = reading;
  const base = openBudget / layers;
  const temporaryMaximum = Math.min(open.length, Math.ceil(maxRatio * base));
  const least = Math.floor(floor * base);
  /** What each layer read so far holds, by layer; scores of dropped positions are gone. */
  const held: HeadHolding[][] = [];

  const sizeOf = (heads: readonly HeadHolding[]) => (heads[0] as HeadHolding).positions.length;
  const rebalance = (changed: Set<number>) => {
    const total = Math.floor((openBudget * held.length) / layers);
    const floors = new Array<number>(held.length).fill(least);
    const budgets = apportion(total, marksPerLayer(held, total * reading.kvHeads), floors, held.map(sizeOf));
    for (const [layer, budget] of budgets.entries()) {
      const heads = held[layer] as HeadHolding[];
      if (budget === sizeOf(heads)) continue;
      held[layer] = heads.map((head) => shrink(head, budget));
      changed.add(layer);
    }
  };
  const retention = (layer: number): LayerRetention => ({
    layer,
    positions: (held[layer] as HeadHolding[]).map((head) => withProtected(reading, head.positions)),
  });

  return {
    onGroup(group: readonly LayerScores[]) {
      const changed = new Set<number>();
      for (const scores of group) {
        checkOrder(reading, held.length, scores.layer);
        held.push(bestOpen(reading, scores, pooling, temporaryMaximum));
        changed.add(scores.layer);
        if (held.length % groupLayers === 0 || held.length === layers) rebalance(changed);
      }
      return [...changed].sort((a, b) => a - b).map(retention);
    },
  };
}

/**
 * How many of the `count` best scores of all layers and heads fall in each layer. Marks on which equal scores leave
 * no decision are spread evenly over the layers that have such scores.
 */
function marksPerLayer(held: readonly (readonly HeadHolding[])[], count: number): number[] {
  if (count === 0) return held.map(() => 0);
  const cut = cutAt(
    held.flatMap((heads) => heads.map((head) => head.scores)),
    count,
  );
  const counts = held.map((heads) => {
    const rows = heads.map((head) => countAgainst(head.scores, cut));
    return { above: rows.reduce((sum, row) => sum + row.above, 0), ties: rows.reduce((sum, row) => sum + row.ties, 0) };
  });
  const ties = counts.map((layer) => layer.ties);
  const even = held.map(() => 1);
  const none = held.map(() => 0);
  const tieMarks = apportion(cut.fromTies, even, none, ties);
  return counts.map((layer, index) => layer.above + (tieMarks[index] as number));
}

import { apportion } from "./budget.js";
import type { LayerScores, Policy } from "./policy.js";
import { checkOrder, type Reading, readingOfLayer, startReading, truePositions, withProtected } from "./reading.js";

/** A method that knows each layer's budget before it reads, and cuts each layer once. */
export interface LayerwiseMethod extends Pick<Policy, "name" | "reduction" | "needs"> {
  /** Open positions per KV head that each layer keeps; they sum to `openBudget`, none above `open.length`. */
  budgets(reading: Reading): number[];
  /**
   * The open positions of each KV head of one layer, ascending, kvHeads x `count` in all: equally many each, unless the
   * method is about that. Heads that keep the same may share a list. `reading` is that of the layer (readingOfLayer).
   */
  choose(reading: Reading, scores: LayerScores, count: number): Uint32Array[];
}

/** The policy of such a method. Nothing waits for a later layer, so it never holds more than in the end. */
export function layerwise({ name, reduction, needs, budgets, choose }: LayerwiseMethod): Policy {
  return {
    name,
    reduction,
    needs,
    keepsAll: false,
    heldEntries(shape) {
      const reading = startReading(shape);
      let held = 0;
      return budgets(reading).map((count) => (held += count + reading.always));
    },
    begin(shape) {
      const reading = startReading(shape);
      const counts = budgets(reading);
      let layersRead = 0;
      return {
        onGroup: (group) =>
          group.map((scores) => {
            checkOrder(reading, layersRead, scores.layer);
            const { layer, positions } = scores;
            const ofLayer = readingOfLayer(reading, positions);
            const chosen = choose(ofLayer, scores, Math.min(counts[layersRead] as number, ofLayer.open.length));
            layersRead++;
            return { layer, positions: chosen.map((open) => truePositions(withProtected(ofLayer, open), positions)) };
          }),
      };
    },
  };
}

/** The open budget in proportion to `weights`, exactly; no layer above all its open positions. */
export function budgetsByWeight({ layers, open, openBudget }: Reading, weights: ArrayLike<number>): number[] {
  const each = (value: number) => new Array<number>(layers).fill(value);
  return apportion(openBudget, weights, each(0), each(open.length));
}

/** The same for every layer, within one entry. */
export function evenBudgets(reading: Reading): number[] {
  return budgetsByWeight(reading, new Array<number>(reading.layers).fill(1));
}

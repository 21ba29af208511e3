import type { LayerRetention, LayerScores, PolicyRun } from "./policy.js";
import { checkOrder, type HeadHolding, type Reading, readingOfLayer, truePositions, withProtected } from "./reading.js";

/** A method that finds the layers' budgets while it reads, and cuts earlier layers as later ones come. */
export interface CascadingMethod {
  /** Open positions that no layer's KV head holds more of, on average. */
  readonly most: number;
  /** All open positions of a layer just read, per KV head; `reading` is that of the layer (readingOfLayer). */
  hold(reading: Reading, scores: LayerScores): HeadHolding[];
  /**
   * Open positions per KV head, on average, for each layer read so far, the one just read included, given what each
   * holds; none may hold more than before.
   */
  budgets(held: readonly number[]): readonly number[];
  /** What heads of one layer hold, cut to `count` each, on average. */
  cut(heads: readonly HeadHolding[], count: number): HeadHolding[];
}

/**
 * The run of such a method. Budgets are found as if each layer of a call came on its own, so the outcome does not depend on
 * how many layers one call brings; but what they leave of a layer is picked once a call.
 */
export function cascading(reading: Reading, { most, hold, budgets, cut }: CascadingMethod): PolicyRun {
  /** What each layer read so far holds, by layer. */
  const held: HeadHolding[][] = [];
  const sizeOf = (heads: readonly HeadHolding[]) =>
    heads.reduce((sum, { positions }) => sum + positions.length, 0) / heads.length;
  const retention = (layer: number): LayerRetention => ({
    layer,
    positions: (held[layer] as HeadHolding[]).map((head) => withProtected(reading, head.positions)),
  });

  return {
    onGroup(group) {
      const changed = new Set<number>();
      let sizes: readonly number[] = held.map(sizeOf);
      for (const scores of group) {
        checkOrder(reading, held.length, scores.layer);
        const { positions } = scores;
        const heads = hold(readingOfLayer(reading, positions), scores);
        held.push(heads.map((head) => ({ ...head, positions: truePositions(head.positions, positions) })));
        changed.add(scores.layer);
        sizes = budgets([...sizes, Math.min(most, sizeOf(heads))]);
      }
      for (const [layer, heads] of held.entries()) {
        const budget = sizes[layer] as number;
        if (budget === sizeOf(heads)) continue;
        held[layer] = cut(heads, budget);
        changed.add(layer);
      }
      // What a layer keeps lies there twice for a moment, so the small ones make room for the large.
      const size = (layer: number) => sizeOf(held[layer] as HeadHolding[]);
      return [...changed].sort((a, b) => size(a) - size(b) || a - b).map(retention);
    },
  };
}

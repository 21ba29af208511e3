import { evenBudgets, layerwise } from "./layerwise.js";
import type { GroupReduction, Policy } from "./policy.js";
import { openHeads, shrink } from "./reading.js";
import { withDefaults } from "./settings.js";

export interface H2oSettings {
  readonly reduction: GroupReduction;
  /** Share (0 to 1) of a layer's budget that is the prompt's end; the rest are heavy hitters. */
  readonly recent: number;
}

/** Half and half as in the paper; the mean over a KV head's query group carries it over to grouped heads. */
export const h2oDefaults: H2oSettings = { reduction: "mean", recent: 0.5 };

/**
 * H2O (arXiv 2306.14048, Algorithm 1), in its window form: the positions that gather most attention ("heavy hitters"),
 * without pooling, and the most recent ones.
 *
 * Per layer: scores f32 [kvHeads x before]. Each head keeps `b` open positions, where the `b` of all layers sum to the
 * open budget and differ by at most 1. Of the b + window entries, the share `recent` is the prompt's end: the window
 * first, then the open positions before it; the others are the best of what is left.
 *
 * Unlike the paper, attention is accumulated over the observation window's queries and not over all of them: those
 * would take the whole matrix of attention, which flash attention never forms. The choice is made once, after reading.
 * @throws RangeError for a share outside 0 to 1
 */
export function h2o(settings: Partial<H2oSettings> = {}): Policy {
  const { reduction, recent } = withDefaults("h2o", h2oDefaults, settings);
  if (!(recent >= 0 && recent <= 1)) throw new RangeError(`recent is from 0 to 1, not ${recent}`);
  return layerwise({
    name: "h2o",
    reduction,
    budgets: evenBudgets,
    choose(reading, scores, count) {
      const { open, window } = reading;
      const tail = Math.max(0, Math.round(recent * (count + window)) - window);
      const start = open.length - tail;
      return openHeads(reading, scores, { kind: "none", kernel: 1 }).map((head) => {
        const earlier = { positions: open.subarray(0, start), scores: head.scores.subarray(0, start) };
        const positions = new Uint32Array(count);
        positions.set(shrink(earlier, count - tail).positions);
        positions.set(open.subarray(start), count - tail);
        return positions;
      });
    },
  });
}

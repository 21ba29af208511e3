import { apportion } from "./budget.js";
import { cascading } from "./cascading.js";
import type { LayerScores, Policy, Pooling } from "./policy.js";
import { checkPooling } from "./pooling.js";
import { heldEntries, observed, openHeads, type Reading, shareOut, startReading, sumOf } from "./reading.js";
import { withDefaults } from "./settings.js";

export interface CakeSettings {
  readonly pooling: Pooling;
  /** The paper's tau_1, above 0: how little a layer's budget depends on how widely its attention is spread. */
  readonly spreadTemperature: number;
  /** The paper's tau_2, above 0: how little it depends on how much its attention shifts. */
  readonly shiftTemperature: number;
  /** The paper's gamma, not negative: what a position's variance counts beside its mean attention. */
  readonly varianceWeight: number;
}

/**
 * Pooling and gamma as in the published code. The paper tunes both temperatures for each model and budget (0.4 to 2.3);
 * 1 is what that code takes for a model that it does not know.
 */
export const cakeDefaults: CakeSettings = {
  pooling: { kind: "average", kernel: 5 },
  spreadTemperature: 1,
  shiftTemperature: 1,
  varianceWeight: 200,
};

/**
 * CAKE (arXiv 2503.12491, sections 4.1 to 4.3): layers whose attention is spread widely (entropy) and shifts from query
 * to query (variance) need more of the budget; within a layer, positions whose attention shifts are kept as well as those
 * that get much of it.
 *
 * Let B be the open budget per KV head. Of each layer just read, from the window of w queries:
 * - its preference P = entropy^(1 / tau_1) x (variances f32 [kvHeads x before], summed)^(1 / tau_2);
 * - each head's indicator: scores f32 [kvHeads x before] / w + gamma x variances, pooled over the open positions.
 * The n layers read so far share the whole B in proportion to their preferences, and each is cut to its share, the best
 * of each KV head by the indicator. Each new layer takes from all others in the same proportion, so no layer loses what it
 * would be due in the end, and what is held never exceeds B.
 *
 * Means and variances are taken per query head and averaged over the query group, as in the published code. Unlike that
 * code, what a layer cannot use flows on in proportion (there evenly), and the sum is exact after every layer; the
 * variance that the preference sums is per KV head (a factor that is the same for all layers).
 * @throws RangeError for settings outside their range
 */
export function cake(settings: Partial<CakeSettings> = {}): Policy {
  const checked = withDefaults("cake", cakeDefaults, settings);
  const { pooling, spreadTemperature, shiftTemperature, varianceWeight } = checked;
  checkPooling(pooling);
  if (!(spreadTemperature > 0)) throw new RangeError(`spreadTemperature is above 0, not ${spreadTemperature}`);
  if (!(shiftTemperature > 0)) throw new RangeError(`shiftTemperature is above 0, not ${shiftTemperature}`);
  if (!(varianceWeight >= 0)) throw new RangeError(`varianceWeight is not negative, not ${varianceWeight}`);
  return {
    name: "cake",
    reduction: "mean",
    needs: ["variances", "entropy"],
    keepsAll: false,
    // The layers read so far share the whole budget or hold everything, and each adds its window.
    heldEntries(shape) {
      const reading = startReading(shape);
      return heldEntries(reading, (read) => Math.min(reading.openBudget, read * reading.open.length));
    },
    begin(shape) {
      const reading = startReading(shape);
      const preferences: number[] = [];
      return cascading(reading, {
        most: reading.open.length,
        hold(ofLayer, layer) {
          const variances = observed(layer, "variances", ofLayer.kvHeads * ofLayer.before, 1).values;
          preferences.push(preference(layer, variances, checked));
          return openHeads(ofLayer, indicator(ofLayer, layer, variances, varianceWeight), pooling);
        },
        budgets(held) {
          const total = Math.min(
            reading.openBudget,
            held.reduce((sum, size) => sum + size, 0),
          );
          return apportion(total, preferences, new Array<number>(held.length).fill(0), held);
        },
        cut: (heads, count) => shareOut(heads, count, 1),
      });
    },
  };
}

/**
 * How much of the budget a layer needs. Not negative; 0 when something is not finite.
 * @param variances f32 [kvHeads x before]
 */
export function preference(
  { layer, entropy }: LayerScores,
  variances: Float32Array,
  { spreadTemperature, shiftTemperature }: Pick<CakeSettings, "spreadTemperature" | "shiftTemperature">,
): number {
  if (entropy === undefined) throw new RangeError(`layer ${layer} has no entropy`);
  const shift = sumOf(variances);
  const value = entropy ** (1 / spreadTemperature) * shift ** (1 / shiftTemperature);
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** Scores with each position's mean attention and, weighted, its variance. */
function indicator({ window }: Reading, layer: LayerScores, variances: Float32Array, weight: number): LayerScores {
  const scores = layer.scores.map((score, i) => score / window + weight * (variances[i] as number));
  return { ...layer, scores };
}

import { budgetsByWeight, layerwise } from "./layerwise.js";
import type { Policy } from "./policy.js";
import { checkPooling } from "./pooling.js";
import { openHeads, type Reading, shrink } from "./reading.js";
import { withDefaults } from "./settings.js";
import { type SnapKvSettings, snapKvDefaults } from "./snapkv.js";

export interface PyramidKvSettings extends SnapKvSettings {
  /** The paper's beta, at least 1: the last layer keeps 1/beta of the mean, the first as much more. 1 is no slope. */
  readonly beta: number;
}

/** beta 20 as in the published code; scores are SnapKV's, so that a comparison of the two shows the pyramid alone. */
export const pyramidKvDefaults: PyramidKvSettings = { ...snapKvDefaults, beta: 20 };

/**
 * PyramidKV (arXiv 2406.02069, section 4): attention is wide in the lower layers and narrows towards the upper ones,
 * so budgets fall linearly from the first layer to the last. Within a layer it selects like SnapKV.
 *
 * Per layer: scores f32 [kvHeads x before] -> pooled over the open positions -> the best `b` of each head. With the
 * mean m of the open budget per layer, `b` falls from 2 m - m / beta to m / beta; where the first layer has not as
 * many open positions, it keeps all and the line tilts less about the same mean (as in the published code).
 *
 * Unlike that code, the sum is exact: the code rounds the step down, so that layer l keeps up to l entries too many.
 * @throws RangeError for settings outside their range
 */
export function pyramidkv(settings: Partial<PyramidKvSettings> = {}): Policy {
  const { reduction, pooling, beta } = withDefaults("pyramidkv", pyramidKvDefaults, settings);
  checkPooling(pooling);
  if (!(beta >= 1)) throw new RangeError(`beta is at least 1, not ${beta}`);
  return layerwise({
    name: "pyramidkv",
    reduction,
    budgets: (reading) => budgetsByWeight(reading, pyramid(reading, beta)),
    choose: (reading, scores, count) =>
      openHeads(reading, scores, pooling).map((head) => shrink(head, count).positions),
  });
}

/** One number per layer, falling linearly, whose mean is the mean of the open budget. */
function pyramid({ layers, open, openBudget }: Reading, beta: number): number[] {
  const mean = openBudget / layers;
  const first = Math.min(2 * mean - mean / beta, open.length);
  const last = 2 * mean - first;
  // A single layer is both the first and the last.
  const steps = Math.max(1, layers - 1);
  return Array.from({ length: layers }, (_, layer) => first + ((last - first) * layer) / steps);
}

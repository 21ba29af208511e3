import { evenBudgets, layerwise } from "./layerwise.js";
import type { GroupReduction, Policy, Pooling } from "./policy.js";
import { checkPooling } from "./pooling.js";
import { openHeads, shrink } from "./reading.js";
import { withDefaults } from "./settings.js";

export interface SnapKvSettings {
  readonly reduction: GroupReduction;
  readonly pooling: Pooling;
}

/**
 * Kernel 7 is that of the paper's LongBench runs, average pooling the default of its published code (there with
 * kernel 5). That code keeps K and V once per query head; the mean over a KV head's query group carries it over to
 * grouped heads, as NVIDIA/kvpress does.
 */
export const snapKvDefaults: SnapKvSettings = { reduction: "mean", pooling: { kind: "average", kernel: 7 } };

/**
 * SnapKV (arXiv 2404.14469): every layer keeps the same number of positions, each KV head those that the observation
 * window attends to most, after pooling over neighbours.
 *
 * Per layer: scores f32 [kvHeads x before] -> pooled over the open positions -> the best `b` of each head, where the
 * `b` of all layers sum to the open budget and differ by at most 1. Protected positions are kept besides (the paper
 * has none).
 * @throws RangeError for a kernel that is not odd
 */
export function snapkv(settings: Partial<SnapKvSettings> = {}): Policy {
  const { reduction, pooling } = withDefaults("snapkv", snapKvDefaults, settings);
  checkPooling(pooling);
  return layerwise({
    name: "snapkv",
    reduction,
    budgets: evenBudgets,
    choose: (reading, scores, count) =>
      openHeads(reading, scores, pooling).map((head) => shrink(head, count).positions),
  });
}

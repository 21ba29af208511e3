import { evenBudgets, layerwise } from "./layerwise.js";
import type { Policy } from "./policy.js";
import { checkPooling } from "./pooling.js";
import { openHeads, shareOut } from "./reading.js";
import { withDefaults } from "./settings.js";
import type { SnapKvSettings } from "./snapkv.js";

export interface AdaKvSettings extends SnapKvSettings {
  /** The paper's alpha, 0 to 1: the share of an even split that no KV head falls below. */
  readonly floor: number;
}

/** The paper's alpha, and the pooling of its published code; the mean over a query group as in SnapKV. */
export const adaKvDefaults: AdaKvSettings = { reduction: "mean", pooling: { kind: "max", kernel: 7 }, floor: 0.2 };

/**
 * Ada-KV (arXiv 2407.11550, Algorithm 1 and section 3.3), on SnapKV's scores: heads whose attention is concentrated need
 * fewer entries than heads whose attention is spread, so a layer's budget is shared out among its heads.
 *
 * Per layer: scores f32 [kvHeads x before] -> pooled over the open positions -> the best kvHeads x `b` of all heads
 * together are marked, where the `b` of all layers sum to the open budget and differ by at most 1. Each head's budget is
 * its floor and, of what the floors leave, its share of the marks; it keeps its best.
 *
 * Heads are KV heads, as in the grouped-query form of its published code. Unlike there the sum is exact.
 * @throws RangeError for settings outside their range
 */
export function adaKv(settings: Partial<AdaKvSettings> = {}): Policy {
  const { reduction, pooling, floor } = withDefaults("ada-kv", adaKvDefaults, settings);
  checkPooling(pooling);
  if (!(floor >= 0 && floor <= 1)) throw new RangeError(`floor is from 0 to 1, not ${floor}`);
  return layerwise({
    name: "ada-kv",
    reduction,
    budgets: evenBudgets,
    choose: (reading, scores, count) =>
      shareOut(openHeads(reading, scores, pooling), count, floor).map((head) => head.positions),
  });
}

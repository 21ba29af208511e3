import { evenBudgets, layerwise } from "./layerwise.js";
import type { Policy } from "./policy.js";
import { observed, openHeads, shrink } from "./reading.js";
import { withDefaults } from "./settings.js";

/** No settings. */
export type KeyDiffSettings = Record<never, never>;

/**
 * KeyDiff (arXiv 2504.15364, section 3): keys that point elsewhere than most are the ones that attract attention. It
 * reads no attention at all, and so knows nothing of the question.
 *
 * Per layer and KV head: keys f32 [before x keySize] -> the anchor, the mean of the keys' directions -> the cosine
 * between each key and the anchor -> the `b` open positions with the smallest, where the `b` of all layers sum to the
 * open budget and differ by at most 1.
 *
 * The paper drops keys block by block while it reads, each time against the cache as it is then; here, as in
 * NVIDIA/kvpress, the choice is made once, when all keys of the layer are known. The window's few keys are not part of
 * the anchor.
 */
export function keydiff(settings: KeyDiffSettings = {}): Policy {
  withDefaults("keydiff", {}, settings);
  return layerwise({
    name: "keydiff",
    reduction: undefined,
    needs: ["keys"],
    budgets: evenBudgets,
    choose(reading, layer, count) {
      const { kvHeads, before } = reading;
      const { values, size } = observed(layer, "keys", kvHeads * before);
      const scores = new Float32Array(kvHeads * before);
      for (let head = 0; head < kvHeads; head++) {
        const from = head * before;
        scores.set(distances(values.subarray(from * size, (from + before) * size), size), from);
      }
      const heads = openHeads(reading, { layer: layer.layer, scores }, { kind: "none", kernel: 1 });
      return heads.map((head) => shrink(head, count).positions);
    },
  });
}

/**
 * For each key, 1 less the cosine between it and the anchor: 0 to 2, more for a rarer direction. A key without a
 * direction (zero, or not finite) gets 0, the last rank.
 */
function distances(keys: Float32Array, size: number): Float32Array {
  const count = size === 0 ? 0 : keys.length / size;
  const inverse = new Float64Array(count);
  const anchor = new Float64Array(size);
  for (let i = 0; i < count; i++) {
    let squares = 0;
    for (let d = 0; d < size; d++) squares += (keys[i * size + d] as number) * (keys[i * size + d] as number);
    if (!(squares > 0 && squares < Number.POSITIVE_INFINITY)) continue;
    const by = 1 / Math.sqrt(squares);
    for (let d = 0; d < size; d++) anchor[d] = (anchor[d] as number) + by * (keys[i * size + d] as number);
    inverse[i] = by;
  }
  const anchorLength = Math.sqrt(anchor.reduce((sum, value) => sum + value * value, 0));
  const result = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    if (inverse[i] === 0) continue;
    let product = 0;
    for (let d = 0; d < size; d++) product += (anchor[d] as number) * (keys[i * size + d] as number);
    // directions that cancel out leave no anchor: then all keys are as rare as each other
    result[i] = anchorLength === 0 ? 1 : 1 - ((inverse[i] as number) * product) / anchorLength;
  }
  return result;
}

import { evenBudgets, layerwise } from "./layerwise.js";
import type { LayerScores, Policy } from "./policy.js";
import { observed, openHeads, type Reading, shrink } from "./reading.js";
import { withDefaults } from "./settings.js";

export interface ExpectedAttentionSettings {
  /** Not negative; added to every probability before it is weighted: how much a value's length counts by itself. */
  readonly epsilon: number;
}

/** The value with which its authors' library, NVIDIA/kvpress, evaluates it. */
export const expectedAttentionDefaults: ExpectedAttentionSettings = { epsilon: 0.01 };

/**
 * Expected Attention (arXiv 2510.00636, section 3): not what the prompt's end looks at, but what a query of the future
 * would on average, taking its queries to be distributed like the document's, times what it would find there.
 *
 * Per layer: expectedLogits f32 [queryHeads x before] -> softmax over the open positions -> mean over a KV head's query
 * group, plus epsilon, times valueNorms f32 [kvHeads x before] -> the best `b` of each KV head, where the `b` of all
 * layers sum to the open budget and differ by at most 1.
 *
 * The softmax leaves out the protected positions, as NVIDIA/kvpress does its sinks: their share would be nearly all, and
 * differ from head to head. A value counts by its own length, not that after the output projection (again as there). The
 * authors share a layer's budget out among its heads (Ada-KV); here heads keep equally many.
 * @throws RangeError for a negative epsilon
 */
export function expectedAttention(settings: Partial<ExpectedAttentionSettings> = {}): Policy {
  const { epsilon } = withDefaults("expected-attention", expectedAttentionDefaults, settings);
  if (!(epsilon >= 0)) throw new RangeError(`epsilon is not negative, not ${epsilon}`);
  return layerwise({
    name: "expected-attention",
    reduction: undefined,
    needs: ["expectedLogits", "valueNorms"],
    budgets: evenBudgets,
    choose(reading, layer, count) {
      const scores = expectedScores(reading, layer, epsilon);
      const heads = openHeads(reading, { layer: layer.layer, scores }, { kind: "none", kernel: 1 });
      return heads.map((head) => shrink(head, count).positions);
    },
  });
}

/** f32 [kvHeads x before]; of protected positions nothing but zeros. @param epsilon see the settings */
export function expectedScores({ kvHeads, before, open }: Reading, layer: LayerScores, epsilon: number): Float32Array {
  const { values: logits, size: queryHeadsPerKvHead } = observed(layer, "expectedLogits", kvHeads * before);
  const { values: norms } = observed(layer, "valueNorms", kvHeads * before, 1);
  const scores = new Float32Array(kvHeads * before);
  // One for all heads: of a long document each would be as large as a layer's scores, and lie there until the next collection.
  const powers = new Float64Array(open.length);
  const mean = new Float64Array(open.length);
  for (let head = 0; head < kvHeads; head++) {
    mean.fill(0);
    for (let query = head * queryHeadsPerKvHead; query < (head + 1) * queryHeadsPerKvHead; query++) {
      const sum = exponentials(logits.subarray(query * before, (query + 1) * before), open, powers);
      const share = 1 / (sum * queryHeadsPerKvHead);
      for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] as number) + (powers[i] as number) * share;
    }
    for (let i = 0; i < mean.length; i++) {
      const at = head * before + (open[i] as number);
      scores[at] = ((mean[i] as number) + epsilon) * (norms[at] as number);
    }
  }
  return scores;
}

/**
 * A softmax over some of a row's elements, short of the division by the sum that is returned; NaN where the logit is not
 * finite, as if it were not there for the others.
 * @param result f64, one for each index
 */
function exponentials(row: Float32Array, indices: Uint32Array, result: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const index of indices) {
    const logit = row[index] as number;
    if (logit > largest && logit < Number.POSITIVE_INFINITY) largest = logit;
  }
  let sum = 0;
  for (let i = 0; i < indices.length; i++) {
    const distance = (row[indices[i] as number] as number) - largest;
    // neither above the largest nor NaN nor endless, where a logit is finite
    const power = distance <= 0 && distance > Number.NEGATIVE_INFINITY ? Math.exp(distance) : Number.NaN;
    if (power >= 0) sum += power;
    result[i] = power;
  }
  return sum;
}

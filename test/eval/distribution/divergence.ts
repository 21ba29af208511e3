/** How far one model's next-token distributions are from another's, along the same text. Pure. */

export interface Divergence {
  /** Mean Kullback-Leibler divergence from the reference, nats. */
  readonly kl: number;
  /** Share of places where both have the same first choice. */
  readonly agreement: number;
  /** Mean of log p(reference) - log p(other) of the text's own next tokens: the logarithm of the perplexities' ratio. */
  readonly logPerplexityRatio: number;
}

/**
 * @param reference f32 [rows x vocabulary], logits
 * @param other f32 [rows x vocabulary]
 * @param following the text's next token at each row
 * @throws RangeError when the shapes do not fit
 */
export function divergence(reference: Float32Array, other: Float32Array, following: ArrayLike<number>): Divergence {
  const rows = following.length;
  const size = reference.length / rows;
  if (!Number.isInteger(size) || size < 1 || other.length !== reference.length) {
    throw new RangeError(`${reference.length} and ${other.length} logits do not make ${rows} rows each`);
  }
  const total = { kl: 0, same: 0, lost: 0 };
  for (let row = 0; row < rows; row++) {
    const p = logProbabilities(reference.subarray(row * size, (row + 1) * size));
    const q = logProbabilities(other.subarray(row * size, (row + 1) * size));
    for (let i = 0; i < size; i++) {
      const log = p.values[i] as number;
      const weight = Math.exp(log);
      if (weight > 0) total.kl += weight * (log - (q.values[i] as number));
    }
    if (p.first === q.first) total.same++;
    const next = following[row] as number;
    total.lost += (p.values[next] as number) - (q.values[next] as number);
  }
  // rounding can leave a divergence of nothing a hair below it
  return { kl: Math.max(0, total.kl / rows), agreement: total.same / rows, logPerplexityRatio: total.lost / rows };
}

function logProbabilities(logits: Float32Array): { values: Float64Array; first: number } {
  let first = 0;
  for (let i = 1; i < logits.length; i++) if ((logits[i] as number) > (logits[first] as number)) first = i;
  const most = logits[first] as number;
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - most);
  const shift = most + Math.log(sum);
  return { values: Float64Array.from(logits, (logit) => logit - shift), first };
}

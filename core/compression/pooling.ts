import type { Pooling } from "./policy.js";

/**
 * Smooths one head's scores over neighbouring positions, so that whole spans are kept rather than single tokens
 * (SnapKV, arXiv 2404.14469, section 4.2). At the edges only the positions that exist count: an average there is
 * over fewer tokens, not over zeros. A score that is not finite counts as 0, as if nobody had looked there.
 *
 * With `own`, a position also counts for itself: among neighbours that share what one of them has drawn, that one comes
 * first, and what drew attention alone is kept before the surroundings of what drew little more.
 *
 * O(n) for any kernel, by van Herk's running blocks: a window as long as a block spans at most two of them, so it is
 * the end of one combined with the start of the next. Nothing is ever subtracted, so equal scores stay equal.
 * @param scores f32 [n]; not changed
 * @returns f32 [n], a new array
 * @throws RangeError when the kernel is not a positive odd integer, or `own` is negative
 */
export function pool(scores: Float32Array, pooling: Pooling): Float32Array {
  checkPooling(pooling);
  const n = scores.length;
  const { kind, kernel, own = 0 } = pooling;
  const pooled = new Float32Array(n);
  for (let i = 0; i < n; i++) pooled[i] = Number.isFinite(scores[i]) ? (scores[i] as number) : 0;
  if (kind === "none" || kernel === 1) return pooled;

  const average = kind === "average";
  const fromBlockStart = new Float64Array(n);
  const toBlockEnd = new Float64Array(n);
  for (let start = 0; start < n; start += kernel) {
    const end = Math.min(n, start + kernel);
    let value = average ? 0 : Number.NEGATIVE_INFINITY;
    for (let i = start; i < end; i++) {
      const score = pooled[i] as number;
      value = average ? value + score : score > value ? score : value;
      fromBlockStart[i] = value;
    }
    value = average ? 0 : Number.NEGATIVE_INFINITY;
    for (let i = end - 1; i >= start; i--) {
      const score = pooled[i] as number;
      value = average ? value + score : score > value ? score : value;
      toBlockEnd[i] = value;
    }
  }

  const half = (kernel - 1) / 2;
  for (let i = 0; i < n; i++) {
    const from = i < half ? 0 : i - half;
    const to = i + half < n ? i + half : n - 1;
    const blockStart = to - (to % kernel);
    // A window inside one block reaches that block's start or, at the row's end or when aligned, its end.
    const first = toBlockEnd[from] as number;
    const last = fromBlockStart[to] as number;
    let value = from === blockStart ? last : first;
    if (from < blockStart) value = average ? first + last : Math.max(first, last);
    pooled[i] = (average ? value / (to - from + 1) : value) + own * (pooled[i] as number);
  }
  return pooled;
}

/** @throws RangeError when the kernel is not a positive odd integer, or the own score's part is negative */
export function checkPooling(pooling: Pooling): void {
  if (!((pooling.own ?? 0) >= 0)) throw new RangeError(`a score's own part is not negative, not ${pooling.own}`);
  if (!Number.isInteger(pooling.kernel) || pooling.kernel < 1 || pooling.kernel % 2 === 0) {
    throw new RangeError(`a pooling kernel is a positive odd number of tokens, not ${pooling.kernel}`);
  }
}

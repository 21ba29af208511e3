import type { Pooling } from "./policy.js";

/**
 * Smooths one head's scores over neighbouring positions, so that whole spans are kept rather than single tokens
 * (SnapKV, arXiv 2404.14469, section 4.2). At the edges only the positions that exist count: an average there is
 * over fewer tokens, not over zeros. A score that is not finite counts as 0, as if nobody had looked there.
 *
 * O(n) for any kernel, by van Herk's running blocks: a window as long as a block spans at most two of them, so it is
 * the end of one combined with the start of the next. Nothing is ever subtracted, so equal scores stay equal.
 * @param scores f32 [n]; not changed
 * @returns f32 [n], a new array
 * @throws RangeError when the kernel is not a positive odd integer
 */
export function pool(scores: Float32Array, pooling: Pooling): Float32Array {
  checkPooling(pooling);
  const finite = scores.map((score) => (Number.isFinite(score) ? score : 0));
  const { kind, kernel } = pooling;
  if (kind === "none" || kernel === 1) return finite;

  const n = finite.length;
  const average = kind === "average";
  const fromBlockStart = new Float64Array(n);
  const toBlockEnd = new Float64Array(n);
  const combine = (a: number, b: number) => (average ? a + b : Math.max(a, b));
  for (let i = 0; i < n; i++) {
    const score = finite[i] as number;
    fromBlockStart[i] = i % kernel === 0 ? score : combine(fromBlockStart[i - 1] as number, score);
  }
  for (let i = n - 1; i >= 0; i--) {
    const score = finite[i] as number;
    const endsBlock = i === n - 1 || i % kernel === kernel - 1;
    toBlockEnd[i] = endsBlock ? score : combine(toBlockEnd[i + 1] as number, score);
  }

  const half = (kernel - 1) / 2;
  for (let i = 0; i < n; i++) {
    const from = Math.max(0, i - half);
    const to = Math.min(n - 1, i + half);
    const blockStart = to - (to % kernel);
    // A window inside one block reaches that block's start or, at the row's end or when aligned, its end.
    const value =
      from < blockStart
        ? combine(toBlockEnd[from] as number, fromBlockStart[to] as number)
        : from === blockStart
          ? (fromBlockStart[to] as number)
          : (toBlockEnd[from] as number);
    finite[i] = average ? value / (to - from + 1) : value;
  }
  return finite;
}

/** @throws RangeError when the kernel is not a positive odd integer */
export function checkPooling(pooling: Pooling): void {
  if (!Number.isInteger(pooling.kernel) || pooling.kernel < 1 || pooling.kernel % 2 === 0) {
    throw new RangeError(`a pooling kernel is a positive odd number of tokens, not ${pooling.kernel}`);
  }
}

/** Where the best k of many scores end: all above the cut are among them, and `fromTies` of those that lie on it. */
export interface Cut {
  /** The k-th largest score as an order-preserving 32-bit integer. */
  readonly key: number;
  /** How many scores equal the k-th largest. */
  readonly ties: number;
  /** How many of those are needed to make k. */
  readonly fromTies: number;
}

const signBit = 0x80000000 | 0;

/**
 * f32 bits as a signed 32-bit integer of the same order (signed, because V8 keeps those unboxed); the smallest, below
 * all others, for NaN and the infinities; -0 is +0.
 */
function keyOf(bits: number): number {
  if ((bits & 0x7f800000) === 0x7f800000) return signBit;
  if (bits >= 0) return bits;
  return bits === signBit ? 0 : bits ^ 0x7fffffff;
}

function bitsOf(scores: Float32Array): Int32Array {
  return new Int32Array(scores.buffer, scores.byteOffset, scores.length);
}

/**
 * Finds the k-th largest score of all rows together by radix selection on digits of 11, 11 and 10 bits: one pass counts
 * the first digit, one gathers the scores that share it with the k-th, and the other digits only concern those. No
 * sorting, linear for any input.
 * @param rows f32, any lengths
 * @param k from 1 to the number of scores
 * @throws RangeError when k is outside that
 */
export function cutAt(rows: readonly Float32Array[], k: number): Cut {
  const available = rows.reduce((sum, row) => sum + row.length, 0);
  if (!Number.isInteger(k) || k < 1 || k > available) throw new RangeError(`cannot take ${k} of ${available} scores`);
  // With the sign bit flipped, a key's digits compare like those of an unsigned number.
  const histogram = new Uint32Array(2048);
  for (const row of rows) {
    const bits = bitsOf(row);
    for (let i = 0; i < bits.length; i++) {
      const digit = (keyOf(bits[i] as number) ^ signBit) >>> 21;
      histogram[digit] = (histogram[digit] as number) + 1;
    }
  }
  let { digit, left } = digitOf(histogram, k);
  let prefix = digit << 21;
  const candidates = new Int32Array(histogram[digit] as number);
  let count = 0;
  for (const row of rows) {
    const bits = bitsOf(row);
    for (let i = 0; i < bits.length; i++) {
      const candidate = keyOf(bits[i] as number) ^ signBit;
      if (candidate >>> 21 === digit) candidates[count++] = candidate;
    }
  }

  for (const { shift, mask } of [
    { shift: 10, mask: 2047 },
    { shift: 0, mask: 1023 },
  ]) {
    histogram.fill(0);
    for (let i = 0; i < count; i++) {
      const at = ((candidates[i] as number) >>> shift) & mask;
      histogram[at] = (histogram[at] as number) + 1;
    }
    ({ digit, left } = digitOf(histogram, left));
    prefix |= digit << shift;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const candidate = candidates[i] as number;
      if (((candidate >>> shift) & mask) === digit) candidates[kept++] = candidate;
    }
    count = kept;
  }
  return { key: prefix ^ signBit, ties: count, fromTies: left };
}

/** Where the best k end; undefined when there are no more than k, or k is 0. */
export function cutOrAll(rows: readonly Float32Array[], k: number): Cut | undefined {
  return k > 0 && k < rows.reduce((sum, row) => sum + row.length, 0) ? cutAt(rows, k) : undefined;
}

/** The digit of the k-th largest, and its rank among those that share the digit. */
function digitOf(histogram: Uint32Array, k: number): { digit: number; left: number } {
  let digit = histogram.length - 1;
  let left = k;
  while ((histogram[digit] as number) < left) left -= histogram[digit--] as number;
  return { digit, left };
}

/** How many of a row's scores lie above a cut, and how many on it. */
export function countAgainst(row: Float32Array, cut: Cut): { above: number; ties: number } {
  const bits = bitsOf(row);
  let above = 0;
  let ties = 0;
  for (let i = 0; i < bits.length; i++) {
    const key = keyOf(bits[i] as number);
    if (key > cut.key) above++;
    else if (key === cut.key) ties++;
  }
  return { above, ties };
}

/** A row's scores that lie above a cut or on it, in their order. */
export function atOrAbove(row: Float32Array, cut: Cut): Float32Array {
  const { above, ties } = countAgainst(row, cut);
  if (above + ties === row.length) return row;
  const bits = bitsOf(row);
  const kept = new Float32Array(above + ties);
  let count = 0;
  for (let i = 0; i < bits.length; i++) if (keyOf(bits[i] as number) >= cut.key) kept[count++] = row[i] as number;
  return kept;
}

/**
 * The indices of the k largest scores, ascending. Of equal scores the later position wins: recent text is the safer
 * guess. NaN and infinities rank below everything else. O(n), deterministic.
 * @param scores f32 [n]
 * @param k from 0 to n
 * @throws RangeError when k is outside that
 */
export function selectTop(scores: Float32Array, k: number): Uint32Array {
  if (k === 0) return new Uint32Array(0);
  const cut = cutAt([scores], k);
  let tiesToSkip = cut.ties - cut.fromTies;
  const bits = bitsOf(scores);
  const chosen = new Uint32Array(k);
  let count = 0;
  for (let i = 0; i < bits.length; i++) {
    const key = keyOf(bits[i] as number);
    if (key < cut.key) continue;
    if (key === cut.key && tiesToSkip > 0) tiesToSkip--;
    else chosen[count++] = i;
  }
  return chosen;
}

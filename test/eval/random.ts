/** Seeded randomness, so that every run asks the same. */
export interface Random {
  /** 0 (inclusive) to 1 (exclusive). */
  next(): number;
  /** A whole number from `low` to `high`, both inclusive. */
  whole(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  /** `count` different items, in random order. @throws RangeError when there are fewer */
  draw<T>(items: readonly T[], count: number): T[];
}

/** mulberry32: 32 bits of state, good enough to choose words and cases. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    whole,
    pick: <T>(items: readonly T[]) => items[whole(0, items.length - 1)] as T,
    draw<T>(items: readonly T[], count: number) {
      if (count > items.length) throw new RangeError(`cannot draw ${count} of ${items.length}`);
      const left = [...items];
      return Array.from({ length: count }, () => left.splice(whole(0, left.length - 1), 1)[0] as T);
    },
  };
}

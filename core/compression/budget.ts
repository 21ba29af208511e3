import { type Cut, countAgainst } from "./select.js";

/**
 * Shares out a whole number of entries in proportion to weights, exactly: each part gets its floor, the rest is
 * shared by weight, what a part cannot take (its cap) flows on to the others (water-filling), and what rounding
 * leaves goes to the largest remainders (ties to the earlier part). Parts without weight get more than their floor
 * only once all others are full, and then evenly.
 * @param total whole number, from the sum of the floors to the sum of the caps
 * @param weights not negative, one per part
 * @param floors whole numbers, one per part, none above its cap
 * @param caps whole numbers, one per part
 * @returns whole numbers, one per part, that sum to `total`
 * @throws RangeError when floors and caps leave no way to reach the total
 */
export function apportion(
  total: number,
  weights: ArrayLike<number>,
  floors: ArrayLike<number>,
  caps: ArrayLike<number>,
): number[] {
  const parts = Array.from(floors);
  const room = parts.map((floor, part) => (caps[part] as number) - floor);
  let rest = total - sum(parts);
  if (rest < 0 || rest > sum(room) || room.some((entries) => entries < 0)) {
    throw new RangeError(`cannot share out ${total}: floors take ${sum(parts)}, caps ${sum(Array.from(caps))}`);
  }

  let open = room.flatMap((entries, part) => (entries > 0 ? [part] : []));
  while (rest > 0) {
    const weighted = open.filter((part) => (weights[part] as number) > 0);
    const receivers = weighted.length > 0 ? weighted : open;
    const weightOf = (part: number) => (weighted.length > 0 ? (weights[part] as number) : 1);
    const level = rest / sum(receivers.map(weightOf));
    const full = receivers.filter((part) => weightOf(part) * level >= (room[part] as number));
    if (full.length === 0) {
      const shares = receivers.map((part) => ({ part, share: weightOf(part) * level }));
      for (const { part, amount } of roundToSum(shares, rest)) parts[part] = (parts[part] as number) + amount;
      return parts;
    }
    for (const part of full) {
      parts[part] = (parts[part] as number) + (room[part] as number);
      rest -= room[part] as number;
    }
    open = open.filter((part) => !full.includes(part));
  }
  return parts;
}

/**
 * How many of the `count` best scores of all parts (layers, or heads) fall in each part. Marks on which equal scores leave
 * no decision are spread evenly over the parts that have such scores.
 * @param parts the rows of each
 * @param cut where the `count` best end; undefined when there are no more scores than that, or `count` is 0
 * @returns whole numbers, one per part
 */
export function countMarks(parts: readonly (readonly Float32Array[])[], count: number, cut: Cut | undefined): number[] {
  if (count === 0) return parts.map(() => 0);
  if (!cut) return parts.map((rows) => sum(rows.map((row) => row.length)));
  const counts = parts.map((rows) => {
    const each = rows.map((row) => countAgainst(row, cut));
    return { above: sum(each.map(({ above }) => above)), ties: sum(each.map(({ ties }) => ties)) };
  });
  const all = (value: number) => parts.map(() => value);
  const ties = counts.map((part) => part.ties);
  const tieMarks = apportion(cut.fromTies, all(1), all(0), ties);
  return counts.map(({ above }, part) => above + (tieMarks[part] as number));
}

/** Largest remainder: shares, each below its part's room, as whole numbers that sum to `total`. */
function roundToSum(shares: { part: number; share: number }[], total: number): { part: number; amount: number }[] {
  const rounded = shares.map(({ part, share }) => ({ part, amount: Math.floor(share), remainder: share % 1 }));
  const missing = total - sum(rounded.map(({ amount }) => amount));
  rounded.sort((a, b) => b.remainder - a.remainder || a.part - b.part);
  return rounded.map(({ part, amount }, rank) => ({ part, amount: rank < missing ? amount + 1 : amount }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Means with intervals, by the bootstrap: no assumption about how figures are distributed. Pure. */
import { seeded } from "./random.js";

export interface Estimate {
  readonly mean: number;
  /** 95 % interval of the mean. */
  readonly low: number;
  readonly high: number;
  /** Cases: documents or questions, the units that are drawn again. */
  readonly cases: number;
}

const resamples = 2000;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * The mean and its percentile interval (Efron 1979). The same values give the same interval.
 * @throws RangeError without values
 */
export function estimate(values: readonly number[]): Estimate {
  if (values.length === 0) throw new RangeError("there is no mean of nothing");
  const random = seeded(values.length);
  const means = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    let sum = 0;
    for (let n = 0; n < values.length; n++) sum += values[random.whole(0, values.length - 1)] as number;
    means[i] = sum / values.length;
  }
  means.sort();
  const at = (share: number) => means[Math.round(share * (resamples - 1))] as number;
  return { mean: mean(values), low: at(0.025), high: at(0.975), cases: values.length };
}

/** `values` minus `reference`, case by case, over the cases that both have; undefined when there are none. */
export function difference(
  values: ReadonlyMap<string, number>,
  reference: ReadonlyMap<string, number>,
): Estimate | undefined {
  const pairs = [...values].flatMap(([id, value]) => {
    const other = reference.get(id);
    return other === undefined ? [] : [value - other];
  });
  return pairs.length > 0 ? estimate(pairs) : undefined;
}

/** Of fewer cases even unanimous ones happen by chance more often than once in twenty (2 x 0.5^5 = 0.06). */
export const fewest = 6;

/** Whether a difference lies on one side of nothing with 95 % confidence. */
export function certain({ low, high, cases }: Estimate): boolean {
  return cases >= fewest && (low > 0 || high < 0);
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seeded } from "./random.js";
import { certain, difference, estimate } from "./stats.js";

const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 40 });

describe("an estimate", () => {
  it("lies within its interval, the interval within the values, and comes out the same again", () => {
    fc.assert(
      fc.property(values, (list) => {
        const { mean, low, high, cases } = estimate(list);
        expect(low).toBeLessThanOrEqual(mean + 1e-9);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-9);
        expect(low).toBeGreaterThanOrEqual(Math.min(...list) - 1e-9);
        expect(high).toBeLessThanOrEqual(Math.max(...list) + 1e-9);
        expect(cases).toBe(list.length);
        expect(estimate(list)).toEqual({ mean, low, high, cases });
      }),
      { numRuns: 30 },
    );
  });

  it("holds the true mean about 95 times in 100", () => {
    const random = seeded(1);
    let held = 0;
    for (let trial = 0; trial < 200; trial++) {
      const { low, high } = estimate(Array.from({ length: 40 }, () => random.next()));
      if (low <= 0.5 && 0.5 <= high) held++;
    }
    expect(held).toBeGreaterThan(180);
    expect(held).toBeLessThan(200);
  });

  it("is not made of nothing", () => {
    expect(() => estimate([])).toThrow(RangeError);
  });
});

describe("a difference", () => {
  it("pairs cases: what is hard for both does not blur it", () => {
    const hard = new Map(Array.from({ length: 20 }, (_, index) => [`case ${index}`, index * 10] as const));
    const better = new Map([...hard].map(([id, value]) => [id, value + 1]));
    expect(difference(better, hard)).toEqual({ mean: 1, low: 1, high: 1, cases: 20 });
  });

  it("leaves out cases that one side lacks", () => {
    expect(
      difference(
        new Map([
          ["a", 3],
          ["b", 9],
        ]),
        new Map([["a", 1]]),
      ),
    ).toMatchObject({ mean: 2, cases: 1 });
    expect(difference(new Map([["a", 3]]), new Map([["b", 1]]))).toBeUndefined();
  });

  it("is certain on one side of nothing, and not of a handful of cases", () => {
    expect(certain(estimate([1, 2, 1, 2, 1, 2]))).toBe(true);
    expect(certain(estimate([-1, -2, -1, -2, -1, -2]))).toBe(true);
    expect(certain(estimate([1, 2, 1, 2, 1]))).toBe(false);
    expect(certain(estimate([1, -2, 1, 2, -1, 2]))).toBe(false);
  });
});

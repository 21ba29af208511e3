import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { apportion } from "../../core/compression/budget.js";
import type { Pooling } from "../../core/compression/policy.js";
import { pool } from "../../core/compression/pooling.js";
import { cutAt, selectTop } from "../../core/compression/select.js";

const floats = (values: number[]) => Float32Array.from(values);
const anyRow = fc.oneof(
  fc.float32Array({ maxLength: 60 }),
  fc.array(fc.constantFrom(0, -0, 1, 2, -1, 1e-40, NaN, Infinity, -Infinity, 3.4e38), { maxLength: 60 }).map(floats),
);
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

describe("pool", () => {
  it("equals the plain definition over the positions that exist", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { maxLength: 50 }).map(floats),
        fc.constantFrom<Pooling["kind"]>("none", "average", "max"),
        fc.integer({ min: 0, max: 40 }).map((half) => 2 * half + 1),
        (scores, kind, kernel) => {
          const half = kind === "none" ? 0 : (kernel - 1) / 2;
          const pooled = pool(scores, { kind, kernel });
          expect(pooled.length).toBe(scores.length);
          for (const [i, value] of pooled.entries()) {
            const near = [...scores.slice(Math.max(0, i - half), i + half + 1)];
            expect(value).toBeCloseTo(kind === "average" ? total(near) / near.length : Math.max(...near), 5);
          }
        },
      ),
    );
  });

  it("adds a part of a position's own score", () => {
    expect([...pool(floats([0, 6, 0]), { kind: "average", kernel: 3, own: 0.5 })]).toEqual([3, 5, 3]);
    expect([...pool(floats([0, 6, 0]), { kind: "max", kernel: 3, own: 1 })]).toEqual([6, 12, 6]);
    expect(() => pool(floats([1]), { kind: "average", kernel: 3, own: -0.1 })).toThrow(RangeError);
  });

  it("keeps equal scores exactly equal", () => {
    for (const kind of ["average", "max"] as const) {
      expect(pool(new Float32Array(100).fill(0.1), { kind, kernel: 15 })).toEqual(new Float32Array(100).fill(0.1));
    }
  });

  it("counts a broken score as 0, so that it does not spoil its neighbours", () => {
    const row = floats([3, NaN, 3, Infinity, 6]);
    expect([...pool(row, { kind: "average", kernel: 3 })]).toEqual([1.5, 2, 1, 3, 3]);
    expect([...pool(row, { kind: "none", kernel: 1 })]).toEqual([3, 0, 3, 0, 6]);
  });

  it("refuses an even kernel", () => {
    for (const kernel of [0, 2, -1, 1.5]) {
      expect(() => pool(floats([1]), { kind: "max", kernel })).toThrow(RangeError);
    }
  });
});

describe("selectTop", () => {
  it("takes what sorting by value, then by later position, would take", () => {
    const value = (score: number) => (Number.isFinite(score) ? score : Number.NEGATIVE_INFINITY);
    fc.assert(
      fc.property(anyRow, fc.double({ min: 0, max: 1, noNaN: true }), (scores, share) => {
        const k = Math.round(share * scores.length);
        const order = [...scores.keys()].sort((a, b) => {
          const [first, second] = [value(scores[a] as number), value(scores[b] as number)];
          return first === second ? b - a : second - first;
        });
        expect([...selectTop(scores, k)]).toEqual(order.slice(0, k).sort((a, b) => a - b));
      }),
      { numRuns: 500 },
    );
  });

  it("refuses more than there is", () => {
    expect(() => selectTop(floats([1, 2]), 3)).toThrow(RangeError);
    expect(() => cutAt([], 1)).toThrow(RangeError);
  });
});

describe("apportion", () => {
  const part = fc
    .record({
      weight: fc.oneof(fc.constant(0), fc.nat(1000), fc.double({ min: 1e-6, max: 1e9, noNaN: true })),
      floor: fc.nat(20),
      room: fc.oneof(fc.constant(0), fc.nat(100)),
    })
    .map(({ weight, floor, room }) => ({ weight, floor, cap: floor + room }));

  it("is exact and stays between floors and caps", () => {
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 80 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (parts, share) => {
          const [weights, floors, caps] = [
            parts.map((p) => p.weight),
            parts.map((p) => p.floor),
            parts.map((p) => p.cap),
          ];
          const sum = total(floors) + Math.round(share * (total(caps) - total(floors)));
          const shares = apportion(sum, weights, floors, caps);
          expect(total(shares)).toBe(sum);
          for (const [i, amount] of shares.entries()) {
            expect(Number.isInteger(amount)).toBe(true);
            expect(amount).toBeGreaterThanOrEqual(floors[i] as number);
            expect(amount).toBeLessThanOrEqual(caps[i] as number);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("gives floors first, shares the rest by weight and passes on what a cap turns away", () => {
    expect(apportion(100, [3, 1], [10, 10], [100, 100])).toEqual([70, 30]);
    expect(apportion(100, [8, 1, 1], [0, 0, 0], [40, 100, 100])).toEqual([40, 30, 30]);
    expect(apportion(100, [1, 0, 0], [0, 0, 0], [50, 100, 100])).toEqual([50, 25, 25]);
    expect(apportion(10, [1, 1, 1], [0, 0, 0], [9, 9, 9])).toEqual([4, 3, 3]);
    expect(apportion(0, [], [], [])).toEqual([]);
  });

  it("refuses what cannot be reached", () => {
    expect(() => apportion(5, [1], [0], [4])).toThrow(RangeError);
    expect(() => apportion(1, [1], [2], [4])).toThrow(RangeError);
    expect(() => apportion(6, [1, 1], [3, 1], [2, 9])).toThrow(RangeError);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { divergence } from "./divergence.js";

// whole numbers, so that shifting them rounds nothing away
const logit = fc.integer({ min: -30, max: 30 });
const rows = fc.array(logit, { minLength: 12, maxLength: 12 }).map((list) => Float32Array.from(list));

describe("a divergence", () => {
  it("is nothing of a distribution from itself, however its logits are shifted", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: -8, max: 8 }), (logits, shift) => {
        const shifted = logits.map((value) => value + shift);
        const { kl, agreement, logPerplexityRatio } = divergence(logits, shifted, [0, 1, 2]);
        expect(kl).toBeLessThan(1e-4);
        expect(agreement).toBe(1);
        expect(Math.abs(logPerplexityRatio)).toBeLessThan(1e-4);
      }),
    );
  });

  it("is never below 0", () => {
    fc.assert(
      fc.property(rows, rows, (p, q) => {
        expect(divergence(p, q, [0, 1, 2]).kl).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("is what the formula says", () => {
    const [p, q] = [Float32Array.of(Math.log(0.9), Math.log(0.1)), Float32Array.of(Math.log(0.4), Math.log(0.6))];
    const { kl, agreement, logPerplexityRatio } = divergence(p, q, [0]);
    expect(kl).toBeCloseTo(0.9 * Math.log(0.9 / 0.4) + 0.1 * Math.log(0.1 / 0.6), 6);
    expect(agreement).toBe(0);
    expect(logPerplexityRatio).toBeCloseTo(Math.log(0.9 / 0.4), 6);
  });

  it("refuses rows that do not fit", () => {
    expect(() => divergence(new Float32Array(4), new Float32Array(4), [0, 0, 0])).toThrow(RangeError);
    expect(() => divergence(new Float32Array(4), new Float32Array(2), [0, 0])).toThrow(RangeError);
  });
});

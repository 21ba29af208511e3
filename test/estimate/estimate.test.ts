import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entryBytes } from "../../core/engine/kv.js";
import { PrecisError } from "../../core/errors.js";
import { defaultBudget, estimate, fullKvBytes, parseBudget } from "../../core/estimate/estimate.js";
import { fakeModel } from "../support/fake-engine.js";

const MIB = 2 ** 20;

describe("fullKvBytes", () => {
  test("is the figure measured for the default model at 7,500 tokens", () => {
    expect(fullKvBytes(fakeModel, 7500) / MIB).toBeCloseTo(164.8, 1);
  });

  test("is 4 GiB for an 8B model at 32k tokens", () => {
    expect(fullKvBytes({ fullLayers: 32, kvHeads: 8, keySize: 128, valueSize: 128 }, 32_768)).toBe(4 * 2 ** 30);
  });
});

describe("parseBudget", () => {
  test("reads a share of the full cache", () => {
    const budget = parseBudget("6.9%", fakeModel, 7500);
    expect(budget.entriesTotal).toBe(Math.floor(0.069 * 7500 * 30));
    expect(budget.tokensPerLayer).toBe(517);
    expect(budget.bytes).toBe(budget.entriesTotal * 3 * 256);
    expect(budget.requested).toBe("6.9%");
  });

  test("reads tokens per layer and bytes", () => {
    expect(parseBudget("512", fakeModel, 7500)).toMatchObject({ entriesTotal: 512 * 30, tokensPerLayer: 512 });
    expect(parseBudget("20 MiB", fakeModel, 7500).entriesTotal).toBe(Math.floor((20 * MIB) / (3 * 256)));
    expect(parseBudget("20mb", fakeModel, 7500).entriesTotal).toBe(Math.floor(20e6 / (3 * 256)));
  });

  test("loses no entry to floating point", () => {
    for (const percent of [7, 29, 57, 58]) {
      expect(parseBudget(`${percent}%`, fakeModel, 100).entriesTotal).toBe(percent * 30);
    }
  });

  test("is never more than the full cache", () => {
    for (const text of ["100%", "9000", "300GiB"]) {
      expect(parseBudget(text, fakeModel, 700).bytes).toBe(fullKvBytes(fakeModel, 700));
    }
  });

  test("is an upper bound, exact to one entry of every head, whatever the model", () => {
    const shape = fc.record({
      fullLayers: fc.integer({ min: 1, max: 96 }),
      kvHeads: fc.integer({ min: 1, max: 32 }),
      keySize: fc.constantFrom(64, 80, 128, 256),
      valueSize: fc.constantFrom(64, 80, 128, 256),
    });
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 2_000, max: 200_000 }),
        fc.integer({ min: 10, max: 1000 }),
        (model, tokens, mille) => {
          const full = fullKvBytes(model, tokens);
          const asked = (full * mille) / 1000;
          for (const text of [`${mille / 10}%`, `${Math.ceil(asked)} B`]) {
            const { bytes, entriesTotal } = parseBudget(text, model, tokens);
            expect(bytes).toBe(entriesTotal * model.kvHeads * entryBytes(model));
            expect(bytes).toBeLessThanOrEqual(Math.ceil(asked) + 1e-3);
            // One entry of every head is the finest step there is.
            expect(Math.ceil(asked) - bytes).toBeLessThanOrEqual(model.kvHeads * entryBytes(model) + 1);
          }
        },
      ),
    );
  });

  test.each(["", "0", "0%", "101%", "-5%", "1.5", "abc", "5 parsecs", "5%%", "1e3", "NaN", "Infinity"])(
    "refuses %j",
    (text) => {
      expect(() => parseBudget(text, fakeModel, 7500)).toThrow(expect.objectContaining({ code: "budget-invalid" }));
    },
  );

  test("refuses what leaves no room beside the instruction, and names a budget that works", () => {
    let error: unknown;
    try {
      parseBudget("40", fakeModel, 7500, 60);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(PrecisError);
    const { code, next } = error as PrecisError;
    expect(code).toBe("budget-too-small");
    const [tokens, percent] = next?.match(/[\d.]+%?/g) ?? [];
    expect(parseBudget(tokens ?? "", fakeModel, 7500, 60).tokensPerLayer).toBe(61);
    expect(parseBudget(percent?.replace(/\.$/, "") ?? "", fakeModel, 7500, 60).tokensPerLayer).toBeGreaterThan(60);
  });

  test("allows the whole of a prompt that is hardly more than its instruction", () => {
    expect(parseBudget("100%", fakeModel, 60, 60).tokensPerLayer).toBe(60);
  });

  test("has a default that it can read", () => {
    expect(parseBudget(defaultBudget, fakeModel, 7500).tokensPerLayer).toBe(1875);
  });
});

describe("estimate", () => {
  test("adds staging, hidden states and what is kept", () => {
    const budget = parseBudget("6.9%", fakeModel, 7500);
    const figures = estimate(fakeModel, 7500, budget);
    expect(figures.retainedKvBytes).toBe(budget.bytes);
    expect(figures.readingPeakBytes).toBe(fullKvBytes(fakeModel, 7500) / 30 + 7500 * 576 * 4 + budget.bytes);
    expect(figures.totalBytes).toBe(fakeModel.weightsBytes + figures.readingPeakBytes);
  });

  test("holds the full cache when everything is kept", () => {
    const figures = estimate(fakeModel, 7500, undefined);
    expect(figures.readingPeakBytes).toBe(figures.fullKvBytes);
    expect(figures.retainedKvBytes).toBe(figures.fullKvBytes);
  });
});

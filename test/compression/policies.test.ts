import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DynamicKvSettings, dynamickv } from "../../core/compression/dynamickv.js";
import type { LayerRetention, LayerScores, ReadingShape } from "../../core/compression/policy.js";
import { createPolicy, defaultPolicy, policyNames } from "../../core/compression/registry.js";
import { snapkv } from "../../core/compression/snapkv.js";
import { PrecisError } from "../../core/errors.js";
import { cases, layerScores } from "./arbitraries.js";

/** Open positions (kept, less protected) per layer after each call of one layer. */
function history(settings: Partial<DynamicKvSettings>, shape: ReadingShape, scores: LayerScores[]): number[][] {
  const run = dynamickv(settings).begin(shape);
  const held: number[] = [];
  return scores.map((layer) => {
    for (const retention of run.onGroup([layer])) held[retention.layer] = openLength(shape, retention);
    return [...held];
  });
}

function openLength(shape: ReadingShape, { positions }: LayerRetention): number {
  return (positions[0] as Uint32Array).length - shape.protectedPositions.length;
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const small = { layers: 8, kvHeads: 2, tokens: 220, window: 20, protectedPositions: [], budget: 8 * 30 };

describe("dynamickv", () => {
  it("is exact after every re-balance for any settings, 1 to 80 layers and any budget, and respects the floor", () => {
    fc.assert(
      fc.property(
        cases(80),
        fc.record({
          groupLayers: fc.integer({ min: 1, max: 8 }),
          maxRatio: fc.constantFrom(1, 1.01, 1.5, 5, 10, 1e6),
          floor: fc.constantFrom(0, 0.2, 0.5, 1),
        }),
        ({ shape, scores }, settings) => {
          const window = Math.min(shape.window, shape.tokens);
          const always = shape.layers * (window + shape.protectedPositions.length);
          const open = Math.min(shape.budget, shape.layers * shape.tokens) - always;
          const base = open / shape.layers;
          const steps = history(settings, shape, scores);
          for (const [index, held] of steps.entries()) {
            const read = index + 1;
            expect(Math.min(...held)).toBeGreaterThanOrEqual(Math.floor(settings.floor * base));
            expect(Math.max(...held)).toBeLessThanOrEqual(Math.ceil(settings.maxRatio * base));
            if (read % settings.groupLayers === 0 || read === shape.layers) {
              expect(total(held)).toBe(Math.floor((open * read) / shape.layers));
            }
          }
          expect(total(steps.at(-1) as number[])).toBe(open);
        },
      ),
      { numRuns: 200 },
    );
  }, 30_000);

  it("gives a layer's temporary maximum until its group is complete, then re-balances all layers read so far", () => {
    const steps = history({ groupLayers: 4, maxRatio: 10 }, small, layerScores(small, "random", 7));
    expect(steps[2]).toEqual([100, 100, 100]);
    expect(total(steps[3] as number[])).toBe(40);
    expect((steps[6] as number[]).slice(4)).toEqual([100, 100, 100]);
    expect((steps[6] as number[]).slice(0, 4)).toEqual(steps[3]);
    expect(total(steps[7] as number[])).toBe(80);
  });

  it("gives a layer that is attended to more a larger budget, and the others their floor", () => {
    const scores = layerScores(small, "random", 7);
    for (const { layer, scores: row } of scores)
      if (layer !== 6) for (const i of row.keys()) row[i] = 1e-3 * (row[i] as number);
    const final = history({ floor: 0.2 }, small, scores).at(-1) as number[];
    // Floors take 8 x 2; the rest, 64, all falls to layer 6.
    expect(final).toEqual([2, 2, 2, 2, 2, 2, 66, 2]);
  });

  it("treats equal layers equally", () => {
    const shape = { ...small, layers: 6, budget: 6 * 30 };
    for (const kind of ["equal", "zero"] as const) {
      expect(history({}, shape, layerScores(shape, kind, 1)).at(-1)).toEqual([10, 10, 10, 10, 10, 10]);
    }
  });

  it("does not let a sink's score spill over to its neighbours", () => {
    const shape = { ...small, protectedPositions: [0, 1, 2, 3] };
    const scores = layerScores(shape, "zero", 1);
    for (const { scores: row } of scores) {
      row[0] = row[200] = 20;
      row[3] = row[203] = 10;
      row.fill(0.01, 100, 110).fill(0.01, 300, 310);
    }
    const kept = dynamickv().begin(shape).onGroup(scores);
    expect(kept.every(({ positions }) => positions.every((list) => list.every((p) => p < 4 || p > 90)))).toBe(true);
  });

  it("refuses settings outside their range", () => {
    for (const wrong of [{ groupLayers: 0 }, { maxRatio: 0.9 }, { floor: 1.1 }, { floor: NaN }]) {
      expect(() => dynamickv(wrong)).toThrow(RangeError);
    }
    expect(() => dynamickv({ pooling: { kind: "max", kernel: 4 } })).toThrow(RangeError);
  });
});

describe("snapkv", () => {
  it("gives every layer the same budget, within one entry", () => {
    const shape = { ...small, budget: 8 * 30 + 3 };
    const kept = snapkv()
      .begin(shape)
      .onGroup(layerScores(shape, "skewed", 5));
    expect(kept.map((layer) => openLength(shape, layer))).toEqual([11, 11, 11, 10, 10, 10, 10, 10]);
  });
});

describe("registry", () => {
  it("knows every policy by its own name and a default", () => {
    for (const name of policyNames) expect(createPolicy(name).name).toBe(name);
    expect(createPolicy(defaultPolicy)).toMatchObject({
      name: "dynamickv",
      reduction: "max",
      keepsAll: false,
    });
    expect(createPolicy("full").keepsAll).toBe(true);
  });

  it("passes settings on", () => {
    expect(createPolicy("dynamickv", { groupLayers: 2, reduction: "mean" })).toMatchObject({ reduction: "mean" });
    expect(createPolicy("snapkv", { reduction: undefined }).reduction).toBe("mean");
  });

  it("names the policies when asked for another, and refuses settings that would be ignored", () => {
    for (const name of ["quest", "toString"]) {
      expect(() => createPolicy(name)).toThrow(PrecisError);
      expect(() => createPolicy(name)).toThrow(
        expect.objectContaining({ code: "usage", next: expect.stringContaining("snapkv") }),
      );
    }
    expect(() => createPolicy("snapkv", { floor: 0.5 })).toThrow(RangeError);
    expect(() => createPolicy("full", { groupLayers: 2 })).toThrow(RangeError);
  });
});

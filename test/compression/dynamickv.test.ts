import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dynamickv } from "../../core/compression/dynamickv.js";
import type { LayerRetention, LayerScores } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import { cases, layerScores } from "./arbitraries.js";
import { first, history, peakEntries, small, total } from "./holding.js";

/** How many of the `count` best scores of all layers and heads fall in each layer. */
function marksOf(scores: LayerScores[], count: number): number[] {
  const ranked = scores
    .flatMap(({ layer, scores: row }) => [...row].map((score) => ({ layer, score })))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
  return scores.map(({ layer }) => ranked.filter((one) => one.layer === layer).length);
}

/** Settings that decide the pace: the published one and ours. */
const paces = fc.record({
  groupLayers: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
  maxRatio: fc.constantFrom(1, 1.01, 1.5, 5, 10, 1e6),
  floor: fc.constantFrom(0, 0.2, 0.5, 1),
  headFloor: fc.constantFrom(0, 0.3, 1),
});

/** The paper's way to share the budget, of the window's scores alone. */
const marked = { shares: "marks", floor: 0, valueNorms: false, expected: 0 } as const;

describe("dynamickv", () => {
  it("holds what its pace says for any settings, 1 to 80 layers and any budget, and respects floor and maximum", () => {
    fc.assert(
      fc.property(cases(80), paces, ({ shape, scores }, settings) => {
        const window = Math.min(shape.window, shape.tokens);
        const always = shape.layers * (window + shape.protectedPositions.length);
        const open = Math.min(shape.budget, shape.layers * shape.tokens) - always;
        const base = open / shape.layers;
        const steps = history(dynamickv(settings), shape, scores);
        for (const [index, held] of steps.entries()) {
          const read = index + 1;
          expect(Math.min(...held)).toBeGreaterThanOrEqual(Math.floor(settings.floor * base));
          expect(Math.max(...held)).toBeLessThanOrEqual(Math.ceil(settings.maxRatio * base));
          if (settings.groupLayers === undefined) {
            expect(total(held)).toBeLessThanOrEqual(open);
          } else if (read % settings.groupLayers === 0 || read === shape.layers) {
            expect(total(held)).toBe(Math.floor((open * read) / shape.layers));
          }
        }
        expect(total(steps.at(-1) as number[])).toBe(open);
        const peak = Math.max(...steps.map((held, index) => total(held) + ((index + 1) * always) / shape.layers));
        expect(peakEntries(dynamickv(settings), shape)).toBe(peak);
      }),
      { numRuns: 100 },
    );
  }, 30_000);

  it("ends with the budgets that knowing all layers at once would give, within one entry, holding no more", {
    timeout: 30_000,
  }, () => {
    const budgets = fc.integer({ min: 1, max: 8 * 100 });
    fc.assert(
      fc.property(fc.constantFrom("random", "skewed"), budgets, fc.nat(), (kind, openBudget, seed) => {
        const shape = { ...small, budget: 8 * 20 + openBudget };
        const scores = layerScores(shape, kind, seed);
        const settings = { ...marked, pooling: { kind: "none", kernel: 1 }, maxRatio: 1e6 } as const;
        const marks = marksOf(scores, 2 * openBudget);
        fc.pre(Math.max(...marks) <= 2 * 200);
        const steps = history(dynamickv(settings), shape, scores);
        for (const [layer, budget] of (steps.at(-1) as number[]).entries()) {
          expect(Math.abs(budget - (marks[layer] as number) / 2)).toBeLessThanOrEqual(1);
        }
        expect(peakEntries(dynamickv(settings), shape)).toBe(shape.budget);
      }),
      { numRuns: 100 },
    );
  });

  it("reaches those budgets where the first layers deserve most, which the paper's pace does not, and holds less", () => {
    const shape = { ...small, layers: 30, tokens: 520, budget: Math.round(0.069 * 30 * 520) };
    const open = shape.budget - 30 * 20;
    const settings = { ...marked, pooling: { kind: "none", kernel: 1 } } as const;
    const scores = layerScores(shape, "random", 1).map(({ layer, scores: row }) => ({
      layer,
      scores: row.map((score) => score * 10 ** (-layer / 20)),
    }));
    const marks = marksOf(scores, 2 * open);
    const reached = (groupLayers?: number) => {
      const budgets = history(dynamickv({ ...settings, groupLayers }), shape, scores).at(-1) as number[];
      return total(budgets.map((budget, layer) => Math.min(budget, (marks[layer] as number) / 2))) / open;
    };
    expect(reached()).toBeGreaterThan(0.98);
    expect(reached(4)).toBeLessThan(0.9);
    expect(reached(1)).toBeLessThan(0.9);
    const above = (groupLayers?: number) =>
      (peakEntries(dynamickv({ ...settings, groupLayers }), shape) - shape.budget) / (30 * 520);
    expect(above()).toBe(0);
    expect(above(4)).toBeGreaterThan(0.01);
  });

  it("lets the first layers hold what the later ones do not need yet, and no more than maxRatio", () => {
    const steps = history(dynamickv({ maxRatio: 2.5, floor: 0.2 }), small, layerScores(small, "random", 7));
    // 80 in all, of which each layer still to come is left its floor of 2.
    expect(steps[0]).toEqual([25]);
    expect(steps[1]).toEqual([25, 25]);
    expect(steps.map(total)).toEqual([25, 50, 70, 72, 74, 76, 78, 80]);
  });

  it("gives a layer that is attended to more a larger budget, and the others their floor", () => {
    for (const rich of [0, 3, 6]) {
      const scores = layerScores(small, "random", 7);
      for (const { layer, scores: row } of scores)
        if (layer !== rich) for (const i of row.keys()) row[i] = 1e-3 * (row[i] as number);
      // Floors take 8 x 2; the rest, 64, all falls to one layer, be it the first.
      const wanted = new Array<number>(8).fill(2).with(rich, 66);
      expect(history(dynamickv({ ...marked, floor: 0.2 }), small, scores).at(-1)).toEqual(wanted);
    }
  });

  it("treats equal layers equally", () => {
    const shape = { ...small, layers: 6, budget: 6 * 30 };
    for (const kind of ["equal", "zero"] as const) {
      expect(history(dynamickv(), shape, layerScores(shape, kind, 1)).at(-1)).toEqual([10, 10, 10, 10, 10, 10]);
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

  it("weights scores by the length of values relative to the layer's, when asked to", () => {
    const shape = { layers: 2, kvHeads: 1, tokens: 8, window: 2, protectedPositions: [], budget: 2 * 2 + 4 };
    const settings = { ...marked, pooling: { kind: "none", kernel: 1 } } as const;
    const scores = Float32Array.of(6, 5, 4, 3, 2, 1);
    // Both layers look the same way; in the second values are a hundred times longer, which must not make it richer.
    const layers = [1, 100].map((scale, layer) => ({
      layer,
      scores,
      valueNorms: Float32Array.of(1, 1, 1, 9, 1, 5).map((norm) => norm * scale),
    }));
    const kept = (valueNorms: boolean) => {
      const held: number[][] = [];
      const run = dynamickv({ ...settings, valueNorms }).begin(shape);
      for (const { layer, positions } of run.onGroup(layers)) held[layer] = [...(positions[0] as Uint32Array)];
      return held;
    };
    expect(kept(false)).toEqual([
      [0, 1],
      [0, 1],
    ]);
    // Products: 6, 5, 4, 27, 2, 5.
    expect(kept(true)).toEqual([
      [0, 3],
      [0, 3],
    ]);
  });

  it("shares a layer's budget out among its heads when asked to, and the layers' budgets stay as they are", () => {
    const scores = layerScores(small, "random", 7);
    // the second head looks only at half of what the first looks at, and less
    for (const { scores: row } of scores) for (let i = 200; i < 400; i++) row[i] = i % 2 ? 0 : 0.7 * (row[i] as number);
    const read = (headFloor: number) => {
      const held: LayerRetention[] = [];
      const run = dynamickv({ ...marked, headFloor, pooling: { kind: "none", kernel: 1 } }).begin(small);
      for (const layer of scores) for (const one of run.onGroup([layer])) held[one.layer] = one;
      return held.map(({ positions }) => positions.map((list) => list.length));
    };
    const [even, uneven] = [read(1), read(0.4)];
    expect(even.every(([a, b]) => a === b)).toBe(true);
    expect(uneven.map(total)).toEqual(even.map(total));
    for (const [a, b] of uneven as [number, number][]) {
      expect(a).toBeGreaterThan(b);
      expect(b).toBeGreaterThanOrEqual(Math.floor((0.4 * (a + b)) / 2));
    }
  });

  it("gives a layer whose attention is spread and shifts more of the budget, in proportion", () => {
    const equal = layerScores(small, "equal", 1);
    const scores = equal.map((layer, index) => ({
      ...layer,
      // of each head's 200 positions 125 are looked at alike, or 5: three times the entropy
      scores: layer.scores.map((_, i) => (i % 200 < (index < 4 ? 125 : 5) ? 1 : 0)),
      variances: layer.scores.map(() => (index % 2 ? 2 : 1)),
    }));
    // preferences 3, 6, 3, 6, 1, 2, 1, 2 of 24 share 80
    expect(history(dynamickv({ expected: 0 }), small, scores).at(-1)).toEqual([10, 20, 10, 20, 3, 7, 3, 7]);
    expect(history(dynamickv({ expected: 0, maxRatio: 1 }), small, scores).at(-1)).toEqual(new Array(8).fill(10));
  });

  it("cuts the layers that keep least first, to make room for copying the others", () => {
    const run = dynamickv({ ...marked, floor: 0.2 }).begin(small);
    const cuts = layerScores(small, "random", 7).map((layer) => run.onGroup([layer]));
    for (const cut of cuts) {
      const sizes = cut.map(({ positions }) => total(positions.map((list) => list.length)));
      expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    }
    // which is not the order of layers
    expect(cuts.at(-1)?.[0]?.layer).not.toBe(0);
  });

  it("keeps what later queries can be expected to look at beside what the window does, as much as it is told", () => {
    const shape = { layers: 1, kvHeads: 1, tokens: 8, window: 2, protectedPositions: [], budget: 2 + 2 };
    const layer = {
      layer: 0,
      scores: Float32Array.of(4, 3, 2, 0, 0, 0),
      valueNorms: new Float32Array(6).fill(1),
      // of two query heads; the mean of their probabilities is largest at 4 and 5
      expectedLogits: Float32Array.of(0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 8),
    };
    const kept = (expected: number) => {
      const settings = { shares: "marks", pooling: { kind: "none", kernel: 1 }, expected } as const;
      return first(dynamickv(settings), shape, [layer])[0];
    };
    expect(kept(0)).toEqual([0, 1]);
    expect(kept(0.8)).toEqual([0, 4]);
    expect(kept(10)).toEqual([4, 5]);
  });

  it("asks a whole cache for nothing that was not kept of its reading", () => {
    const { aimed, recalled } = dynamickv();
    expect(aimed?.needs).toEqual([]);
    expect(recalled?.needs).toEqual(["valueNorms"]);
    expect([aimed?.reduction, recalled?.reduction]).toEqual(["max", "max"]);
  });

  it("refuses settings outside their range", () => {
    for (const wrong of [
      { expected: -1 },
      { expected: NaN },
      { groupLayers: 0 },
      { maxRatio: 0.9 },
      { floor: 1.1 },
      { floor: NaN },
      { headFloor: -1 },
    ]) {
      expect(() => dynamickv(wrong)).toThrow(RangeError);
    }
    expect(() => dynamickv({ pooling: { kind: "max", kernel: 4 } })).toThrow(RangeError);
  });
});

describe("dynamickv-paper", () => {
  it("gives a layer its temporary maximum until its group is complete, then cuts all layers read so far", () => {
    const steps = history(createPolicy("dynamickv-paper"), small, layerScores(small, "random", 7));
    expect(steps[2]).toEqual([100, 100, 100]);
    expect(total(steps[3] as number[])).toBe(40);
    expect((steps[6] as number[]).slice(4)).toEqual([100, 100, 100]);
    expect((steps[6] as number[]).slice(0, 4)).toEqual(steps[3]);
    expect(total(steps[7] as number[])).toBe(80);
    // 40 and three layers of 100, and the window of each of seven layers.
    expect(peakEntries(createPolicy("dynamickv-paper"), small)).toBe(40 + 300 + 7 * 20);
  });
});

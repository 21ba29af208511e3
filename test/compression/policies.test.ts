import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adaKv } from "../../core/compression/ada-kv.js";
import { cake } from "../../core/compression/cake.js";
import { chunkkv } from "../../core/compression/chunkkv.js";
import { type DynamicKvSettings, dynamickv } from "../../core/compression/dynamickv.js";
import { expectedAttention } from "../../core/compression/expected-attention.js";
import { h2o } from "../../core/compression/h2o.js";
import { keydiff } from "../../core/compression/keydiff.js";
import type { LayerRetention, LayerScores, Policy, ReadingShape } from "../../core/compression/policy.js";
import { pyramidkv } from "../../core/compression/pyramidkv.js";
import { createPolicy, defaultPolicy, policyNames } from "../../core/compression/registry.js";
import { snapkv } from "../../core/compression/snapkv.js";
import { streamingLlm } from "../../core/compression/streaming-llm.js";
import { PrecisError } from "../../core/errors.js";
import { cases, layerScores } from "./arbitraries.js";

/** Open positions (kept, less protected) per layer and KV head after each call of one layer. */
function history(settings: Partial<DynamicKvSettings>, shape: ReadingShape, scores: LayerScores[]): number[][] {
  const run = dynamickv(settings).begin(shape);
  const held: number[] = [];
  return scores.map((layer) => {
    for (const retention of run.onGroup([layer])) held[retention.layer] = openLength(shape, retention);
    return [...held];
  });
}

function openLength(shape: ReadingShape, { positions }: LayerRetention): number {
  const length = total(positions.map((list) => list.length)) / positions.length;
  return length - shape.protectedPositions.length;
}

/** Open positions per layer after the last layer. */
function lengths(policy: Policy, shape: ReadingShape, scores: LayerScores[]): number[] {
  const held: number[] = [];
  const run = policy.begin(shape);
  for (const layer of scores) {
    for (const retention of run.onGroup([layer])) held[retention.layer] = openLength(shape, retention);
  }
  return held;
}

const peakEntries = (policy: Policy, shape: ReadingShape) => Math.max(...policy.heldEntries(shape));
const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const small = { layers: 8, kvHeads: 2, tokens: 220, window: 20, protectedPositions: [], budget: 8 * 30 };
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
        const steps = history(settings, shape, scores);
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
        const steps = history(settings, shape, scores);
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
      const budgets = history({ ...settings, groupLayers }, shape, scores).at(-1) as number[];
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
    const steps = history({ maxRatio: 2.5, floor: 0.2 }, small, layerScores(small, "random", 7));
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
      expect(history({ ...marked, floor: 0.2 }, small, scores).at(-1)).toEqual(wanted);
    }
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
      entropy: index < 4 ? 3 : 1,
      variances: layer.scores.map(() => (index % 2 ? 2 : 1)),
    }));
    // preferences 3, 6, 3, 6, 1, 2, 1, 2 of 24 share 80
    expect(history({ expected: 0 }, small, scores).at(-1)).toEqual([10, 20, 10, 20, 3, 7, 3, 7]);
    expect(history({ expected: 0, maxRatio: 1 }, small, scores).at(-1)).toEqual(new Array(8).fill(10));
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
    const run = createPolicy("dynamickv-paper").begin(small);
    const held: number[] = [];
    const steps = layerScores(small, "random", 7).map((layer) => {
      for (const retention of run.onGroup([layer])) held[retention.layer] = openLength(small, retention);
      return [...held];
    });
    expect(steps[2]).toEqual([100, 100, 100]);
    expect(total(steps[3] as number[])).toBe(40);
    expect((steps[6] as number[]).slice(4)).toEqual([100, 100, 100]);
    expect((steps[6] as number[]).slice(0, 4)).toEqual(steps[3]);
    expect(total(steps[7] as number[])).toBe(80);
    // 40 and three layers of 100, and the window of each of seven layers.
    expect(peakEntries(createPolicy("dynamickv-paper"), small)).toBe(40 + 300 + 7 * 20);
  });
});

describe("snapkv", () => {
  it("gives every layer the same budget, within one entry", () => {
    const shape = { ...small, budget: 8 * 30 + 3 };
    expect(lengths(snapkv(), shape, layerScores(shape, "skewed", 5))).toEqual([11, 11, 11, 10, 10, 10, 10, 10]);
  });

  it("keeps a peak's neighbours", () => {
    const scores = layerScores(small, "zero", 1);
    for (const { scores: row } of scores) row[100] = 1;
    const shape = { ...small, budget: 8 * (20 + 7) };
    const [{ positions }] = snapkv().begin(shape).onGroup(scores) as [LayerRetention];
    expect(positions[0]).toEqual(Uint32Array.of(97, 98, 99, 100, 101, 102, 103));
  });
});

describe("pyramidkv", () => {
  it("falls linearly from nearly twice the mean to a twentieth of it, and sums exactly", () => {
    const shape = { ...small, layers: 5, budget: 5 * (20 + 40) };
    expect(lengths(pyramidkv(), shape, layerScores(shape, "random", 1))).toEqual([78, 59, 40, 21, 2]);
    const uneven = { ...shape, budget: shape.budget + 3 };
    expect(total(lengths(pyramidkv(), uneven, layerScores(uneven, "random", 1)))).toBe(203);
    const flat = lengths(pyramidkv({ beta: 1 }), shape, layerScores(shape, "random", 1));
    expect(flat).toEqual([40, 40, 40, 40, 40]);
  });

  it("tilts less where the first layer has no more positions", () => {
    const shape = { ...small, layers: 3, budget: 3 * (20 + 150) };
    expect(lengths(pyramidkv(), shape, layerScores(shape, "random", 1))).toEqual([200, 150, 100]);
  });

  it("refuses a beta below 1", () => {
    expect(() => pyramidkv({ beta: 0.5 })).toThrow(RangeError);
  });
});

/** What the first layer of a reading with one layer keeps. */
function first(policy: Policy, shape: ReadingShape, scores: LayerScores[]): number[][] {
  const [{ positions }] = policy.begin(shape).onGroup(scores) as [LayerRetention];
  return positions.map((list) => [...list]);
}

const one = { layers: 1, kvHeads: 2, tokens: 40, window: 10, protectedPositions: [0], budget: 11 + 10 };

describe("streaming-llm", () => {
  it("keeps the sinks that are not protected anyway, and the end", () => {
    const none = [{ layer: 0, scores: new Float32Array(0) }];
    const wanted = [0, 1, 2, 3, 23, 24, 25, 26, 27, 28, 29];
    expect(first(streamingLlm(), one, none)).toEqual([wanted, wanted]);
    expect(first(streamingLlm(), { ...one, budget: 11 + 2 }, none)[0]).toEqual([0, 1, 2]);
    expect(first(streamingLlm({ sinks: 0 }), { ...one, budget: 11 + 2 }, none)[0]).toEqual([0, 28, 29]);
    expect(() => streamingLlm({ sinks: -1 })).toThrow(RangeError);
  });
});

describe("h2o", () => {
  it("keeps heavy hitters per head, unpooled, and a recent half that the window is part of", () => {
    const scores = new Float32Array(60);
    for (const hot of [3, 12, 20, 30 + 8, 30 + 15, 30 + 28]) scores[hot] = hot;
    // 10 open + 10 of the window: the window is the recent half.
    const heavy = first(h2o(), { ...one, budget: 11 + 3 }, [{ layer: 0, scores }]);
    expect(heavy).toEqual([
      [0, 3, 12, 20],
      [0, 8, 15, 28],
    ]);
    // 8 open + 10: a share of 0.75 is 14 entries, 4 of them before the window.
    const recent = first(h2o({ recent: 0.75 }), { ...one, budget: 11 + 8 }, [{ layer: 0, scores }]);
    expect(recent[0]?.slice(-4)).toEqual([26, 27, 28, 29]);
    expect(recent[0]).toEqual(expect.arrayContaining([3, 12, 20]));
    expect(() => h2o({ recent: 1.5 })).toThrow(RangeError);
  });
});

describe("chunkkv", () => {
  it("keeps the chunks with the largest mean over both heads, and of the last one its best tokens", () => {
    const scores = new Float32Array(60);
    // Open position i is at i + 1. Chunks of 5: 6 to 10 has one very large score, 16 to 20 is good throughout.
    scores.fill(0.5, 16, 21).fill(0.5, 30 + 16, 30 + 21);
    scores[8] = 3;
    scores[30 + 10] = 1;
    const wanted = [0, 8, 10, 16, 17, 18, 19, 20];
    expect(first(chunkkv({ chunk: 5 }), { ...one, budget: 11 + 7 }, [{ layer: 0, scores }])).toEqual([wanted, wanted]);
    expect(() => chunkkv({ chunk: 0 })).toThrow(RangeError);
  });
});

describe("ada-kv", () => {
  const shape = { layers: 1, kvHeads: 3, tokens: 12, window: 2, protectedPositions: [], budget: 2 + 4 };
  const none = { pooling: { kind: "none", kernel: 1 } } as const;
  // One head looks at one position, one at seven, one at four; 12 entries in all.
  const scores = new Float32Array(30);
  scores[3] = 1;
  scores.fill(0.5, 10, 17);
  scores.fill(0.4, 22, 26);

  it("shares a layer's budget among its heads by how many of the best are theirs", () => {
    expect(first(adaKv({ ...none, floor: 0 }), shape, [{ layer: 0, scores }])).toEqual([
      [3],
      [0, 1, 2, 3, 4, 5, 6],
      [2, 3, 4, 5],
    ]);
  });

  it("leaves every head its floor", () => {
    // Two each; of the other six 1/12, 7/12 and 4/12.
    const kept = first(adaKv({ ...none, floor: 0.5 }), shape, [{ layer: 0, scores }]);
    expect(kept.map((list) => list.length)).toEqual([3, 5, 4]);
    expect(kept[0]).toContain(3);
    const even = first(adaKv({ ...none, floor: 1 }), shape, [{ layer: 0, scores }]);
    expect(even.map((list) => list.length)).toEqual([4, 4, 4]);
    expect(() => adaKv({ floor: 1.5 })).toThrow(RangeError);
  });
});

describe("cake", () => {
  const shape = { layers: 3, kvHeads: 1, tokens: 24, window: 4, protectedPositions: [], budget: 3 * 4 + 12 };
  const none = { pooling: { kind: "none", kernel: 1 } } as const;
  const layer = (index: number, entropy: number, variance: number) => ({
    layer: index,
    scores: Float32Array.from({ length: 20 }, (_, position) => position / 100),
    variances: new Float32Array(20).fill(variance / 20),
    entropy,
  });

  it("shares the whole budget among the layers read so far by entropy times variance", () => {
    // Preferences 8 x 3 = 24, 2 x 6 = 12, 4 x 9 = 36: of 12, the first gets 12, then 8, then 4.
    const layers = [layer(0, 8, 3), layer(1, 2, 6), layer(2, 4, 9)];
    const run = cake(none).begin(shape);
    const held: number[] = [];
    const steps = layers.map((one) => {
      for (const { layer, positions } of run.onGroup([one])) held[layer] = (positions[0] as Uint32Array).length;
      return [...held];
    });
    expect(steps).toEqual([[12], [8, 4], [4, 2, 6]]);
    // Temperatures of 2 take square roots, and 24 : 12 : 36 becomes 4.9 : 3.5 : 6 of 12.
    expect(lengths(cake({ ...none, spreadTemperature: 2, shiftTemperature: 2 }), shape, layers)).toEqual([4, 3, 5]);
  });

  it("prefers a position whose attention varies to one with more of it that is steady", () => {
    const variances = new Float32Array(20);
    variances[2] = 0.01;
    const one = { ...layer(0, 1, 0), variances };
    const single = { ...shape, layers: 1, budget: 4 + 2 };
    // Indicators: 0.02 / 4 + 200 x 0.01 = 2.005 at 2; 0.19 / 4 = 0.0475 at 19, the largest of the others.
    expect(first(cake(none), single, [one])).toEqual([[2, 19]]);
    expect(first(cake({ ...none, varianceWeight: 0 }), single, [one])).toEqual([[18, 19]]);
  });

  it("refuses settings outside their range", () => {
    for (const wrong of [{ spreadTemperature: 0 }, { shiftTemperature: -1 }, { varianceWeight: -1 }]) {
      expect(() => cake(wrong)).toThrow(RangeError);
    }
  });
});

describe("expected-attention", () => {
  const shape = { layers: 1, kvHeads: 1, tokens: 7, window: 2, protectedPositions: [0], budget: 3 + 2 };

  it("keeps what future queries can expect to look at, times the length of what they find there", () => {
    // Two query heads share the KV head. Over the four open positions their probabilities are 1/10, 2/10, 3/10, 4/10
    // and 1/4 each: on average .175, .225, .275, .325. The protected position has no part in it.
    const logits = [100, ...[1, 2, 3, 4].map(Math.log), -100, 0, 0, 0, 0];
    const layer = { layer: 0, scores: new Float32Array(0), expectedLogits: Float32Array.from(logits) };
    const kept = (norms: number[], settings = {}) =>
      first(expectedAttention(settings), shape, [{ ...layer, valueNorms: Float32Array.of(9, ...norms) }]);
    expect(kept([1, 1, 1, 1], { epsilon: 0 })).toEqual([[0, 3, 4]]);
    // .35, .225, .275, .325
    expect(kept([2, 1, 1, 1], { epsilon: 0 })).toEqual([[0, 1, 4]]);
    // .175, .270, .275, .325; with epsilon 1 1.175, 1.47, 1.275, 1.325
    expect(kept([1, 1.2, 1, 1], { epsilon: 0 })).toEqual([[0, 3, 4]]);
    expect(kept([1, 1.2, 1, 1], { epsilon: 1 })).toEqual([[0, 2, 4]]);
    expect(() => expectedAttention({ epsilon: -0.1 })).toThrow(RangeError);
  });
});

describe("keydiff", () => {
  it("keeps the keys that point away from the mean direction, whatever their length", () => {
    // Directions: four to the east, one to the north, one to the north-east. The anchor points a little north of east.
    const east = [3, 0];
    const keys = Float32Array.from([...east, 0.1, 0, ...east, 0, 7, 0.2, 0.2, ...east]);
    const layer = { layer: 0, scores: new Float32Array(0), keys };
    const shape = { layers: 1, kvHeads: 1, tokens: 8, window: 2, protectedPositions: [], budget: 1 + 2 };
    expect(first(keydiff(), shape, [layer])).toEqual([[3]]);
    // Cosines with the anchor (4.71, 1.71): east .94, north .34, north-east .91.
    expect(first(keydiff(), { ...shape, budget: 2 + 2 }, [layer])).toEqual([[3, 4]]);
    const broken = keys.slice();
    broken[6] = Number.NaN;
    expect(first(keydiff(), shape, [{ ...layer, keys: broken }])).toEqual([[4]]);
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

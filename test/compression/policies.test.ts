import { describe, expect, it } from "vitest";
import { adaKv } from "../../core/compression/ada-kv.js";
import { cake } from "../../core/compression/cake.js";
import { chunkkv } from "../../core/compression/chunkkv.js";
import { expectedAttention } from "../../core/compression/expected-attention.js";
import { h2o } from "../../core/compression/h2o.js";
import { keydiff } from "../../core/compression/keydiff.js";
import type { LayerRetention, LayerScores, Policy, ReadingShape } from "../../core/compression/policy.js";
import { pyramidkv } from "../../core/compression/pyramidkv.js";
import { createPolicy, defaultPolicy, policyNames } from "../../core/compression/registry.js";
import { snapkv } from "../../core/compression/snapkv.js";
import { streamingLlm } from "../../core/compression/streaming-llm.js";
import { PrecisError } from "../../core/errors.js";
import { layerScores } from "./arbitraries.js";
import { first, history, small, total } from "./holding.js";

/** Open positions per layer after the last layer. */
function lengths(policy: Policy, shape: ReadingShape, scores: LayerScores[]): number[] {
  return history(policy, shape, scores).at(-1) as number[];
}

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

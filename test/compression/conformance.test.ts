import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LayerRetention, LayerScores, Policy, ReadingShape } from "../../core/compression/policy.js";
import { createPolicy, policyNames } from "../../core/compression/registry.js";
import { PrecisError } from "../../core/errors.js";
import { type Case, cases, layerScores } from "./arbitraries.js";

/** What the engine hands over of what there is: only what the policy asked for. */
function asked(policy: Policy, of: LayerScores): LayerScores {
  const { layer, scores } = of;
  const needed = (policy.needs ?? []).map((name) => [name, of[name]]);
  return { layer, scores: policy.reduction ? scores : new Float32Array(0), ...Object.fromEntries(needed) };
}

/** Reads all layers as the engine does, and checks after every call what must hold at any moment, the peak included. */
function read(policy: Policy, shape: ReadingShape, scores: LayerScores[], calls: number[]): LayerRetention[] {
  const run = policy.begin(shape);
  const held: LayerRetention[] = [];
  const said = policy.heldEntries(shape);
  expect(said).toHaveLength(shape.layers);
  let first = 0;
  let largest = 0;
  for (const size of calls) {
    const given = scores.slice(first, first + size).map((layer) => asked(policy, layer));
    const seen = new Set<number>();
    for (const retention of run.onGroup(given)) {
      expect(seen.has(retention.layer)).toBe(false);
      seen.add(retention.layer);
      checkLayer(shape, retention);
      const last = held[retention.layer];
      if (last) checkShrinks(last, retention);
      else expect(retention.layer).toBeGreaterThanOrEqual(first);
      held[retention.layer] = retention;
    }
    first += size;
    expect(Object.keys(held).length).toBe(first);
    expect(held.length).toBe(first);
    const now = entries(shape, held);
    expect(now).toBeLessThanOrEqual(said[first - 1] as number);
    largest = Math.max(largest, now);
  }
  if (calls.every((size) => size === 1)) expect(largest).toBe(Math.max(...said));
  return held;
}

function checkLayer(shape: ReadingShape, { positions }: LayerRetention): void {
  expect(positions.length).toBe(shape.kvHeads);
  const before = Math.max(0, shape.tokens - shape.window);
  const sound = (list: Uint32Array) => {
    const kept = new Set(list);
    return (
      list.every((position, i) => position < before && (i === 0 || position > (list[i - 1] as number))) &&
      shape.protectedPositions.every((position) => kept.has(position))
    );
  };
  expect(positions.filter((list) => !sound(list))).toHaveLength(0);
}

function checkShrinks(last: LayerRetention, now: LayerRetention): void {
  const shrinks = (list: Uint32Array, head: number) => {
    const before = last.positions[head] as Uint32Array;
    const kept = new Set(before);
    return list.every((position) => kept.has(position));
  };
  expect(now.positions.filter((list, head) => !shrinks(list, head))).toHaveLength(0);
  expect(total(now)).toBeLessThan(total(last));
}

const total = ({ positions }: LayerRetention) => positions.reduce((sum, list) => sum + list.length, 0);
/** Of a KV head, on average. */
const lengthOf = (retention: LayerRetention) => total(retention) / retention.positions.length;

function entries(shape: ReadingShape, held: LayerRetention[]): number {
  const window = Math.min(shape.window, shape.tokens);
  return held.reduce((sum, retention) => sum + window + lengthOf(retention), 0);
}

const each = (value: number, count: number) => new Array<number>(count).fill(value);
const plain: ReadingShape = {
  layers: 7,
  kvHeads: 2,
  tokens: 60,
  window: 10,
  protectedPositions: [0, 1, 5],
  budget: 200,
};

describe.each(policyNames)("%s", (name) => {
  const policy = createPolicy(name);
  /** Tests that only mean something for a policy that drops positions, or that chooses them by scores. */
  const dropping = (title: string, test: () => void) => (policy.keepsAll ? undefined : it(title, test));
  const scoring = (title: string, test: () => void) => (policy.reduction ? it(title, test) : undefined);

  it("keeps valid lists, only shrinks, and ends exactly at the budget, however layers are called", () => {
    fc.assert(
      fc.property(cases(), ({ shape, scores, calls }: Case) => {
        const held = read(policy, shape, scores, calls);
        const wanted = policy.keepsAll ? Number.POSITIVE_INFINITY : shape.budget;
        expect(entries(shape, held)).toBe(Math.min(wanted, shape.layers * shape.tokens));
      }),
      { numRuns: 150 },
    );
  });

  it("gives the same plan for one layer at a time as for all at once", () => {
    fc.assert(
      fc.property(cases(), ({ shape, scores }: Case) => {
        const single = read(policy, shape, scores, each(1, shape.layers));
        expect(read(policy, shape, scores, [shape.layers])).toEqual(single);
      }),
      { numRuns: 50 },
    );
  });

  it("keeps everything when the budget is larger than the document", () => {
    const shape = { ...plain, budget: 10_000 };
    const everything = Uint32Array.from({ length: 50 }, (_, position) => position);
    for (const { positions } of read(policy, shape, layerScores(shape, "random", 1), each(1, 7))) {
      expect(positions).toEqual([everything, everything]);
    }
  });

  it("manages prompts without anything before the window", () => {
    for (const tokens of [0, 4, 10]) {
      const shape = { ...plain, tokens, protectedPositions: [], budget: 7 * tokens };
      const held = read(policy, shape, layerScores(shape, "random", 1), each(1, 7));
      expect(held.map(lengthOf)).toEqual(each(0, 7));
    }
  });

  it("does not change the scores it is given", () => {
    const scores = layerScores(plain, "broken", 3);
    const copy = structuredClone(scores);
    read(policy, plain, scores, [3, 4]);
    expect(scores).toEqual(copy);
  });

  it("refuses layers out of order, twice, or after the last", () => {
    const scores = layerScores(plain, "random", 1).map((layer) => asked(policy, layer));
    const [first, second] = scores as [LayerScores, LayerScores];
    expect(() => policy.begin(plain).onGroup([second])).toThrow(RangeError);
    expect(() => policy.begin(plain).onGroup([first, first])).toThrow(RangeError);
    const run = policy.begin(plain);
    run.onGroup(scores);
    expect(() => run.onGroup([{ ...second, layer: 7 }])).toThrow(RangeError);
  });

  it("refuses shapes that make no sense", () => {
    for (const wrong of [
      { layers: 0 },
      { kvHeads: 1.5 },
      { tokens: -1 },
      { protectedPositions: [5, 5] },
      { protectedPositions: [3, 1] },
      { protectedPositions: [50] },
    ]) {
      expect(() => policy.begin({ ...plain, ...wrong })).toThrow(RangeError);
      expect(() => policy.heldEntries({ ...plain, ...wrong })).toThrow(RangeError);
    }
  });

  dropping("refuses a budget too small for window and protected positions, and names the smallest", () => {
    const smallest = 7 * (10 + 3);
    expect(
      entries(plain, read(policy, { ...plain, budget: smallest }, layerScores(plain, "random", 1), each(1, 7))),
    ).toBe(smallest);
    const begin = () => policy.begin({ ...plain, budget: smallest - 1 });
    expect(begin).toThrow(PrecisError);
    expect(begin).toThrow(
      expect.objectContaining({ code: "budget-too-small", next: expect.stringMatching(/\b13 .*\b91 /) }),
    );
    expect(() => policy.heldEntries({ ...plain, budget: smallest - 1 })).toThrow(PrecisError);
    expect(() => policy.begin({ ...plain, budget: Number.NaN })).toThrow(RangeError);
  });

  scoring("refuses scores of another shape", () => {
    const [layer] = layerScores(plain, "random", 1) as [LayerScores];
    expect(() => policy.begin(plain).onGroup([{ ...layer, scores: new Float32Array(99) }])).toThrow(RangeError);
  });

  it("asks for the variance and entropy of attention only along with scores", () => {
    const ofAttention = (policy.needs ?? []).filter((name) => name === "variances" || name === "entropy");
    if (!policy.reduction) expect(ofAttention).toEqual([]);
  });

  it("refuses a layer without what it needs, or with that in another shape", () => {
    const [layer] = layerScores(plain, "random", 1) as [LayerScores];
    for (const name of policy.needs ?? []) {
      expect(() => policy.begin(plain).onGroup([{ ...layer, [name]: undefined }])).toThrow(RangeError);
      if (name === "entropy") continue;
      expect(() => policy.begin(plain).onGroup([{ ...layer, [name]: new Float32Array(101) }])).toThrow(RangeError);
    }
  });

  scoring("keeps, in each head, what the window attends to", () => {
    // Enough for the layers at the narrow end of a pyramid too.
    const shape = { ...plain, budget: 7 * (10 + 3 + 30) };
    const scores = layerScores(shape, "zero", 1);
    for (const layer of scores) {
      // what attracts attention varies, too, and has something to give
      for (const row of [layer.scores, layer.variances]) row.fill(1, 20, 22).fill(1, 50 + 40, 50 + 42);
      layer.valueNorms.fill(1);
    }
    for (const { positions } of read(policy, shape, scores, each(1, 7))) {
      expect([20, 21].every((position) => positions[0]?.includes(position))).toBe(true);
      expect([40, 41].every((position) => positions[1]?.includes(position))).toBe(true);
    }
  });

  scoring("never prefers a broken score to a sound one", () => {
    // 3 open positions per layer: fewer than lie in the sound part, more than half a pooling kernel from its edge.
    const shape = { ...plain, budget: 7 * (10 + 3 + 3) };
    const scores = layerScores(shape, "zero", 1);
    for (const { scores: row, valueNorms } of scores) {
      valueNorms.fill(1);
      row.fill(Number.NaN, 6, 20).fill(Number.POSITIVE_INFINITY, 20, 25).fill(0.5, 25, 50);
      row.fill(Number.NaN, 56, 70).fill(Number.NEGATIVE_INFINITY, 70, 85).fill(0.5, 85, 100);
    }
    for (const { positions } of read(policy, shape, scores, each(1, 7))) {
      expect(positions[0]?.every((position) => position < 6 || position >= 25)).toBe(true);
      expect(positions[1]?.every((position) => position < 6 || position >= 35)).toBe(true);
    }
  });
});

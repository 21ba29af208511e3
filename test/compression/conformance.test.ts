import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LayerRetention, LayerScores, Policy, ReadingShape } from "../../core/compression/policy.js";
import { createPolicy, policyNames } from "../../core/compression/registry.js";
import { PrecisError } from "../../core/errors.js";
import { type Case, cases, layerScores } from "./arbitraries.js";

/** Reads all layers as the engine does, and checks after every call what must hold at any moment. */
function read(policy: Policy, shape: ReadingShape, scores: LayerScores[], calls: number[]): LayerRetention[] {
  const run = policy.begin(shape);
  const held: LayerRetention[] = [];
  let first = 0;
  for (const size of calls) {
    const group = scores.slice(first, first + size);
    const given = policy.reduction ? group : group.map(({ layer }) => ({ layer, scores: new Float32Array(0) }));
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
  }
  return held;
}

function checkLayer(shape: ReadingShape, { positions }: LayerRetention): void {
  expect(positions.length).toBe(shape.kvHeads);
  const before = Math.max(0, shape.tokens - shape.window);
  for (const list of positions) {
    expect(list.length).toBe(positions[0]?.length);
    expect(list.every((position, i) => position < before && (i === 0 || position > (list[i - 1] as number)))).toBe(
      true,
    );
    const kept = new Set(list);
    expect(shape.protectedPositions.every((position) => kept.has(position))).toBe(true);
  }
}

function checkShrinks(last: LayerRetention, now: LayerRetention): void {
  for (const [head, list] of now.positions.entries()) {
    const before = last.positions[head] as Uint32Array;
    expect(list.length).toBeLessThan(before.length);
    const kept = new Set(before);
    expect(list.every((position) => kept.has(position))).toBe(true);
  }
}

const lengthOf = (retention: LayerRetention) => (retention.positions[0] as Uint32Array).length;

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
  /** A test that only means something for a policy that reads scores and drops positions. */
  const dropping = (title: string, test: () => void) => (policy.keepsAll ? undefined : it(title, test));

  it("keeps valid lists, only shrinks, and ends exactly at the budget, however layers are called", () => {
    fc.assert(
      fc.property(cases(), ({ shape, scores, calls }: Case) => {
        const held = read(policy, shape, scores, calls);
        const wanted = policy.keepsAll ? Number.POSITIVE_INFINITY : shape.budget;
        expect(entries(shape, held)).toBe(Math.min(wanted, shape.layers * shape.tokens));
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same plan for one layer at a time as for all at once", () => {
    fc.assert(
      fc.property(cases(), ({ shape, scores }: Case) => {
        const single = read(policy, shape, scores, each(1, shape.layers));
        expect(read(policy, shape, scores, [shape.layers])).toEqual(single);
      }),
      { numRuns: 100 },
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
    const copy = scores.map((layer) => layer.scores.slice());
    read(policy, plain, scores, [3, 4]);
    expect(scores.map((layer) => layer.scores)).toEqual(copy);
  });

  it("refuses layers out of order, twice, or after the last", () => {
    const scores = layerScores(plain, "random", 1).map(({ layer, scores }) => ({
      layer,
      scores: policy.reduction ? scores : new Float32Array(0),
    }));
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
    expect(() => policy.begin({ ...plain, budget: Number.NaN })).toThrow(RangeError);
  });

  dropping("refuses scores of another shape", () => {
    expect(() => policy.begin(plain).onGroup([{ layer: 0, scores: new Float32Array(99) }])).toThrow(RangeError);
  });

  dropping("keeps, in each head, the span that the window attends to", () => {
    const scores = layerScores(plain, "zero", 1);
    for (const { scores: row } of scores) {
      row[20] = 1;
      row[50 + 40] = 1;
    }
    for (const { positions } of read(policy, plain, scores, each(1, 7))) {
      expect(positions[0]).toContain(20);
      expect(positions[0]).toContain(21);
      expect(positions[1]).toContain(40);
      expect(positions[1]).toContain(41);
    }
  });

  dropping("never prefers a broken score to a sound one", () => {
    const own = createPolicy(name, { pooling: { kind: "none", kernel: 1 } });
    const scores = layerScores(plain, "zero", 1);
    for (const { scores: row } of scores) {
      row.fill(Number.NaN, 6, 20).fill(Number.POSITIVE_INFINITY, 20, 30).fill(0.5, 30, 50);
      row.fill(Number.NaN, 56, 100).fill(0.5, 50, 75);
    }
    for (const { positions } of read(own, plain, scores, each(1, 7))) {
      expect([...(positions[0] as Uint32Array)].every((position) => position < 6 || position >= 30)).toBe(true);
      expect([...(positions[1] as Uint32Array)].every((position) => position < 25)).toBe(true);
    }
  });
});

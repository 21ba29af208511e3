import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LayerScores } from "../../core/compression/policy.js";
import {
  type PropagationSettings,
  type PropagationShape,
  propagation,
  propagationDefaults,
} from "../../core/compression/propagation.js";
import { createPolicy, policyNames } from "../../core/compression/registry.js";
import { cases, type EveryScore, random } from "./arbitraries.js";

const bounds = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

const settingsOf: fc.Arbitrary<PropagationSettings> = fc
  .record({
    cuts: fc.array(fc.tuple(bounds, bounds), { maxLength: 3 }),
    kernel: fc.constantFrom(1, 5),
    narrowing: fc.double({ min: 0, max: 1, noNaN: true }),
    mass: fc.double({ min: 0, max: 1, noNaN: true }),
    tail: fc.integer({ min: 0, max: 20 }),
    positions: fc.constantFrom(4096, 10),
  })
  .map(({ cuts, kernel, ...rest }) => ({
    cuts: cuts.map(([[earliest, latest], [least, most]]) => ({ earliest, latest, least, most })),
    pooling: { kind: "average", kernel },
    ...rest,
  }));

/** Of a layer's observations, the columns of the positions that came to it. */
function columns({ shape, of, came }: { shape: { kvHeads: number }; of: EveryScore; came: Uint32Array }): EveryScore {
  const before = of.scores.length / shape.kvHeads;
  const pick = (values: Float32Array) => {
    const width = before === 0 ? 0 : values.length / (shape.kvHeads * before);
    // heads of one kind come one after the other, and so do a key's elements
    const each = values === of.keys ? width : 1;
    const rows = each === 0 ? 0 : values.length / (before * each || 1);
    return Float32Array.from(
      Array.from({ length: rows }, (_, row) =>
        [...came].flatMap((position) => [...values.subarray((row * before + position) * each).subarray(0, each)]),
      ).flat(),
    );
  };
  const { layer, entropy, scores, variances, valueNorms, keys, expectedLogits } = of;
  return {
    layer,
    entropy,
    scores: pick(scores),
    variances: pick(variances),
    valueNorms: pick(valueNorms),
    keys: pick(keys),
    expectedLogits: pick(expectedLogits),
  };
}

describe("propagation", () => {
  it("passes on ever fewer positions, within its bounds, and always those that are protected and the tail", () => {
    fc.assert(
      fc.property(cases(), settingsOf, ({ shape, scores, calls }, settings) => {
        const run = propagation(settings).begin(shape);
        const before = Math.max(0, shape.tokens - shape.window);
        let came: Uint32Array = Uint32Array.from({ length: before }, (_, position) => position);
        let first = 0;
        let made = 0;
        for (const size of calls) {
          const group = scores.slice(first, first + size).map((of) => columns({ shape, of, came }));
          const passed = run.onGroup(group);
          first += size;
          if (!passed) continue;
          const cut = settings.cuts[made++] as PropagationSettings["cuts"][number];
          expect(first).toBeGreaterThanOrEqual(Math.max(1, Math.round(cut.earliest * shape.layers)));
          const last = new Set(came);
          const ascends = passed.every((position, i) => i === 0 || position > (passed[i - 1] as number));
          expect(ascends && passed.every((position) => last.has(position))).toBe(true);
          const always = new Set(shape.protectedPositions);
          for (let position = Math.max(0, before - settings.tail); position < before; position++) always.add(position);
          expect(passed.filter((position) => always.has(position))).toHaveLength(always.size);
          const chosen = passed.length - always.size;
          const least = Math.min(came.length - always.size, settings.positions, Math.ceil(cut.least * before));
          expect(chosen).toBeGreaterThanOrEqual(least);
          expect(chosen).toBeLessThanOrEqual(Math.min(settings.positions, Math.ceil(cut.most * before)));
          came = passed;
        }
      }),
    );
  });

  const shape: PropagationShape = { layers: 30, tokens: 1040, window: 40, protectedPositions: [0, 1, 2, 3] };
  const all = Array.from({ length: 1000 }, (_, position) => position);
  /** Most layers attend to the text's end; one of them looks for something all over it, and finds it. */
  function layer(index: number, looking: number): LayerScores {
    const found = (position: number) => index === looking && position >= 300 && position < 360;
    const scores = Float32Array.from(all, (position) =>
      found(position) ? 5 : index === looking ? 1 + (position % 7) / 10 : position > 900 ? 4 : 0.1,
    );
    return { layer: index, scores };
  }
  function cutOf(looking: number, settings: Partial<PropagationSettings> = {}) {
    const cuts = [{ earliest: 0.2, latest: 0.5, least: 0.05, most: 0.3 }];
    const run = propagation({ cuts, ...settings }).begin(shape);
    for (let index = 0; index < shape.layers; index++) {
      const passed = run.onGroup([layer(index, looking)]);
      if (passed) return { layers: index + 1, passed };
    }
    return undefined;
  }

  it("cuts when attention narrows again after the widest layer, and at the latest place if it never does", () => {
    expect(cutOf(5)?.layers).toBe(7);
    expect(cutOf(9)?.layers).toBe(11);
    expect(cutOf(29)?.layers).toBe(15);
    const wider = propagation().begin(shape);
    for (let index = 0; index < 10; index++) {
      // ever wider: only the bound ends it
      const scores = Float32Array.from(all, (position) => (position > 900 - 50 * index ? 1 : 0.01));
      const passed = wider.onGroup([{ layer: index, scores }]);
      expect(passed === undefined).toBe(index < 9);
    }
    expect(cutOf(9, { cuts: [] })).toBeUndefined();
  });

  it("passes on what the widest layer has found, and more where that takes more to hold its share", () => {
    const { passed } = cutOf(5) as { passed: Uint32Array };
    // less of its edges, which share their worth with what lies beside
    for (let position = 310; position < 350; position++) expect(passed).toContain(position);
    const counts = [0.1, 0.3, 0.9].map((mass) => cutOf(5, { mass })?.passed.length as number);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts[1]).toBeGreaterThan(counts[0] as number);
    expect(counts[2]).toBe(300 + 4 + propagationDefaults.tail);
  });

  it("expects as many tokens as will go on", () => {
    const through = propagation().expectedTokens(shape);
    const { layers, passed } = cutOf(7, propagationDefaults) as { layers: number; passed: Uint32Array };
    const real = Array.from({ length: 30 }, (_, index) => (index < layers ? 1040 : passed.length + 40));
    const sum = (list: readonly number[]) => list.reduce((total, tokens) => total + tokens, 0);
    expect(sum(through) / sum(real)).toBeGreaterThan(0.85);
    expect(sum(through) / sum(real)).toBeLessThan(1.15);
  });

  it("passes on no more to any layer than it says at most, wherever attention narrows and whatever it holds", () => {
    for (const mass of [0.1, 0.6, 0.9]) {
      const settings = { ...propagationDefaults, mass };
      const most = propagation(settings).mostTokens(shape);
      for (let widest = 1; widest < 29; widest++) {
        const { layers, passed } = cutOf(widest, settings) as { layers: number; passed: Uint32Array };
        for (const [layer, tokens] of most.entries()) {
          expect(layer < layers ? 1040 : passed.length + 40).toBeLessThanOrEqual(tokens);
        }
      }
      expect(most.at(-1)).toBeLessThan(0.45 * 1040);
    }
  });

  it("refuses settings outside their range, and layers out of order", () => {
    const [cut] = propagationDefaults.cuts as [PropagationSettings["cuts"][number]];
    for (const wrong of [
      { mass: 1.1 },
      { mass: Number.NaN },
      { tail: -1 },
      { positions: 0.5 },
      { cuts: [{ ...cut, most: 2 }] },
      { cuts: [{ ...cut, earliest: 0.9 }] },
    ]) {
      expect(() => propagation(wrong)).toThrow(RangeError);
    }
    expect(() =>
      propagation()
        .begin(shape)
        .onGroup([layer(1, 0)]),
    ).toThrow(/came after 0/);
  });
});

describe("every policy", () => {
  it("keeps of a layer only what came to it, and never more than its budget allows", () => {
    fc.assert(
      fc.property(cases(), fc.integer({ min: 1, max: 4 }), fc.nat(), (one, layersBefore, seed) => {
        const { shape, scores } = one;
        const next = random(seed);
        const always = new Set(shape.protectedPositions);
        const before = Math.max(0, shape.tokens - shape.window);
        const came = Uint32Array.from({ length: before }, (_, position) => position).filter(
          (position) => always.has(position) || next() < 0.4,
        );
        for (const name of policyNames.filter((name) => name !== "full")) {
          const policy = createPolicy(name);
          const run = policy.begin(shape);
          const held: (readonly Uint32Array[])[] = [];
          for (const of of scores) {
            const given = of.layer < layersBefore ? of : { ...columns({ shape, of, came }), positions: came };
            for (const { layer, positions } of run.onGroup([given])) held[layer] = positions;
          }
          const passed = new Set(came);
          const fromPassed = (list: Uint32Array) => list.every((position) => passed.has(position));
          expect(held.slice(layersBefore).flat().every(fromPassed), name).toBe(true);
          const protectedOf = (list: Uint32Array) => list.filter((position) => always.has(position));
          expect(
            held.flat().every((list) => protectedOf(list).length === always.size),
            name,
          ).toBe(true);
          const window = Math.min(shape.window, shape.tokens);
          const entries = held.flat().reduce((sum, list) => sum + list.length, 0) / shape.kvHeads;
          expect(entries + window * shape.layers, name).toBeLessThanOrEqual(Math.max(shape.budget, 0));
        }
      }),
      { numRuns: 30 },
    );
  });
});

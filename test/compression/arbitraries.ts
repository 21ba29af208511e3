import fc from "fast-check";
import type { LayerScores, ReadingShape } from "../../core/compression/policy.js";

export type ScoreKind = "random" | "skewed" | "equal" | "zero" | "broken";

/** Of a layer that all positions went through. */
export type EveryScore = Required<Omit<LayerScores, "positions">>;

export interface Case {
  readonly shape: ReadingShape;
  /** One element per layer. */
  readonly scores: EveryScore[];
  /** How many layers each call brings; sums to the layers. */
  readonly calls: number[];
}

/** A small seeded generator (mulberry32): fast-check shrinks the seed, not thousands of floats. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Small ones: what they are in a real model does not matter to a policy. */
export const keySize = 4;
const queryHeadsPerKvHead = 2;

/** Scores, and everything else that a policy may need. */
export function layerScores(shape: ReadingShape, kind: ScoreKind, seed: number): EveryScore[] {
  const next = random(seed);
  const before = Math.max(0, shape.tokens - shape.window);
  return Array.from({ length: shape.layers }, (_, layer) => {
    // Skewed layers differ by orders of magnitude, so that budgets run into floors and caps.
    const scale = kind === "skewed" ? 10 ** (next() * 12 - 6) : 1;
    const draw = (): number => {
      if (kind === "equal") return 0.25;
      if (kind === "zero") return 0;
      if (kind === "broken" && next() < 0.3) return [NaN, Infinity, -Infinity, -1][Math.floor(next() * 4)] as number;
      return scale * next() ** 4;
    };
    const drawn = (columns: number) => Float32Array.from({ length: shape.kvHeads * before * columns }, draw);
    const scores = drawn(1);
    return {
      layer,
      scores,
      variances: drawn(1),
      entropy: draw() * 100,
      valueNorms: drawn(1),
      keys: drawn(keySize),
      expectedLogits: drawn(queryHeadsPerKvHead),
    };
  });
}

/** Readings of 1 to `maxLayers` layers, budgets from the smallest possible to more than everything. */
export function cases(maxLayers = 12): fc.Arbitrary<Case> {
  return fc
    .record({
      layers: fc.integer({ min: 1, max: maxLayers }),
      kvHeads: fc.integer({ min: 1, max: 3 }),
      tokens: fc.integer({ min: 0, max: 70 }),
      window: fc.integer({ min: 0, max: 80 }),
      protectedShare: fc.constantFrom(0, 0, 0.1, 0.5, 1),
      budgetShare: fc.oneof(fc.constantFrom(0, 1, 1.5), fc.double({ min: 0, max: 1, noNaN: true })),
      kind: fc.constantFrom<ScoreKind>("random", "skewed", "equal", "zero", "broken"),
      seed: fc.nat(),
    })
    .map(({ layers, kvHeads, tokens, window, protectedShare, budgetShare, kind, seed }) => {
      const next = random(seed);
      const before = Math.max(0, tokens - window);
      const protectedPositions = Array.from({ length: before }, (_, i) => i).filter(() => next() < protectedShare);
      const least = layers * (Math.min(window, tokens) + protectedPositions.length);
      const budget = least + Math.ceil(budgetShare * (layers * tokens - least)) + (budgetShare > 1 ? 100 : 0);
      const shape = { layers, kvHeads, tokens, window, protectedPositions, budget };
      const calls: number[] = [];
      for (let left = layers; left > 0; left -= calls.at(-1) as number) calls.push(1 + Math.floor(next() * left));
      return { shape, scores: layerScores(shape, kind, seed), calls };
    });
}

/** What layers hold in the course of a reading, for the tests of policies. */
import type { LayerRetention, LayerScores, Policy, ReadingShape } from "../../core/compression/policy.js";

/** Open positions (kept, less protected) per layer and KV head after each call of one layer. */
export function history(policy: Policy, shape: ReadingShape, scores: LayerScores[]): number[][] {
  const run = policy.begin(shape);
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

/** What the first layer of a reading with one layer keeps. */
export function first(policy: Policy, shape: ReadingShape, scores: LayerScores[]): number[][] {
  const [{ positions }] = policy.begin(shape).onGroup(scores) as [LayerRetention];
  return positions.map((list) => [...list]);
}

export const peakEntries = (policy: Policy, shape: ReadingShape) => Math.max(...policy.heldEntries(shape));
export const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
export const small = { layers: 8, kvHeads: 2, tokens: 220, window: 20, protectedPositions: [], budget: 8 * 30 };

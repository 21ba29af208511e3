import { evenBudgets, layerwise } from "./layerwise.js";
import type { GroupReduction, Policy } from "./policy.js";
import { type HeadHolding, openHeads } from "./reading.js";
import { selectTop } from "./select.js";
import { withDefaults } from "./settings.js";

export interface ChunkKvSettings {
  readonly reduction: GroupReduction;
  /** Tokens per chunk. */
  readonly chunk: number;
}

/** The paper's main results use chunks of 10. */
export const chunkKvDefaults: ChunkKvSettings = { reduction: "mean", chunk: 10 };

/**
 * ChunkKV (arXiv 2502.00299, section 3): whole chunks of neighbouring tokens are kept or dropped, so that a kept token
 * keeps its meaning.
 *
 * Per layer: scores f32 [kvHeads x before] -> open positions cut into chunks from the start -> mean over a chunk's
 * tokens of the sum over heads -> the best chunks, the same in all heads (as in NVIDIA/kvpress). Layers keep `b` open
 * positions each, which sum to the open budget and differ by at most 1; where `b` ends inside a chunk, that chunk gives
 * its best tokens (the paper keeps whole chunks only, and so not quite its budget).
 *
 * The paper's reuse of one layer's choice in the next saves scoring time, which is small here; it is left out.
 * @throws RangeError when the chunk is not a whole number from 1 on
 */
export function chunkkv(settings: Partial<ChunkKvSettings> = {}): Policy {
  const { reduction, chunk } = withDefaults("chunkkv", chunkKvDefaults, settings);
  if (!Number.isInteger(chunk) || chunk < 1) throw new RangeError(`a chunk is 1 token or more, not ${chunk}`);
  return layerwise({
    name: "chunkkv",
    reduction,
    budgets: evenBudgets,
    choose(reading, scores, count) {
      const heads = openHeads(reading, scores, { kind: "none", kernel: 1 });
      const kept = bestChunks(sumOfHeads(heads), chunk, count);
      const positions = kept.map((index) => reading.open[index] as number);
      return heads.map(() => positions);
    },
  });
}

function sumOfHeads([first, ...others]: readonly HeadHolding[]): Float32Array {
  const sum = (first as HeadHolding).scores.slice();
  for (const { scores } of others)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (scores[i] as number);
  return sum;
}

/** Indices of `count` scores, ascending: chunk by chunk, the best first; of equal chunks the later one. */
function bestChunks(scores: Float32Array, chunk: number, count: number): Uint32Array {
  const parts = Array.from({ length: Math.ceil(scores.length / chunk) }, (_, index) => {
    const start = index * chunk;
    const row = scores.subarray(start, start + chunk);
    return { start, row, mean: row.reduce((sum, score) => sum + score, 0) / row.length };
  });
  parts.sort((a, b) => b.mean - a.mean || b.start - a.start);
  const indices = new Uint32Array(count);
  let filled = 0;
  for (const { start, row } of parts) {
    if (filled === count) break;
    for (const index of selectTop(row, Math.min(row.length, count - filled))) indices[filled++] = start + index;
  }
  return indices.sort();
}

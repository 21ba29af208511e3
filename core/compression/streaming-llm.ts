import { evenBudgets, layerwise } from "./layerwise.js";
import type { Policy } from "./policy.js";
import { withDefaults } from "./settings.js";

export interface StreamingLlmSettings {
  /** Positions at the start of the prompt that are kept as attention sinks. */
  readonly sinks: number;
}

/** The paper's four. */
export const streamingLlmDefaults: StreamingLlmSettings = { sinks: 4 };

/**
 * StreamingLLM (arXiv 2309.17453): the first positions and the most recent ones, the same in every layer and KV head.
 * It reads no scores. Each layer keeps `b` open positions, where the `b` of all layers sum to the open budget and
 * differ by at most 1: the sinks that are not protected anyway, then the last ones before the window (which is the
 * tail's end).
 *
 * Unlike the paper, which slides while it decodes and numbers positions inside the cache, keys keep their true
 * positions and nothing is dropped after reading.
 * @throws RangeError when `sinks` is not a whole number
 */
export function streamingLlm(settings: Partial<StreamingLlmSettings> = {}): Policy {
  const { sinks } = withDefaults("streaming-llm", streamingLlmDefaults, settings);
  if (!Number.isInteger(sinks) || sinks < 0) throw new RangeError(`sinks is a whole number, not ${sinks}`);
  return layerwise({
    name: "streaming-llm",
    reduction: undefined,
    budgets: evenBudgets,
    choose({ open, kvHeads }, _scores, count) {
      const first = Math.min(count, open.filter((position) => position < sinks).length);
      const positions = new Uint32Array(count);
      positions.set(open.subarray(0, first));
      positions.set(open.subarray(open.length - (count - first)), first);
      return new Array<Uint32Array>(kvHeads).fill(positions);
    },
  });
}

/** How long reading and writing take on this machine: the work of a step, and what a unit of it takes. */
import { layerWork } from "../engine/shape.js";
import type { Engine, ModelInfo } from "../engine/types.js";
import type { ReadingMode, RunOptions } from "./options.js";
import { planRun, propagationOf } from "./plan.js";
import { buildPrompt } from "./prompt.js";

/** What steps take, whatever the machine. */
export interface Work {
  /** Multiply-adds of reading. */
  readonly read: number;
  /** Tokens written. */
  readonly write: number;
}

/** Milliseconds that a unit of work takes. */
export interface Speed {
  readonly read: number;
  readonly write: number;
}

export const noWork: Work = { read: 0, write: 0 };

export const addWork = (one: Work, other: Work): Work => ({
  read: one.read + other.read,
  write: one.write + other.write,
});

/** Reading a prompt and writing behind it. */
export function workOf(model: ModelInfo, promptTokens: number, writtenTokens: number, mode?: ReadingMode): Work {
  const shape = { layers: model.layers, tokens: promptTokens, window: 0, protectedPositions: [] };
  const through = propagationOf(mode)?.expectedTokens(shape) ?? new Array<number>(model.layers).fill(promptTokens);
  return { read: through.reduce((sum, tokens) => sum + layerWork(model, tokens), 0), write: writtenTokens };
}

export const timeOf = (work: Work, speed: Speed): number => work.read * speed.read + work.write * speed.write;

/** Tokens of text read and tokens written for a trial: a second or two with a small model. */
const trial = { text: 256, written: 8 };

/**
 * Reads the beginning of a text and writes a few tokens, to see how long that takes.
 * @throws PrecisError cancelled, and what the engine throws
 */
export async function measureSpeed(
  engine: Engine,
  text: string,
  options: RunOptions,
  signal?: AbortSignal,
): Promise<Speed> {
  const { model } = engine;
  // no token of text is longer than eight characters on average
  let start = text.slice(0, trial.text * 8);
  const tokens = engine.tokenize(start).length;
  if (tokens > trial.text) start = start.slice(0, Math.ceil((start.length * trial.text) / tokens));
  const prompt = buildPrompt(engine, start, options);
  const lengths = { ...prompt, tokens: prompt.tokens.length };
  // read thoroughly: what a unit of work takes is the same
  const { policy, budget, kvType, groupLayers } = planRun(model, lengths, trial.written, {
    ...options,
    budget: "100%",
  });
  const session = await engine.createSession();
  try {
    const { timings } = await session.read(prompt, {
      policy,
      budgetEntries: budget.entriesTotal,
      kvType,
      groupLayers,
      answerTokens: trial.written,
      threads: options.threads,
      signal,
    });
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 0 };
    const { decodeMs, tokens: written } = await session.generate({
      sampling,
      maxTokens: trial.written,
      signal,
    });
    const { read } = workOf(model, lengths.tokens, 0);
    return { read: (timings.prefillMs + timings.compressMs) / read, write: decodeMs / Math.max(1, written) };
  } finally {
    await session.dispose();
  }
}

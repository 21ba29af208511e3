/** What a model could read in one go on this machine, before it is there: for choosing between models. */
import { defaultPolicy } from "../compression/registry.js";
import type { PromptLengths } from "../engine/shape.js";
import { defaultBudget, type MemoryShape } from "../estimate/estimate.js";
import { largestThatFits, planRun } from "./plan.js";
import { maxAnswerTokens } from "./prompt.js";

/** Tokens of an ordinary page of prose; for rough figures in words only. */
export const tokensPerPage = 480;

/** About what template, system prompt and instruction take: those of the default model, rounded up. */
const around: PromptLengths = { headTokens: 48, windowTokens: 64, tokens: 128 };

/** Tokens of text below which nothing is worth reading. */
const least = 1_000;

export interface Capacity {
  /** Tokens of a document, and pages of prose; 0 when the model itself does not fit. */
  readonly tokens: number;
  readonly pages: number;
  /** What more of would read more. */
  readonly limit: "context" | "memory";
}

export interface ModelToRead {
  readonly shape: Omit<MemoryShape, "weightsBytes" | "gpuLayers">;
  /** Of its file. */
  readonly bytes: number;
  /** Tokens. */
  readonly contextLength: number;
}

/**
 * With the default budget and policy and an answer of medium length.
 * @param availableBytes memory that programs can still take
 */
export function capacityOf({ shape, bytes, contextLength }: ModelToRead, availableBytes: number): Capacity {
  // Weights take about as much memory as the file has bytes. What a GPU takes of them is known only once it runs.
  const model = { ...shape, weightsBytes: bytes, gpuLayers: 0 };
  const answerTokens = maxAnswerTokens.medium;
  const room = Math.max(0, contextLength - around.tokens - answerTokens);
  const fits = (tokens: number) => {
    const lengths = { ...around, tokens: around.tokens + Math.max(tokens, least) };
    const { estimate } = planRun(model, lengths, answerTokens, { budget: defaultBudget, policy: defaultPolicy });
    return estimate.devices.memory <= availableBytes;
  };
  const tokens = largestThatFits(room, fits);
  const enough = tokens < least ? 0 : tokens;
  return { tokens: enough, pages: twoDigits(enough / tokensPerPage), limit: tokens < room ? "memory" : "context" };
}

/** As exact as a rough figure can be: 17, 120, 1,200. */
function twoDigits(value: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.floor(value / step) * step;
}

/** What a prompt looks like to a policy, and what reading is made of: pure arithmetic, no Node imports. */
import type { ReadingShape } from "../compression/policy.js";
import type { ModelInfo, Prompt } from "./types.js";

/** Tokens per batch, llama.cpp's default micro-batch: results equal stock's only with stock's batches. */
export const batchTokens = 512;

/** Tokens that are read on the whole cache at once, and of how many there are logits (core/native/addon/whole-cache.cpp). */
export const checkTokens = 64;
export const checkRows = 8;
/** Tokens of other questions and answers that the file of a whole cache which is kept has room for, likewise. */
export const moreTokens = 1024;

/** Tokens of the draft that says what the answer will look at; 64 choose no better (docs/decisions.md). */
export const draftTokens = 32;

/** Tokens that may be written after reading when nobody says otherwise. */
export const defaultAnswerTokens = 1024;

/** Rows that the cache grows by while the answer is written, or fewer when no more are wanted (core/native/addon/writing.cpp). */
export const growthTokens = 256;

/** Cells of a cache that leaves nothing out come in steps of as many (core/native/addon/context-parts.h). */
export const cellsStep = 256;

/** Attention sinks beside the prompt's head (StreamingLLM, arXiv 2309.17453: four). */
const sinks = 4;

/** The lengths of a prompt's parts; a `Prompt` without its tokens. */
export interface PromptLengths extends Pick<Prompt, "headTokens" | "windowTokens"> {
  readonly tokens: number;
}

type LayerShape = Pick<
  ModelInfo,
  "embeddingSize" | "queryHeads" | "kvHeads" | "keySize" | "valueSize" | "feedForwardSize"
>;

export type LayerCosts = Readonly<Record<"weights" | "projections" | "others", number>>;

/**
 * Multiply-adds of one layer: of a token that goes through every weight, of one that only gets its query, key and value, and,
 * times the number of tokens, over the others, of which a token sees half on average.
 */
export function layerCosts(model: LayerShape): LayerCosts {
  const { embeddingSize, queryHeads, kvHeads, keySize, valueSize, feedForwardSize } = model;
  const query = queryHeads * (keySize + valueSize);
  return {
    weights: embeddingSize * (query + kvHeads * (keySize + valueSize) + 3 * feedForwardSize),
    projections: embeddingSize * (queryHeads * keySize + kvHeads * (keySize + valueSize)),
    others: query / 2,
  };
}

/** Multiply-adds of one layer that so many tokens of a prompt go through: twice as many take more than twice the time. */
export function layerWork(model: LayerShape, tokens: number): number {
  const { weights, others } = layerCosts(model);
  return tokens * (weights + others * tokens);
}

/** @param budgetEntries see ReadingShape.budget */
export function readingShape(
  model: Pick<ModelInfo, "fullLayers" | "kvHeads">,
  { tokens, headTokens, windowTokens }: PromptLengths,
  budgetEntries: number,
): ReadingShape {
  const kept = Math.max(0, Math.min(tokens - windowTokens, Math.max(headTokens, sinks)));
  return {
    layers: model.fullLayers,
    kvHeads: model.kvHeads,
    tokens,
    window: windowTokens,
    protectedPositions: Array.from({ length: kept }, (_, position) => position),
    budget: budgetEntries,
  };
}

import type { GgufMetadata } from "node-llama-cpp";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import type { ModelInfo } from "./types.js";

/** The part of a model's shape that its file's metadata says. */
export type FileShape = Pick<
  ModelInfo,
  | "layers"
  | "queryHeads"
  | "kvHeads"
  | "keySize"
  | "valueSize"
  | "embeddingSize"
  | "contextLength"
  | "feedForwardSize"
  | "vocabularySize"
>;

/** @throws PrecisError model-unsupported when a number is missing, or differs from layer to layer */
export function modelShape(metadata: GgufMetadata): FileShape {
  const { architecture } = metadata.general;
  const shape = (metadata as unknown as Record<string, Record<string, unknown>>)[architecture] ?? {};
  const attention = (shape.attention ?? {}) as Record<string, unknown>;
  const queryHeads = whole(attention.head_count, "attention.head_count");
  const embeddingSize = whole(shape.embedding_length, "embedding_length");
  const headSize = embeddingSize / queryHeads;
  return {
    layers: whole(shape.block_count, "block_count"),
    queryHeads,
    kvHeads: whole(attention.head_count_kv ?? queryHeads, "attention.head_count_kv"),
    keySize: whole(attention.key_length ?? headSize, "attention.key_length"),
    valueSize: whole(attention.value_length ?? headSize, "attention.value_length"),
    embeddingSize,
    contextLength: whole(shape.context_length, "context_length"),
    feedForwardSize: whole(shape.feed_forward_length, "feed_forward_length"),
    vocabularySize: whole(metadata.tokenizer?.ggml?.tokens?.length, "vocabulary"),
  };
}

function whole(value: unknown, name: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number) || number <= 0) {
    throw unsupported(said`its ${name} is not one whole number`);
  }
  return number;
}

export function unsupported(reason: string): PrecisError {
  return new PrecisError("model-unsupported", said`This model cannot be used: ${reason}.`, said`Choose another model.`);
}

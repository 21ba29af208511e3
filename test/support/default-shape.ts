import type { ModelSummary } from "../../core/worker/protocol.js";

/** What the worker says of the default model, for tests of the window, which load none. */
export const defaultShape: Omit<ModelSummary, "id" | "path"> = {
  architecture: "llama",
  layers: 30,
  fullLayers: 30,
  kvHeads: 3,
  keySize: 64,
  valueSize: 64,
  queryHeads: 9,
  embeddingSize: 576,
  feedForwardSize: 1536,
  vocabularySize: 49_152,
  contextLength: 8192,
  weightsBytes: 98_362_432,
  gpuLayers: 0,
};

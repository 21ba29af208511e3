/** What a model's file says of itself, read without loading the model. */
import { stat } from "node:fs/promises";
import { GgmlType, type GgufFileInfo, readGgufFileInfo } from "node-llama-cpp";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import { type FileShape, modelShape } from "./model-shape.js";
import type { ModelInfo } from "./types.js";

export interface ModelFileFacts {
  readonly architecture: string;
  readonly name?: string | undefined;
  readonly licence?: string | undefined;
  readonly contextLength: number;
  /** Of the file. */
  readonly bytes: number;
  /** Sliding-window layers count as full ones here: which they are, only a loaded model says. */
  readonly shape: Omit<FileShape, "contextLength"> & Pick<ModelInfo, "fullLayers">;
}

/**
 * @param path a file that starts like a GGUF file, with sensible counts: this reader trusts them
 * @throws PrecisError model-damaged when it is not whole, model-unsupported when it is no language model
 */
export async function inspectModel(path: string): Promise<ModelFileFacts> {
  const { size } = await stat(path);
  const info = await readGgufFileInfo(path, {
    sourceType: "filesystem",
    spliceSplitFiles: false,
    logWarnings: false,
  }).catch((cause) => {
    throw damaged(path, said`its list of contents breaks off`, cause);
  });
  const missing = bytesOf(info) - size;
  if (missing > 0) throw damaged(path, said`${missing.toLocaleString("en-US")} bytes are missing at its end`);
  const { general } = info.metadata;
  const { contextLength, ...shape } = modelShape(info.metadata);
  return {
    architecture: general.architecture,
    name: textOf(general.name),
    licence: textOf(general.license),
    contextLength,
    bytes: size,
    shape: { ...shape, fullLayers: shape.layers },
  };
}

function damaged(path: string, why: string, cause?: unknown): PrecisError {
  const next = said`Download it again, or choose another file.`;
  return new PrecisError("model-damaged", said`The model ${path} is not whole: ${why}.`, next, { cause });
}

const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;

/** Bytes of a block and the elements in it, for ggml's types that files are made of (ggml-common.h). */
const blocks: Partial<Record<GgmlType, readonly [bytes: number, elements: number]>> = {
  [GgmlType.F32]: [4, 1],
  [GgmlType.F16]: [2, 1],
  [GgmlType.BF16]: [2, 1],
  [GgmlType.Q4_0]: [18, 32],
  [GgmlType.Q4_1]: [20, 32],
  [GgmlType.Q5_0]: [22, 32],
  [GgmlType.Q5_1]: [24, 32],
  [GgmlType.Q8_0]: [34, 32],
  [GgmlType.Q2_K]: [84, 256],
  [GgmlType.Q3_K]: [110, 256],
  [GgmlType.Q4_K]: [144, 256],
  [GgmlType.Q5_K]: [176, 256],
  [GgmlType.Q6_K]: [210, 256],
  [GgmlType.IQ4_NL]: [18, 32],
  [GgmlType.IQ4_XS]: [136, 256],
};

/** Where the last tensor ends, or begins when its type is another than those above. */
function bytesOf({ tensorInfo = [] }: GgufFileInfo): number {
  const ends = tensorInfo.map(({ dimensions, ggmlType, fileOffset }) => {
    const elements = dimensions.reduce<number>((product, size) => product * Number(size), 1);
    const [bytes, each] = blocks[ggmlType] ?? [0, 1];
    return Number(fileOffset) + (elements / each) * bytes;
  });
  return ends.reduce((most, end) => Math.max(most, end), 0);
}

/** The first layer of a random model, worked out from its weights alone: what native code is compared with. */
import { type RandomModel, readTensor } from "../support/gguf.js";

export interface FirstLayer {
  /** What enters it, by token: [embedding]. */
  readonly inputs: Float32Array[];
  /** By query head and token, before rotary embedding: [headSize]. */
  readonly queries: Float64Array[][];
  /** By KV head and token, after it. */
  readonly keys: Float64Array[][];
  /** By KV head and token. */
  readonly values: Float64Array[][];
}

/** Of a model of architecture llama or qwen2. */
export function firstLayer(path: string, model: RandomModel, tokens: Uint32Array): FirstLayer {
  const { architecture, embedding, headSize, kvHeads, queryHeads } = model;
  const table = readTensor(path, model, "token_embd.weight");
  const inputs = Array.from(tokens, (token) => table.slice(token * embedding, (token + 1) * embedding));
  const normed = inputs.map(norm);
  const heads = (part: string, count: number) => {
    const matrix = readTensor(path, model, `blk.0.${part}.weight`);
    const rows = normed.map((row) => project(row, matrix));
    const bias = architecture === "qwen2" ? readTensor(path, model, `blk.0.${part}.bias`) : undefined;
    for (const row of rows) for (const at of row.keys()) row[at] = (row[at] as number) + (bias?.[at] ?? 0);
    return Array.from({ length: count }, (_, head) =>
      rows.map((row) => Float64Array.from(row.subarray(head * headSize, (head + 1) * headSize))),
    );
  };
  return {
    inputs,
    queries: heads("attn_q", queryHeads),
    keys: heads("attn_k", kvHeads).map((rows) => rows.map((row, at) => rotate(row, at, architecture))),
    values: heads("attn_v", kvHeads),
  };
}

/** RMS norm with weights of 1, as random models have. */
export function norm(row: Float32Array): Float32Array {
  const scale = 1 / Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length + 1e-5);
  return row.map((x) => x * scale);
}

/** A matrix [outputs x inputs] times a vector. */
export function project(vector: Float32Array, matrix: Float32Array): Float32Array {
  const size = vector.length;
  return Float32Array.from({ length: matrix.length / size }, (_, output) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (vector[i] as number) * (matrix[output * size + i] as number);
    return sum;
  });
}

/** Rotary embedding of one head's vector: of neighbours in llama, of halves in the others. */
export function rotate(vector: Float64Array, position: number, architecture: string): Float64Array {
  const half = vector.length / 2;
  const out = new Float64Array(vector.length);
  for (let pair = 0; pair < half; pair++) {
    const [a, b] = architecture === "llama" ? [2 * pair, 2 * pair + 1] : [pair, pair + half];
    const angle = position * 10_000 ** (-pair / half);
    const [x, y] = [vector[a] as number, vector[b] as number];
    out[a] = x * Math.cos(angle) - y * Math.sin(angle);
    out[b] = x * Math.sin(angle) + y * Math.cos(angle);
  }
  return out;
}

export const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);

/** Softmax of a query's products with keys, both rotated. */
export function attention(query: Float64Array, keys: readonly Float64Array[]): number[] {
  const weights = keys.map((key) => Math.exp(dot(query, key) / Math.sqrt(query.length)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

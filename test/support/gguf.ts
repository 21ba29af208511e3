/**
 * Writes GGUF models with random weights: the shapes of real models, for tests of architectures and for memory and
 * speed, where what is written does not matter. Format: ggml's docs/gguf.md, version 3.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

export type WeightType = "f16" | "q4_0";

export interface RandomModel {
  /** Those that are read in groups of layers, and internlm2, which is not. */
  readonly architecture:
    | "llama"
    | "qwen2"
    | "qwen3"
    | "phi3"
    | "smollm3"
    | "granite"
    | "mistral3"
    | "gemma3"
    | "internlm2";
  readonly layers: number;
  readonly embedding: number;
  readonly feedForward: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly context: number;
  /** Tokens beside the 260 of a byte vocabulary; real models have tens of thousands. */
  readonly extraTokens?: number;
  readonly weights: WeightType;
  readonly seed: number;
}

interface Tensor {
  readonly name: string;
  /** Fastest dimension first. */
  readonly shape: readonly number[];
  readonly type: "f32" | WeightType;
  /** Every element, for norms; otherwise random of variance 1 / shape[0]. */
  readonly fill?: number;
}

const typeNumber = { f32: 0, f16: 1, q4_0: 2 } as const;
const alignment = 32;
const padded = (bytes: number) => Math.ceil(bytes / alignment) * alignment;

/** Bytes of a tensor's data; q4_0 packs 32 elements into a f16 scale and 16 bytes. */
function byteSize({ shape, type }: Tensor): number {
  const elements = shape.reduce((product, size) => product * size, 1);
  return type === "q4_0" ? (elements / 32) * 18 : elements * (type === "f32" ? 4 : 2);
}

/** Writes the model to `path`, tensor by tensor. */
export function writeRandomModel(path: string, model: RandomModel): void {
  const tensors = tensorsOf(model);
  const header = new Writer();
  header.bytes(Buffer.from("GGUF")).u32(3).u64(tensors.length);
  const metadata = metadataOf(model);
  header.u64(metadata.length);
  for (const [key, value] of metadata) header.string(key).value(value);
  let offset = 0;
  for (const tensor of tensors) {
    header.string(tensor.name).u32(tensor.shape.length);
    for (const size of tensor.shape) header.u64(size);
    header.u32(typeNumber[tensor.type]).u64(offset);
    offset += padded(byteSize(tensor));
  }
  const file = openSync(path, "w");
  try {
    const head = header.done();
    writeSync(file, Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length)]));
    const random = generator(model.seed);
    for (const tensor of tensors) writeTensor(file, tensor, random);
  } finally {
    closeSync(file);
  }
}

/** A tensor of such a file, row by row; f16 and f32 alone. */
export function readTensor(path: string, model: RandomModel, name: string): Float32Array {
  const tensors = tensorsOf(model);
  const index = tensors.findIndex((tensor) => tensor.name === name);
  const tensor = tensors[index];
  if (tensor === undefined || tensor.type === "q4_0") throw new RangeError(`there is no f16 or f32 tensor ${name}`);
  const file = openSync(path, "r");
  try {
    // the data is the file's end
    const behind = tensors.slice(index).reduce((bytes, one) => bytes + padded(byteSize(one)), 0);
    const data = Buffer.alloc(byteSize(tensor));
    readSync(file, data, 0, data.length, fstatSync(file).size - behind);
    return tensor.type === "f32"
      ? new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))
      : Float32Array.from({ length: data.length / 2 }, (_, at) => fromF16(data.readUInt16LE(2 * at)));
  } finally {
    closeSync(file);
  }
}

type Value = string | boolean | readonly string[] | readonly number[] | { u32: number } | { f32: number };

function metadataOf(model: RandomModel): [string, Value][] {
  const { architecture: name } = model;
  const tokens = [
    "<unk>",
    "<s>",
    "</s>",
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  ];
  const types: number[] = tokens.map((_, index) => (index === 0 ? 2 : index < 3 ? 3 : 6));
  // llama.cpp's vocabulary code asks for it by name when the architecture is phi3
  tokens.push("<|endoftext|>");
  types.push(3);
  for (let extra = 0; extra < (model.extraTokens ?? 0); extra++) {
    tokens.push(`\u2581x${extra}`);
    types.push(1);
  }
  const metadata: [string, Value][] = [
    ["general.architecture", name],
    ["general.name", `random ${name}`],
    [`${name}.block_count`, { u32: model.layers }],
    [`${name}.context_length`, { u32: model.context }],
    [`${name}.embedding_length`, { u32: model.embedding }],
    [`${name}.feed_forward_length`, { u32: model.feedForward }],
    [`${name}.attention.head_count`, { u32: model.queryHeads }],
    [`${name}.attention.head_count_kv`, { u32: model.kvHeads }],
    [`${name}.attention.key_length`, { u32: model.headSize }],
    [`${name}.attention.value_length`, { u32: model.headSize }],
    [`${name}.attention.layer_norm_rms_epsilon`, { f32: 1e-5 }],
    [`${name}.rope.dimension_count`, { u32: model.headSize }],
    [`${name}.rope.freq_base`, { f32: 10_000 }],
    [`${name}.vocab_size`, { u32: tokens.length }],
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.scores", tokens.map((_, index) => -index)],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.bos_token_id", { u32: 1 }],
    ["tokenizer.ggml.eos_token_id", { u32: 2 }],
    ["tokenizer.ggml.add_space_prefix", false],
  ];
  if (name === "granite") {
    metadata.push(
      ["granite.attention.scale", { f32: 0.02 }],
      ["granite.embedding_scale", { f32: 12 }],
      ["granite.residual_scale", { f32: 0.22 }],
      ["granite.logit_scale", { f32: 8 }],
    );
  }
  if (name === "gemma3" || name === "phi3") metadata.push([`${name}.attention.sliding_window`, { u32: 512 }]);
  return metadata;
}

function tensorsOf(model: RandomModel): Tensor[] {
  const { architecture: name, embedding, feedForward, weights, headSize } = model;
  const queries = model.queryHeads * headSize;
  const keys = model.kvHeads * headSize;
  const vocabulary = 260 + (model.extraTokens ?? 0);
  const matrix = (tensor: string, ...shape: number[]): Tensor => ({ name: `${tensor}.weight`, shape, type: weights });
  const norm = (tensor: string, size: number): Tensor => ({
    name: `${tensor}.weight`,
    shape: [size],
    type: "f32",
    fill: 1,
  });
  const tensors = [matrix("token_embd", embedding, vocabulary), norm("output_norm", embedding)];
  if (name !== "gemma3") tensors.push(matrix("output", embedding, vocabulary));
  for (let layer = 0; layer < model.layers; layer++) {
    const at = (part: string) => `blk.${layer}.${part}`;
    tensors.push(norm(at("attn_norm"), embedding), norm(at("ffn_norm"), embedding));
    tensors.push(matrix(at("attn_output"), queries, embedding), matrix(at("ffn_down"), feedForward, embedding));
    if (name === "phi3") {
      tensors.push(
        matrix(at("attn_qkv"), embedding, queries + 2 * keys),
        matrix(at("ffn_up"), embedding, 2 * feedForward),
      );
      continue;
    }
    tensors.push(matrix(at("ffn_gate"), embedding, feedForward), matrix(at("ffn_up"), embedding, feedForward));
    for (const [part, size] of [
      ["attn_q", queries],
      ["attn_k", keys],
      ["attn_v", keys],
    ] as const) {
      tensors.push(matrix(at(part), embedding, size));
      if (name === "qwen2") tensors.push({ name: `${at(part)}.bias`, shape: [size], type: "f32" });
    }
    if (name === "qwen3" || name === "gemma3")
      tensors.push(norm(at("attn_q_norm"), headSize), norm(at("attn_k_norm"), headSize));
    if (name === "gemma3")
      tensors.push(norm(at("post_attention_norm"), embedding), norm(at("post_ffw_norm"), embedding));
  }
  return tensors;
}

/** Writes random data in pieces of a MiB or so, so that a model of gigabytes needs no memory. */
function writeTensor(file: number, tensor: Tensor, random: () => number): void {
  const total = byteSize(tensor);
  const spread = Math.sqrt(3 / (tensor.shape[0] as number));
  const unit = tensor.type === "q4_0" ? 18 : tensor.type === "f32" ? 4 : 2;
  for (let written = 0; written < total; ) {
    const size = Math.min(total - written, unit * 65_536);
    const piece = Buffer.allocUnsafe(size);
    for (let at = 0; at < size; at += unit) {
      if (tensor.type === "q4_0") {
        piece.writeUInt16LE(f16(spread / 8), at);
        for (let word = 0; word < 4; word++) piece.writeUInt32LE(Math.floor(random() * 2 ** 32), at + 2 + 4 * word);
      } else {
        const value = tensor.fill ?? (2 * random() - 1) * spread;
        if (tensor.type === "f32") piece.writeFloatLE(value, at);
        else piece.writeUInt16LE(f16(value), at);
      }
    }
    writeSync(file, piece);
    written += size;
  }
  writeSync(file, Buffer.alloc(padded(total) - total));
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The half-precision bits of a number of ordinary size (2^-14 to 65504; smaller ones become zero). */
function f16(value: number): number {
  single[0] = value;
  const word = bits[0] as number;
  const exponent = ((word >>> 23) & 0xff) - 112;
  const sign = (word >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((word >>> 13) & 0x3ff);
}

/** The number that f16() made these bits of. */
function fromF16(half: number): number {
  const exponent = (half >>> 10) & 0x1f;
  const size = exponent === 0 ? 0 : (1 + (half & 0x3ff) / 1024) * 2 ** (exponent - 15);
  return half & 0x8000 ? -size : size;
}

/** Small seeded generator (mulberry32), 0 <= x < 1. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Writer {
  readonly #parts: Buffer[] = [];

  bytes(part: Buffer): this {
    this.#parts.push(part);
    return this;
  }
  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    return this.bytes(part);
  }
  i32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32LE(value);
    return this.bytes(part);
  }
  f32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    return this.bytes(part);
  }
  u64(value: number): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    return this.bytes(part);
  }
  string(text: string): this {
    const part = Buffer.from(text);
    return this.u64(part.length).bytes(part);
  }
  /** A value with its type: u32 4, i32 5, f32 6, bool 7, string 8, array 9. Whole negative lists are i32, scores f32. */
  value(value: Value): this {
    if (typeof value === "string") return this.u32(8).string(value);
    if (typeof value === "boolean") return this.u32(7).bytes(Buffer.from([value ? 1 : 0]));
    if ("u32" in value) return this.u32(4).u32(value.u32);
    if ("f32" in value) return this.u32(6).f32(value.f32);
    this.u32(9);
    if (typeof value[0] === "string") {
      this.u32(8).u64(value.length);
      for (const text of value as readonly string[]) this.string(text);
      return this;
    }
    const scores = (value as readonly number[]).some((number) => number < 0);
    this.u32(scores ? 6 : 5).u64(value.length);
    for (const number of value as readonly number[]) scores ? this.f32(number) : this.i32(number);
    return this;
  }
  done(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

/** A prompt of so many tokens, all of them bytes, which every vocabulary here has. */
export const someTokens = (count: number): Uint32Array =>
  Uint32Array.from({ length: count }, (_, index) => 3 + ((index * 7919) % 256));

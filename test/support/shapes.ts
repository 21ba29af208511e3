/**
 * Models with the attention of real ones and random weights, for memory and speed: layers, heads and head size are
 * those of the models named. What costs weights and not attention is small unless asked for: q4_0 weights, a
 * vocabulary of 260 tokens, a feed-forward of a quarter of the hidden size.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../core/models/paths.js";
import { type RandomModel, writeRandomModel } from "./gguf.js";

type Shape = Omit<RandomModel, "feedForward" | "context" | "weights" | "seed"> & {
  /** The real model's. */
  readonly fullFeedForward: number;
};

/** From the config.json of SmolLM2-135M, Llama-3.2-1B, Qwen3-4B and Llama-3.1-8B. */
export const shapes = {
  "smollm2-like": {
    architecture: "llama",
    layers: 30,
    embedding: 576,
    queryHeads: 9,
    kvHeads: 3,
    headSize: 64,
    fullFeedForward: 1536,
  },
  "llama-3.2-1b-like": {
    architecture: "llama",
    layers: 16,
    embedding: 2048,
    queryHeads: 32,
    kvHeads: 8,
    headSize: 64,
    fullFeedForward: 8192,
  },
  "qwen3-4b-like": {
    architecture: "qwen3",
    layers: 36,
    embedding: 2560,
    queryHeads: 32,
    kvHeads: 8,
    headSize: 128,
    fullFeedForward: 9728,
  },
  "llama-3.1-8b-like": {
    architecture: "llama",
    layers: 32,
    embedding: 4096,
    queryHeads: 32,
    kvHeads: 8,
    headSize: 128,
    fullFeedForward: 14336,
  },
} as const satisfies Record<string, Shape>;

export type ShapeName = keyof typeof shapes;
export const shapeNames = Object.keys(shapes) as ShapeName[];

export interface ShapeOptions {
  /** Fewer (or more) layers than the real model. */
  readonly layers?: number;
  /** The real feed-forward size instead of the small one. */
  readonly fullFeedForward?: boolean;
  readonly seed?: number;
}

/** Counted up when writeRandomModel writes other bytes for the same model, so that cached files are not used again. */
const writerVersion = 1;

/** 32k tokens read, and room to write. */
const context = 40_960;

export function shapedModel(name: ShapeName, { layers, fullFeedForward = false, seed = 1 }: ShapeOptions = {}) {
  const { fullFeedForward: real, ...shape } = shapes[name];
  // q4_0 packs 32 elements of a row
  const small = Math.ceil(shape.embedding / 4 / 32) * 32;
  const feedForward = fullFeedForward ? real : small;
  return {
    ...shape,
    layers: layers ?? shape.layers,
    feedForward,
    context,
    weights: "q4_0",
    seed,
  } satisfies RandomModel;
}

/** A name that says the shape, and changes with everything that decides the file's bytes. */
export function modelFileName(name: ShapeName, model: RandomModel): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([writerVersion, model]))
    .digest("hex");
  return `random-${name}-${model.layers}-layers-${digest.slice(0, 8)}.gguf`;
}

/**
 * The model's file in the user's cache folder, written if it is not there yet (a few seconds a GiB; memory of some MiB).
 * @returns its path
 */
export function cachedModel(
  name: ShapeName,
  options: ShapeOptions = {},
  folder = join(cacheFolder(), "bench"),
): string {
  const model = shapedModel(name, options);
  const path = join(folder, modelFileName(name, model));
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  // a run that is stopped half-way must not leave what looks like a model
  const part = `${path}.${process.pid}.part`;
  writeRandomModel(part, model);
  renameSync(part, path);
  return path;
}

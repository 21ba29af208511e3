/** What the native tests share: the real default model, and stock llama.cpp beside it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LayerRetention, Policy, ReadingShape } from "../../core/compression/policy.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { KvType } from "../../core/engine/kv.js";
import { runtimeFolder } from "../../core/engine/native.js";
import type { DocumentSession } from "../../core/engine/session.js";
import { batchTokens } from "../../core/engine/shape.js";
import type { Engine, Prompt } from "../../core/engine/types.js";
import { findModel } from "../../core/models/models.js";
import type { RandomModel } from "../support/gguf.js";

/** What a model of any architecture may look like in a test: seconds to read. */
export const tinyModel: Omit<RandomModel, "architecture"> = {
  layers: 12,
  embedding: 256,
  feedForward: 512,
  queryHeads: 4,
  kvHeads: 2,
  headSize: 64,
  context: 2048,
  weights: "f16",
  seed: 1,
};

const here = dirname(fileURLToPath(import.meta.url));

export async function loadDefaultEngine(): Promise<Engine> {
  const { path, id } = await findModel(undefined);
  return await loadEngine(path, id);
}

/** Our own session type, with the calls for tests. */
export async function openSession(engine: Engine): Promise<DocumentSession> {
  return (await engine.createSession()) as DocumentSession;
}

/** The sample report's text, repeated as often as it takes, cut to exactly `tokens` tokens. */
export function textTokens(engine: Engine, tokens: number): Uint32Array {
  const text = readFileSync(join(here, "..", "..", "assets", "samples", "harbour-report.md"), "utf8");
  const once = engine.tokenize(text);
  return Uint32Array.from({ length: tokens }, (_, index) => once[index % once.length] as number);
}

export function promptOf(tokens: Uint32Array, windowTokens = 16): Prompt {
  return { tokens, headTokens: 4, windowTokens };
}

/** A policy that goes through scoring and compaction and keeps every position. */
export const keepEverything: Policy = {
  name: "keep-everything",
  reduction: "max",
  keepsAll: false,
  heldEntries: ({ layers, tokens }) => Array.from({ length: layers }, (_, layer) => (layer + 1) * tokens),
  begin: ({ kvHeads, tokens, window }: ReadingShape) => {
    const all = Uint32Array.from({ length: tokens - window }, (_, position) => position);
    return {
      onGroup: (group) =>
        group.map(({ layer }): LayerRetention => ({ layer, positions: Array.from({ length: kvHeads }, () => all) })),
    };
  },
};

let driver: { path: string; libraries: string } | undefined;

/** Stock llama.cpp's logits after the prompt and after each following token: f32 [(1 + following) x vocabulary]. */
export function stockLogits(
  engine: Engine,
  prompt: Uint32Array,
  following: Uint32Array,
  kvType: KvType = "f16",
): Float32Array {
  driver ??= buildDriver();
  const input = Buffer.concat([
    Buffer.from(prompt.buffer, prompt.byteOffset, prompt.byteLength),
    Buffer.from(following.buffer),
  ]);
  const run = spawnSync(
    driver.path,
    [engine.model.path, String(prompt.length), String(batchTokens), String(availableParallelism()), kvType],
    { input, maxBuffer: 1 << 30, env: { ...process.env, GGML_BACKENDS: driver.libraries } },
  );
  if (run.status !== 0) throw new Error(`stock llama.cpp ended with ${run.status ?? run.signal}: ${run.stderr}`);
  return new Float32Array(
    run.stdout.buffer.slice(run.stdout.byteOffset, run.stdout.byteOffset + run.stdout.byteLength),
  );
}

function buildDriver() {
  const folder = runtimeFolder(false);
  const built = JSON.parse(readFileSync(join(folder, "precis.json"), "utf8")) as { stock: string; llamaCpp: string };
  const path = join(mkdtempSync(join(tmpdir(), "precis-stock-")), "stock-logits");
  const compiled = spawnSync(
    "c++",
    [
      "-std=c++17",
      "-O1",
      join(here, "stock-logits.cpp"),
      "-I",
      join(folder, "include"),
      "-o",
      path,
      `-Wl,-rpath,${built.stock}`,
    ].concat(["-L", built.stock, `-l:libllama.${built.llamaCpp}.so`, `-l:libggml.${built.llamaCpp}.so`, "-lggml-base"]),
    { encoding: "utf8" },
  );
  if (compiled.status !== 0) throw new Error(`the stock driver did not compile:\n${compiled.stderr}`);
  return { path, libraries: built.stock };
}

/** The largest difference of two rows, element by element. */
export function largestDifference(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} logits against ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] as number) - (b[i] as number)));
  return largest;
}

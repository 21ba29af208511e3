/** The addon of core/native as TypeScript sees it, and how it is found. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { GroupReduction, LayerObservations, LayerRetention, LayerScores } from "../compression/policy.js";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import type { HiddenType, KvType } from "./kv.js";
import type { Sampling } from "./types.js";

/** Must equal LLAMA_RETAIN_ABI in core/native/llama/llama-retain.h. */
const abi = 16;

/**
 * A file of the whole KV cache. nameless: what is read goes to a new one, whose name goes at once; named: and stays; existing:
 * one that was sealed.
 */
export interface WholeFile {
  readonly path: string;
  readonly is: "nameless" | "named" | "existing";
}

export interface NativeOpenOptions {
  /** Tokens per batch. */
  readonly batch: number;
  readonly threads: number;
  /** Tokens that may follow the prompt. */
  readonly room: number;
  readonly kvType: KvType;
  /** How hidden states wait between groups. */
  readonly hiddenType: HiddenType;
  /** Layers of the largest group of which anything is observed: what is computed of them needs room from the start. */
  readonly observedLayers: number;
  /** false: llama.cpp's own cache and all layers at once, for models that cannot be read in groups. */
  readonly grouped: boolean;
  /** The whole KV cache lies in a file, too; open() then also rejects with "disk-full" and "no-file". */
  readonly whole?: WholeFile | undefined;
}

/** What one layer holds once reading has ended. */
export interface LayerState {
  /** Entries of each KV head before the window; empty for a sliding layer. */
  readonly kept: Uint32Array;
  /** Their positions, one KV head after the other. */
  readonly positions: Uint32Array;
  /**
   * K rows, then V rows: those kept and the window's, or all of a sliding layer's cells. A row is of all KV heads; when they
   * keep different numbers, rows are of one head, and one head's follow the other's.
   */
  readonly rows: Uint8Array;
}

export interface NativeWriteOptions extends Sampling {
  readonly maxTokens: number;
  /** With the sampling and the half character that the last call left, as if it had not ended. */
  readonly goOn: boolean;
}

export interface NativeCheckedOptions extends NativeWriteOptions {
  /** Ends once so many are written. */
  readonly stretch: number;
  /** Tokens that are drafted at a time, at most 8; 1: the whole cache writes alone. */
  readonly draft: number;
}

/**
 * One document in one llama_context. Every promise rejects with an Error whose `code` is "cancelled",
 * "out-of-memory", "model-missing", "model-unsupported" or "failed". One call at a time, except for abort and progress.
 */
export interface NativeSession {
  open(modelPath: string, tokens: Uint32Array, window: number, options: NativeOpenOptions): Promise<void>;
  /**
   * Reads all tokens, or those that pass() named, through layers [begin, end). What was observed of each full-attention layer: scores, empty without a
   * reduction, and what was asked for beside them (variances and entropy want a reduction).
   */
  read(
    begin: number,
    end: number,
    reduction: GroupReduction | undefined,
    needs: readonly (keyof LayerObservations)[],
    plain: boolean,
  ): Promise<Omit<LayerScores, "layer">[]>;
  /**
   * Between two groups, after keep(): of the positions before the window only these, ascending, go on to the layers that
   * follow. Observations of those have a column for each.
   */
  pass(positions: Uint32Array): Promise<void>;
  keep(layers: readonly LayerRetention[]): Promise<void>;
  finish(): Promise<void>;
  /** After finish() and before anything is written. */
  state(layer: number): LayerState;
  /** Positions in the sliding layers' cells, -1 for an empty one; empty without such layers. */
  slidingCells(): Int32Array;
  /** Instead of read(): for every layer, then resume(). `window` is the saved context's; `withWindow`: it is this one's too. */
  restore(layer: number, state: LayerState, window: number, withWindow: boolean): void;
  /** With the logits after the whole prompt, or undefined: then the window is read now. */
  resume(slidingCells: Int32Array, logits: Float32Array | undefined): Promise<void>;
  write(
    options: NativeWriteOptions,
    onText: (text: string) => void,
  ): Promise<{ tokens: number; ended: boolean; text: string }>;
  /**
   * Writes what the whole cache would: of drafts on what is kept so much is written as the whole cache agrees with, one token
   * at the least.
   */
  writeChecked(
    options: NativeCheckedOptions,
    onText: (text: string) => void,
  ): Promise<{ drafted: number; tokens: number; ended: boolean; text: string }>;
  /**
   * Whether the whole cache lies beside the compressed one. It does no longer once its file is found to be cut short, changed or not
   * to be read: then read() has gone on without it, writeChecked() ended with what is sure, lookAhead() and refill() did nothing,
   * and write() can go on.
   */
  hasWhole(): boolean;
  /** Writes so many tokens, at most 64, that nobody sees, reads them on the whole cache and takes them back. How many. */
  lookAhead(sampling: Sampling, tokens: number): Promise<number>;
  /**
   * What these, or the window of takeWhole(), look at in the whole cache before the window, summed over them, f32
   * [kvHeads x (tokens - window)]; empty without any, and once something else was read there.
   */
  lookedAt(layer: number, reduction: GroupReduction): Float32Array;
  /** The lengths of the whole cache's values, f32 [kvHeads x (tokens - window)]. */
  valueNorms(layer: number): Float32Array;
  /** After finish(), of a named file: makes it one that may be taken later, under this identity of 32 bytes. */
  seal(identity: Uint8Array): Promise<void>;
  /**
   * Instead of read(), of an existing file: reads the window on it, observed; refill() must follow. Rejects with "refused" and a
   * reason when it is damaged or of something else; so does refill() when it is lost by then.
   */
  takeWhole(identity: Uint8Array): Promise<void>;
  /** After finish(): keeps these positions of every layer that attends to all, from the whole cache, and what was written. */
  refill(layers: readonly LayerRetention[]): Promise<void>;
  /** Teacher forcing: logits after each token, f32 [tokens x vocabulary]. */
  feed(tokens: Uint32Array): Promise<Float32Array>;
  /** Likewise on the whole cache alone. */
  feedWhole(tokens: Uint32Array): Promise<Float32Array>;
  /** Takes back all that was written after the prompt, whose logits these are. */
  rewind(logits: Float32Array): void;
  /** Logits after the last token read, f32 [vocabulary]. */
  logits(): Float32Array;
  /** Layers x tokens read so far. */
  progress(): number;
  abort(): void;
  layerBytes(layer: number): number;
  /** All K and V, sliding layers included. */
  memoryBytes(): number;
  /** The graph's buffers. */
  computeBytes(): number;
  /** K, V and hidden states at the worst moment so far. */
  peakBytes(): number;
  dispose(): void;
}

/** What node-llama-cpp computes on: false is the CPU alone. */
export type Gpu = false | "cuda" | "vulkan" | "metal";

interface NativeAddon {
  readonly Session: new () => NativeSession;
  /** Whether the model loaded from this path continues a text at all: encoders do not. */
  canWrite(modelPath: string): boolean;
  /** Why it cannot be read in groups, as the end of a sentence; undefined when it can. */
  refusal(modelPath: string): string | undefined;
  /** Why its layers cannot go on with some of the tokens only, as the end of a sentence; undefined when they can. */
  passRefusal(modelPath: string): string | undefined;
  /** Indices of the loaded model's layers that see a sliding window only. */
  slidingLayers(modelPath: string): number[];
  /** The loaded libllama's ABI stamp, and the one the addon was compiled with. */
  readonly abi: number;
  readonly builtFor: number;
}

/** The folder of the libraries that node-llama-cpp loads for this GPU: the patched libllama, ggml and our addon. */
export function runtimeFolder(gpu: Gpu): string {
  const require = createRequire(import.meta.url);
  const root = dirname(dirname(require.resolve("node-llama-cpp")));
  const system = { linux: "linux", darwin: "mac", win32: "win" }[process.platform as "linux" | "darwin" | "win32"];
  return chooseRuntime(join(root, "llama", "localBuilds"), `${system}-${process.arch}`, gpu);
}

/**
 * Set-up leaves one build. Where that is a GPU's and no GPU answers (CUDA_VISIBLE_DEVICES hides it, say), node-llama-cpp
 * loads it all the same, says that there is none, and computes with the CPU backend in it.
 */
export function chooseRuntime(builds: string, platform: string, gpu: Gpu): string {
  const folder = (name: string) => join(builds, name, "Release");
  if (gpu) return folder(`${platform}-${gpu}`);
  // in the order in which node-llama-cpp tries them
  const withGpu = [`${platform}-cuda`, `${platform}-vulkan`].map(folder).find((path) => existsSync(path));
  return withGpu === undefined || existsSync(folder(platform)) ? folder(platform) : withGpu;
}

/**
 * Loads our addon from the folder of the libllama that node-llama-cpp has loaded for this GPU.
 * @throws PrecisError runtime-mismatch
 */
export function loadAddon(gpu: Gpu): NativeAddon {
  const folder = runtimeFolder(gpu);
  const next = said`Run the set-up again: npm run setup`;
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(join(folder, "precis.node"));
  } catch (error) {
    throw new PrecisError("runtime-mismatch", said`The patched llama.cpp is not built for this machine.`, next, {
      cause: error,
    });
  }
  if (addon.abi !== abi || addon.builtFor !== abi) {
    throw new PrecisError(
      "runtime-mismatch",
      said`The patched llama.cpp is of another version (${addon.abi}, addon ${addon.builtFor}, expected ${abi}).`,
      next,
    );
  }
  return addon;
}

/** The addon of core/native as TypeScript sees it, and how it is found. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { GroupReduction, LayerObservations, LayerRetention, LayerScores } from "../compression/policy.js";
import { PrecisError } from "../errors.js";
import type { KvType } from "./kv.js";
import type { Sampling } from "./types.js";

/** Must equal LLAMA_RETAIN_ABI in core/native/llama/llama-retain.h. */
const abi = 9;

export interface NativeOpenOptions {
  /** Tokens per batch. */
  readonly batch: number;
  readonly threads: number;
  /** Tokens that may follow the prompt. */
  readonly room: number;
  readonly kvType: KvType;
  /** How hidden states wait between groups. */
  readonly hiddenType: "f16" | "f32";
  /** false: llama.cpp's own cache and all layers at once, for models that cannot be read in groups. */
  readonly grouped: boolean;
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
  /** Teacher forcing: logits after each token, f32 [tokens x vocabulary]. */
  feed(tokens: Uint32Array): Promise<Float32Array>;
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
  /** Gives the loaded model's file pages back to the system where llama.cpp computes with repacked copies of them. */
  releaseFile(modelPath: string): void;
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
  return join(root, "llama", "localBuilds", `${system}-${process.arch}${gpu ? `-${gpu}` : ""}`, "Release");
}

/**
 * Loads our addon from the folder of the libllama that node-llama-cpp has loaded for this GPU.
 * @throws PrecisError runtime-mismatch
 */
export function loadAddon(gpu: Gpu): NativeAddon {
  const folder = runtimeFolder(gpu);
  const next = "Run the set-up again: npm run setup";
  let addon: NativeAddon;
  try {
    addon = createRequire(import.meta.url)(join(folder, "precis.node"));
  } catch (error) {
    throw new PrecisError("runtime-mismatch", "The patched llama.cpp is not built for this machine.", next, {
      cause: error,
    });
  }
  if (addon.abi !== abi || addon.builtFor !== abi) {
    throw new PrecisError(
      "runtime-mismatch",
      `The patched llama.cpp is of another version (${addon.abi}, addon ${addon.builtFor}, expected ${abi}).`,
      next,
    );
  }
  return addon;
}

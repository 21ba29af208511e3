import type { Policy } from "../compression/policy.js";
import type { KvType } from "./kv.js";

/** A loaded model's shape, read from the GGUF file's metadata. */
export interface ModelInfo {
  /** Catalogue id, or the file's name. */
  readonly id: string;
  readonly path: string;
  readonly architecture: string;
  readonly layers: number;
  /** Those of them that attend to every position. Their KV is what a budget counts; sliding-window layers keep little. */
  readonly fullLayers: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  /** Elements of one key row and one value row of one head. */
  readonly keySize: number;
  readonly valueSize: number;
  readonly embeddingSize: number;
  /** Trained context length in tokens. */
  readonly contextLength: number;
  readonly weightsBytes: number;
}

export interface Sampling {
  /** 0 is greedy. */
  readonly temperature: number;
  /** 0 switches it off. */
  readonly topK: number;
  /** 1 switches it off. */
  readonly topP: number;
  /** 0 switches it off. */
  readonly minP: number;
  /** 1 switches it off; over the last 64 tokens. */
  readonly repeatPenalty: number;
  readonly seed: number;
}

/** A prompt as tokens, with the parts that retention must know. */
export interface Prompt {
  readonly tokens: Uint32Array;
  /** Tokens at the start that are always kept: the chat template's head and the system prompt. */
  readonly headTokens: number;
  /** The observation window: tokens of the instruction that follows the document, up to the prompt's end. */
  readonly windowTokens: number;
}

export interface ReadingProgress {
  /** 0..1 of the reading's work (layers x tokens). */
  readonly fraction: number;
  readonly layersRead: number;
  readonly elapsedMs: number;
  /** Estimated from the rate so far; undefined until it can be known. */
  readonly remainingMs: number | undefined;
}

export interface LayerKv {
  readonly layer: number;
  /** Entries per KV head. */
  readonly tokens: number;
  /** Bytes that the native side holds for this layer. */
  readonly bytes: number;
}

/** What reading left behind, counted by the native side. */
export interface ReadingResult {
  readonly tokens: number;
  readonly kv: {
    readonly fullBytes: number;
    readonly retainedBytes: number;
    readonly peakBytes: number;
    readonly layers: readonly LayerKv[];
  };
  readonly timings: { readonly prefillMs: number; readonly compressMs: number };
}

export interface ReadOptions {
  readonly policy: Policy;
  /** Entries per KV head summed over all layers (see ReadingShape.budget); ignored by a policy that keeps all. */
  readonly budgetEntries: number;
  /** How kept entries are stored; f16 when left out. */
  readonly kvType?: KvType;
  /** How hidden states wait between layers: f32 (exact, the default) or f16 (half the bytes). */
  readonly hiddenType?: "f16" | "f32";
  readonly signal?: AbortSignal;
  /** At least twice a second. */
  readonly onProgress?: (progress: ReadingProgress) => void;
}

export interface GenerateOptions {
  readonly sampling: Sampling;
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** Whole UTF-8 characters only. */
  readonly onText?: (text: string) => void;
}

export interface Generation {
  readonly text: string;
  readonly tokens: number;
  readonly stopped: "end" | "max-tokens";
  /** From generate()'s call. */
  readonly firstTokenMs: number;
  readonly decodeMs: number;
}

/** One document's context: read once, then generate. Not shared between calls at the same time. */
export interface Session {
  read(prompt: Prompt, options: ReadOptions): Promise<ReadingResult>;
  generate(options: GenerateOptions): Promise<Generation>;
  dispose(): Promise<void>;
}

/** A loaded model. Disposing it disposes its sessions; do it before the thread ends. */
export interface Engine {
  readonly model: ModelInfo;
  tokenize(text: string): Uint32Array;
  /**
   * The chat template around `before + document + after` as one user turn, with the generation prompt at the end.
   * Text between the markers is plain: special tokens inside a document are not parsed.
   */
  chatPrompt(parts: { system: string; before: string; document: string; after: string }): Prompt;
  createSession(): Promise<Session>;
  dispose(): Promise<void>;
}

export interface LoadOptions {
  /** 0..1 */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

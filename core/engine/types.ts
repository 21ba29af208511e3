import type { Policy } from "../compression/policy.js";
import type { Propagation } from "../compression/propagation.js";
import type { HiddenType, KvType } from "./kv.js";

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
  readonly feedForwardSize: number;
  readonly vocabularySize: number;
  readonly weightsBytes: number;
  /** Layers on the GPU, the output layer counted as one; 0 on the CPU. */
  readonly gpuLayers: number;
  /** What they could lie on; undefined: there is no GPU that can be used. */
  readonly gpu?: "cuda" | "vulkan" | "metal" | undefined;
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
  /** Buffers of the graph, beside the KV cache. */
  readonly computeBytes: number;
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
  /** What goes on to later layers; undefined: everything, which is thorough reading. None with a policy that keeps all. */
  readonly propagation?: Propagation | undefined;
  /** Entries per KV head summed over all layers (see ReadingShape.budget); ignored by a policy that keeps all. */
  readonly budgetEntries: number;
  /** How kept entries are stored; f16 when left out. */
  readonly kvType?: KvType;
  /** How hidden states wait between groups; f16 when left out. */
  readonly hiddenType?: HiddenType;
  /** Layers read at a time: fewer hold less memory. 1 when left out; a policy that keeps all reads them all at once. */
  readonly groupLayers?: number;
  /** The most tokens that will be written afterwards; 1,024 when left out. */
  readonly answerTokens?: number;
  /** Threads to compute with; as many as the machine has cores to spare when left out. */
  readonly threads?: number | undefined;
  /**
   * What each layer that attends to every position keeps before the window, once reading has ended: an ascending list per
   * KV head, layer by layer in order, not to be held or changed. Not called where everything is kept.
   */
  readonly onKept?: ((positions: readonly Uint32Array[]) => void) | undefined;
  readonly signal?: AbortSignal;
  /** At least twice a second. */
  readonly onProgress?: (progress: ReadingProgress) => void;
  /**
   * Where the whole KV cache goes, beside the compressed one in memory, for `GenerateOptions.follow`: a file that is not there
   * yet. One that is not `kept` has no name where the system allows it, and nothing is ever left of it; one that is, is the
   * caller's to delete, and after keepWhole() can be taken up by takeWhole().
   */
  readonly whole?: { readonly path: string; readonly kept: boolean } | undefined;
  /** There is no such file: why, as the end of a sentence. The document is read all the same. */
  readonly onWholeRefused?: ((reason: string) => void) | undefined;
}

/** How long the drafts of the next stretch of an answer are. */
export interface Pace {
  /** Tokens that are written between two decisions. */
  readonly stretch: number;
  /** 1: the whole cache writes alone. */
  next(): number;
  /** @param ms what so many tokens took with drafts of this length */
  took(length: number, tokens: number, ms: number): void;
}

/** How an answer is written with the whole cache beside the compressed one. */
export interface Following {
  /** Chooses what is kept by what the answer looks at: one that reads scores and nothing else. */
  readonly policy: Policy;
  readonly budgetEntries: number;
  /**
   * draft: what is kept is chosen by what a draft, which nobody sees, looks at on the whole cache. checked: no token is written
   * that the whole cache would not have written, by drafts that it checks or by itself, whichever is faster.
   */
  readonly mode: "draft" | "checked";
  /** How long the drafts are that it checks; undefined: as is faster. */
  readonly pace?: Pace;
}

export interface ResumeOptions extends Pick<ReadOptions, "kvType" | "answerTokens" | "threads" | "onKept" | "signal"> {}

export interface TakeOptions
  extends Omit<ResumeOptions, "kvType">,
    Pick<ReadOptions, "kvType" | "policy" | "budgetEntries"> {}

export interface ResumedReading extends ReadingResult {
  /** Whether the saved entries were chosen for the same window. */
  readonly sameWindow: boolean;
}

export interface GenerateOptions {
  /** Of the answer, what the caller writes: read before the model goes on with it, and not passed to `onText`. */
  readonly begin?: Uint32Array;
  readonly sampling: Sampling;
  readonly maxTokens: number;
  /** Where the whole cache was refused, or there never was one, it is not looked at. */
  readonly follow?: Following | undefined;
  readonly signal?: AbortSignal;
  /** Whole UTF-8 characters only. */
  readonly onText?: (text: string) => void;
}

export interface Generation {
  readonly text: string;
  readonly tokens: number;
  readonly stopped: "end" | "max-tokens";
  /** The most that attention held at any moment since reading began: the cache grows with the answer. */
  readonly peakKvBytes: number;
  /** From generate()'s call. */
  readonly firstTokenMs: number;
  readonly decodeMs: number;
  /** Tokens that were drafted to be checked on the whole cache, and those of them that were written. */
  readonly drafted: number;
  readonly confirmed: number;
  /** Why the whole cache was followed to no end, as the end of a sentence: the rest was written on what is kept. */
  readonly wholeLost?: string;
}

/** One document's context: read once, then generate. Not shared between calls at the same time. */
export interface Session {
  /**
   * @throws PrecisError model-unsupported when the policy drops entries and the model cannot be read in groups, or when not
   *   everything is to go on to later layers and this model's need it
   */
  read(prompt: Prompt, options: ReadOptions): Promise<ReadingResult>;
  /**
   * Writes what read() has left to a file, before anything is generated.
   * @param identity what the file is of, compared as a whole when it is read
   * @throws the file system's errors
   */
  save(file: string, identity: string): Promise<void>;
  /**
   * Instead of read(): takes up what save() wrote. When the saved prompt ended with another window, this prompt's is
   * read on the saved entries.
   * @throws SavedCacheRefused when the file is damaged, or of something else
   */
  resume(prompt: Prompt, file: string, identity: string, options: ResumeOptions): Promise<ResumedReading>;
  /**
   * After read() with a kept whole cache: finishes its file.
   * @param identity what the file is of, the window excepted
   * @returns false where there is no such file: it was refused, or the model's sliding layers do not go to it
   */
  keepWhole(identity: string): Promise<boolean>;
  /**
   * Instead of read(): takes up the whole cache of the same prompt but for its window, reads this window on it, and keeps what
   * it looks at. Nothing is lost against reading again.
   * @throws SavedCacheRefused when the file is damaged, or of something else, or the disk has no room for the answer's part
   */
  takeWhole(prompt: Prompt, file: string, identity: string, options: TakeOptions): Promise<ResumedReading>;
  generate(options: GenerateOptions): Promise<Generation>;
  dispose(): Promise<void>;
}

/** A loaded model. Disposing it disposes its sessions; do it before the thread ends. */
export interface Engine {
  readonly model: ModelInfo;
  /** The GPUs that layers can lie on. */
  gpuNames(): Promise<readonly string[]>;
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
  /** How many layers go to the GPU; undefined: as many as fit. Without a GPU it must be 0 or undefined. */
  readonly gpuLayers?: number;
  /** 0..1 */
  readonly onProgress?: (fraction: number) => void;
  readonly signal?: AbortSignal;
}

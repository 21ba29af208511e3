/** One document's reading and writing: asks the policy what to keep and has native code do it. */
import { cancelled, PrecisError } from "../errors.js";
import { entryBytes, type KvType } from "./kv.js";
import type { NativeSession } from "./native.js";
import type {
  GenerateOptions,
  Generation,
  LayerKv,
  ModelInfo,
  Prompt,
  ReadingResult,
  ReadOptions,
  Session,
} from "./types.js";

/** Tokens per batch, llama.cpp's default micro-batch: results equal stock's only with stock's batches. */
export const batchTokens = 512;

/** Attention sinks beside the prompt's head (StreamingLLM, arXiv 2309.17453: four). */
const sinks = 4;

/** Milliseconds between two progress reports. */
const progressInterval = 200;

export class DocumentSession implements Session {
  #reading = false;
  #read = false;

  constructor(
    private readonly native: NativeSession,
    private readonly model: ModelInfo,
    /** Indices of the layers that attend to every position; a policy counts only these. */
    private readonly fullLayers: readonly number[],
    private readonly threads: number,
    private readonly onDispose: () => void,
  ) {}

  async read(prompt: Prompt, options: ReadOptions): Promise<ReadingResult> {
    const { policy, budgetEntries, kvType = "f16", hiddenType = "f32", signal, onProgress } = options;
    const { layers, kvHeads } = this.model;
    const tokens = prompt.tokens.length;
    this.#read = false;
    const started = performance.now();
    let compressMs = 0;
    return await this.#guarded(
      signal,
      () => this.#report(tokens, started, onProgress),
      async () => {
        onProgress?.({ fraction: 0, layersRead: 0, elapsedMs: 0, remainingMs: undefined });
        await this.native.open(this.model.path, prompt.tokens, prompt.windowTokens, {
          batch: batchTokens,
          threads: this.threads,
          kvType,
          hiddenType,
        });
        signal?.throwIfAborted();

        if (policy.keepsAll) {
          await this.native.read(0, layers, undefined, true);
        } else {
          const before = tokens - prompt.windowTokens;
          const kept = Math.min(before, Math.max(prompt.headTokens, sinks));
          const run = policy.begin({
            layers: this.fullLayers.length,
            kvHeads,
            tokens,
            window: prompt.windowTokens,
            protectedPositions: Array.from({ length: kept }, (_, position) => position),
            budget: budgetEntries,
          });
          // one layer at a time holds the least
          for (let layer = 0; layer < layers; layer++) {
            const [scores = new Float32Array(0)] = await this.native.read(layer, layer + 1, policy.reduction, false);
            const index = this.fullLayers.indexOf(layer);
            if (index < 0) continue;
            const since = performance.now();
            const retained = run.onGroup([{ layer: index, scores }]);
            await this.native.keep(retained.map((one) => ({ ...one, layer: this.fullLayers[one.layer] as number })));
            compressMs += performance.now() - since;
          }
        }
        await this.native.finish();
        this.#read = true;
        onProgress?.({ fraction: 1, layersRead: layers, elapsedMs: performance.now() - started, remainingMs: 0 });
        return {
          tokens,
          kv: this.#kv(tokens, kvType),
          timings: { prefillMs: performance.now() - started - compressMs, compressMs },
        };
      },
    );
  }

  async generate({ sampling, maxTokens, signal, onText }: GenerateOptions): Promise<Generation> {
    if (!this.#read) throw new Error("generate() before read()");
    const started = performance.now();
    let firstTokenMs = 0;
    let passed = 0;
    let open = true;
    const pass = (text: string) => {
      if (!open || text === "") return;
      if (passed === 0) firstTokenMs = performance.now() - started;
      passed += text.length;
      onText?.(text);
    };
    return await this.#guarded(signal, undefined, async () => {
      const { tokens, ended, text } = await this.native.write({ ...sampling, maxTokens }, pass);
      // pieces still on their way when the promise settles are passed on here, once
      pass(text.slice(passed));
      open = false;
      return {
        text,
        tokens,
        stopped: ended ? "end" : "max-tokens",
        firstTokenMs,
        decodeMs: performance.now() - started,
      };
    });
  }

  /** For tests and the evaluation: logits after each of `tokens`, f32 [tokens x vocabulary]. */
  async feed(tokens: Uint32Array): Promise<Float32Array> {
    return await this.native.feed(tokens);
  }

  /** Logits after the last token read, f32 [vocabulary]. */
  logits(): Float32Array {
    return this.native.logits();
  }

  async dispose(): Promise<void> {
    this.native.abort();
    while (this.#reading) await new Promise((resolve) => setTimeout(resolve, 5));
    this.native.dispose();
    this.onDispose();
  }

  #kv(tokens: number, kvType: KvType): ReadingResult["kv"] {
    const { kvHeads } = this.model;
    const rowBytes = entryBytes(this.model, kvType) * kvHeads;
    const held: LayerKv[] = this.fullLayers.map((layer) => {
      const bytes = this.native.layerBytes(layer);
      return { layer, bytes, tokens: bytes / rowBytes };
    });
    return {
      fullBytes: tokens * entryBytes(this.model) * kvHeads * this.fullLayers.length,
      retainedBytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
      peakBytes: this.native.peakBytes(),
      layers: held,
    };
  }

  /** Runs native work so that the signal stops it, and its errors become ours. */
  async #guarded<T>(
    signal: AbortSignal | undefined,
    report: (() => void) | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.#reading) throw new Error("The session is at work.");
    if (signal?.aborted) throw cancelled();
    this.#reading = true;
    const abort = () => this.native.abort();
    signal?.addEventListener("abort", abort, { once: true });
    const timer = report && setInterval(report, progressInterval);
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted) throw cancelled();
      throw nativeError(error);
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", abort);
      this.#reading = false;
    }
  }

  #report(tokens: number, started: number, onProgress: ReadOptions["onProgress"]): void {
    const done = this.native.progress();
    const fraction = Math.min(1, done / (tokens * this.model.layers));
    const elapsedMs = performance.now() - started;
    onProgress?.({
      fraction,
      layersRead: Math.floor(done / tokens),
      elapsedMs,
      // the first moments also hold the set-up of buffers
      remainingMs: fraction > 0.02 ? (elapsedMs * (1 - fraction)) / fraction : undefined,
    });
  }
}

function nativeError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (code === "cancelled") return cancelled();
  if (code === "out-of-memory") {
    return new PrecisError(
      "out-of-memory",
      `There is not enough memory: ${message}.`,
      "Close other programs, or choose a smaller memory budget.",
      { cause: error },
    );
  }
  if (code === "model-unsupported") {
    return new PrecisError("model-unsupported", `This model cannot be used: ${message}.`, "Choose another model.", {
      cause: error,
    });
  }
  return error;
}

/** One document's reading and writing: asks the policy what to keep and has native code do it. */
import { createHash } from "node:crypto";
import type { GroupReduction, LayerRetention } from "../compression/policy.js";
import { cancelled } from "../errors.js";
import { said } from "../said.js";
import { entryBytes, type KvType } from "./kv.js";
import type { LayerState, NativeOpenOptions, NativeSession } from "./native.js";
import { ReadingTime, type ReadingWork, workAt } from "./reading-time.js";
import {
  type CacheContents,
  openSavedCache,
  type SavedCache,
  SavedCacheRefused,
  writeSavedCache,
} from "./saved-cache.js";
import { cannotCompress, cannotReadFast, fileRefusal, nativeError } from "./session-errors.js";
import { batchTokens, defaultAnswerTokens, draftTokens, layerCosts, readingShape } from "./shape.js";
import type {
  Following,
  GenerateOptions,
  Generation,
  LayerKv,
  ModelInfo,
  Prompt,
  ReadingResult,
  ReadOptions,
  ResumedReading,
  ResumeOptions,
  Sampling,
  Session,
  TakeOptions,
} from "./types.js";
import { writeAnswer } from "./writing.js";

type OpenOptions = Pick<NativeOpenOptions, "kvType" | "hiddenType" | "whole"> &
  Partial<Pick<NativeOpenOptions, "observedLayers">> &
  Pick<ReadOptions, "answerTokens" | "threads">;

/** Why a whole cache is followed no longer, as the end of a sentence. */
const lostFile = said`its file was changed or cut short, or its disk cannot be read`;

/** Milliseconds between two progress reports. */
const progressInterval = 200;

export interface LoadedModel {
  readonly info: ModelInfo;
  /** Indices of the layers that attend to every position; a policy counts only these. */
  readonly fullLayers: readonly number[];
  /** Why it cannot be read in groups, as the end of a sentence. */
  readonly refusal: string | undefined;
  /** Why its layers cannot go on with some of the tokens only, likewise. */
  readonly passRefusal: string | undefined;
}

export class DocumentSession implements Session {
  #reading = false;
  #read = false;
  /** Whether the whole cache lies beside this one. */
  #whole = false;
  /** Whether what is kept has been chosen by a draft since. */
  #chosen = false;
  #prompt: Prompt = { tokens: new Uint32Array(0), headTokens: 0, windowTokens: 0 };

  readonly model: ModelInfo;
  /** Indices of the layers that attend to every position; a policy counts only these. */
  readonly fullLayers: readonly number[];

  constructor(
    private readonly native: NativeSession,
    private readonly loaded: LoadedModel,
    private readonly threads: number,
    private readonly onDispose: () => void,
  ) {
    this.model = loaded.info;
    this.fullLayers = loaded.fullLayers;
  }

  async read(prompt: Prompt, options: ReadOptions): Promise<ReadingResult> {
    const { policy, budgetEntries, kvType = "f16", hiddenType = "f16", groupLayers = 1, signal, onProgress } = options;
    const propagation = policy.keepsAll ? undefined : options.propagation;
    if (this.loaded.refusal !== undefined && !policy.keepsAll) throw cannotCompress(this.loaded.refusal);
    if (this.loaded.passRefusal !== undefined && propagation) throw cannotReadFast(this.loaded.passRefusal);
    const kept = new Map<number, readonly Uint32Array[]>();
    const { layers } = this.model;
    const tokens = prompt.tokens.length;
    const shape = readingShape(this.model, { ...prompt, tokens }, budgetEntries);
    const through = propagation?.expectedTokens(shape) ?? new Array<number>(layers).fill(tokens);
    this.#read = this.#chosen = false;
    const { weights, others } = layerCosts(this.model);
    const time = new ReadingTime(others / weights);
    const started = performance.now();
    let compressMs = 0;
    return await this.#guarded(
      signal,
      () => this.#report(through, policy.keepsAll ? layers : groupLayers, time, started, onProgress),
      async () => {
        onProgress?.({ fraction: 0, layersRead: 0, elapsedMs: 0, remainingMs: undefined });
        // later layers have no whole cache to lay beside
        const whole = propagation ? undefined : options.whole;
        const observedLayers = policy.keepsAll ? 0 : groupLayers;
        await this.#openBeside(prompt, { ...options, whole, kvType, hiddenType, observedLayers });
        signal?.throwIfAborted();

        if (policy.keepsAll) {
          await this.native.read(0, layers, undefined, [], true);
        } else {
          const run = policy.begin(shape);
          const passing = propagation?.begin(shape);
          const reduction = policy.reduction ?? (passing && "max");
          let positions: Uint32Array | undefined;
          for (let layer = 0; layer < layers; layer += groupLayers) {
            const end = Math.min(layers, layer + groupLayers);
            through.fill(positions ? positions.length + prompt.windowTokens : tokens, layer, end);
            const observed = await this.native.read(layer, end, reduction, policy.needs ?? [], false);
            const since = performance.now();
            const first = this.fullLayers.findIndex((index) => index >= layer);
            const group = observed.map((of, index) => ({ layer: first + index, positions, ...of }));
            const retained = group.length > 0 ? run.onGroup(group) : [];
            for (const one of retained) kept.set(one.layer, one.positions);
            await this.native.keep(retained.map((one) => ({ ...one, layer: this.fullLayers[one.layer] as number })));
            const passed = end < layers ? passing?.onGroup(group) : undefined;
            if (passed) {
              await this.native.pass(passed);
              positions = passed;
            }
            compressMs += performance.now() - since;
          }
        }
        await this.native.finish();
        this.#read = true;
        if (this.#loses()) options.onWholeRefused?.(lostFile);
        if (!policy.keepsAll) for (const index of this.fullLayers.keys()) options.onKept?.(kept.get(index) ?? []);
        onProgress?.({ fraction: 1, layersRead: layers, elapsedMs: performance.now() - started, remainingMs: 0 });
        return {
          tokens,
          computeBytes: this.native.computeBytes(),
          kv: this.#kv(tokens, kvType),
          timings: { prefillMs: performance.now() - started - compressMs, compressMs },
        };
      },
    );
  }

  async save(file: string, identity: string): Promise<void> {
    await writeSavedCache(file, { identity, ...this.held() });
  }

  /** What reading has left, layer by layer as it is asked for, until anything is generated. */
  held(): Omit<CacheContents, "identity"> {
    if (!this.#read) throw new Error("Nothing was read yet.");
    const { native } = this;
    return {
      window: this.#prompt.tokens.slice(-this.#prompt.windowTokens),
      logits: native.logits(),
      slidingCells: native.slidingCells(),
      layers: this.model.layers,
      layer: (layer) => native.state(layer),
    };
  }

  async resume(prompt: Prompt, file: string, identity: string, options: ResumeOptions): Promise<ResumedReading> {
    const saved = await openSavedCache(file, identity, this.model.layers);
    try {
      return await this.takeUp(prompt, saved, options);
    } catch (error) {
      // what native code or a typed array cannot take over is as good as damaged
      const refused = (error as { code?: unknown }).code === "failed" || error instanceof RangeError;
      throw refused ? new SavedCacheRefused(said`it does not fit this model and prompt`, { cause: error }) : error;
    } finally {
      await saved.close();
    }
  }

  /** Instead of read(): takes up what another session held. */
  async takeUp(prompt: Prompt, held: Omit<SavedCache, "close">, options: ResumeOptions): Promise<ResumedReading> {
    this.#read = this.#whole = this.#chosen = false;
    const started = performance.now();
    return await this.#guarded(options.signal, undefined, async () => {
      const { kvType = "f16" } = options;
      const window = prompt.tokens.slice(-prompt.windowTokens);
      const sameWindow = window.length === held.window.length && window.every((id, i) => id === held.window[i]);
      await this.#open(prompt, { ...options, kvType, hiddenType: "f16" });
      const kept: Uint32Array[][] = [];
      for (let layer = 0; layer < this.model.layers; layer++) {
        options.signal?.throwIfAborted();
        const state = await held.layer(layer);
        this.native.restore(layer, state, held.window.length, sameWindow);
        if (options.onKept && this.fullLayers.includes(layer)) kept.push(byHead(state));
      }
      await this.native.resume(await held.slidingCells(), sameWindow ? await held.logits() : undefined);
      this.#read = true;
      for (const positions of kept) options.onKept?.(positions);
      const tokens = prompt.tokens.length;
      return {
        sameWindow,
        tokens,
        computeBytes: this.native.computeBytes(),
        kv: this.#kv(tokens, kvType),
        timings: { prefillMs: performance.now() - started, compressMs: 0 },
      };
    });
  }

  async keepWhole(identity: string): Promise<boolean> {
    if (!this.#whole || this.fullLayers.length < this.model.layers) return false;
    await this.native.seal(digest(identity));
    return true;
  }

  async takeWhole(prompt: Prompt, file: string, identity: string, options: TakeOptions): Promise<ResumedReading> {
    this.#read = this.#chosen = false;
    const started = performance.now();
    const { kvType = "f16", policy, budgetEntries, onKept, signal } = options;
    return await this.#guarded(signal, undefined, async () => {
      let prefillMs: number;
      let kept: LayerRetention[];
      try {
        const whole = { path: file, is: "existing" } as const;
        await this.#open(prompt, { ...options, kvType, hiddenType: "f16", whole });
        await this.native.takeWhole(digest(identity));
        prefillMs = performance.now() - started;
        kept = await this.#choose({ policy: policy.recalled ?? policy, budgetEntries });
      } catch (error) {
        const reason = fileRefusal(error);
        throw reason === undefined ? error : new SavedCacheRefused(reason, { cause: error });
      }
      this.#read = this.#whole = true;
      for (const { positions } of kept) onKept?.(positions);
      const tokens = prompt.tokens.length;
      return {
        sameWindow: true,
        tokens,
        computeBytes: this.native.computeBytes(),
        kv: this.#kv(tokens, kvType),
        timings: { prefillMs, compressMs: performance.now() - started - prefillMs },
      };
    });
  }

  async generate(options: GenerateOptions): Promise<Generation> {
    if (!this.#read) throw new Error("generate() before read()");
    return await this.#guarded(options.signal, undefined, async () => {
      const generation = await writeAnswer(this.native, options, {
        whole: this.#whole,
        lookAhead: async (follow) => {
          if (!this.#chosen) await this.#lookAhead(follow, options.sampling);
          this.#chosen = true;
        },
      });
      return this.#loses() ? { ...generation, wholeLost: lostFile } : generation;
    });
  }

  /** Whether the whole cache was there, and is no longer. */
  #loses(): boolean {
    const had = this.#whole;
    this.#whole = had && this.native.hasWhole();
    return had && !this.#whole;
  }

  /** Writes a draft that nobody sees, and keeps what it looks at on the whole cache. */
  async #lookAhead(follow: Following, sampling: Sampling): Promise<void> {
    // an answer that ends here has nothing to look at
    if ((await this.native.lookAhead(sampling, draftTokens)) > 0) await this.#choose(follow);
  }

  /** Keeps what the last draft looked at on the whole cache. */
  async #choose({ policy, budgetEntries }: Omit<Following, "mode">): Promise<LayerRetention[]> {
    const { native, fullLayers } = this;
    const tokens = this.#prompt.tokens.length;
    const run = policy.begin(readingShape(this.model, { ...this.#prompt, tokens }, budgetEntries));
    const kept: LayerRetention[] = [];
    for (const [layer, index] of fullLayers.entries()) {
      const scores = native.lookedAt(index, policy.reduction as GroupReduction);
      const more = policy.needs?.includes("valueNorms") ? { valueNorms: native.valueNorms(index) } : {};
      for (const one of run.onGroup([{ layer, scores, ...more }])) kept[one.layer] = one;
    }
    await native.refill(kept.map((one) => ({ ...one, layer: fullLayers[one.layer] as number })));
    return kept;
  }

  /** For tests and the evaluation: what generate() does first with such options. */
  async draft(follow: Following, sampling: Sampling): Promise<void> {
    await this.#lookAhead(follow, sampling);
  }

  /** For tests and the evaluation: feed(), on the whole cache. */
  async feedWhole(tokens: Uint32Array): Promise<Float32Array> {
    return await this.native.feedWhole(tokens);
  }

  /** For tests and the evaluation: takes back all that was fed or written; logits after the prompt. */
  rewind(logits: Float32Array): void {
    this.#chosen = false;
    this.native.rewind(logits);
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

  /** With the whole cache beside it, where that is asked for and possible. */
  async #openBeside(prompt: Prompt, options: Omit<OpenOptions, "whole"> & ReadOptions): Promise<void> {
    const { whole, onWholeRefused, policy } = options;
    this.#whole = whole !== undefined && !policy.keepsAll && this.model.gpuLayers === 0;
    try {
      const is = whole?.kept ? "named" : "nameless";
      await this.#open(prompt, { ...options, whole: whole && this.#whole ? { path: whole.path, is } : undefined });
    } catch (error) {
      const reason = fileRefusal(error);
      if (reason === undefined) throw error;
      this.#whole = false;
      onWholeRefused?.(reason);
      await this.#open(prompt, { ...options, whole: undefined });
    }
  }

  async #open(prompt: Prompt, options: OpenOptions) {
    this.#prompt = prompt;
    await this.native.open(this.model.path, prompt.tokens, prompt.windowTokens, {
      batch: batchTokens,
      threads: options.threads ?? this.threads,
      room: options.answerTokens ?? defaultAnswerTokens,
      kvType: options.kvType,
      hiddenType: options.hiddenType,
      observedLayers: options.observedLayers ?? 0,
      grouped: this.loaded.refusal === undefined,
      whole: options.whole,
    });
  }

  #kv(tokens: number, kvType: KvType): ReadingResult["kv"] {
    const { kvHeads } = this.model;
    if (this.loaded.refusal !== undefined) {
      const bytes = this.native.memoryBytes();
      return { fullBytes: bytes, retainedBytes: bytes, peakBytes: bytes, layers: [] };
    }
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

  /**
   * @param through tokens that go through each layer
   * @param together layers that each batch goes through before the next one does
   */
  #report(
    through: readonly number[],
    together: number,
    time: ReadingTime,
    started: number,
    onProgress: ReadOptions["onProgress"],
  ): void {
    const elapsedMs = performance.now() - started;
    const costs = layerCosts(this.model);
    const { done, left, layersRead } = workAt(this.native.progress(), through, together, costs);
    // of all layers at once the beginning of one curve is seen, which says little of its end
    const plain = together >= through.length;
    if (!plain) time.add(done, layersRead, elapsedMs);
    const work = (one: ReadingWork) => costs.weights * one.tokens + costs.others * one.squares;
    const [read, unread] = [work(done), work(left)];
    const fraction = read / (read + unread);
    const remainingMs = plain ? (elapsedMs * unread) / read : time.of(left);
    onProgress?.({
      fraction,
      layersRead,
      elapsedMs,
      // the first moments also hold the set-up of buffers
      remainingMs: fraction > 0.02 ? remainingMs : undefined,
    });
  }
}

/** The positions that each KV head keeps. */
function byHead({ kept, positions }: LayerState): Uint32Array[] {
  let start = 0;
  return Array.from(kept, (length) => {
    start += length;
    return positions.subarray(start - length, start);
  });
}

function digest(identity: string): Uint8Array {
  return createHash("sha256").update(identity).digest();
}

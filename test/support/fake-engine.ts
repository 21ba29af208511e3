/** An engine without a model: a token is a word, reading takes as many steps as asked, the answer is given. */
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SavedCacheRefused } from "../../core/engine/saved-cache.js";
import type { Engine, Generation, ModelInfo, Prompt, ReadingResult, Sampling } from "../../core/engine/types.js";
import { cancelled } from "../../core/errors.js";
import { fullKvBytes } from "../../core/estimate/estimate.js";

export interface FakeOptions {
  readonly contextLength?: number;
  readonly steps?: number;
  readonly stepMs?: number;
  /** What is written, by the text between the prompt's template and its instruction. */
  readonly answer?: string | ((document: string, instruction: string) => string);
  readonly stopped?: Generation["stopped"];
  /** Called at each step of reading. */
  readonly onStep?: (step: number) => void;
  /** Whether a saved cache was made for the same window. */
  readonly sameWindow?: boolean;
  /** Why the whole cache was followed to no end. */
  readonly wholeLost?: string;
  /** Pieces of text, without waiting between them. */
  readonly pieces?: number;
}

/** What the engine was asked for and what it still holds. */
export interface FakeEngine extends Engine {
  readonly seen: {
    budgetEntries: number[];
    sampling: Sampling[];
    maxTokens: number[];
    prompts: string[];
    /** Of each prompt that was read. */
    promptTokens: number[];
    /** Texts that were read, without what stands around them, and the instructions behind them. */
    read: { document: string; instruction: string }[];
  };
  openSessions: number;
  disposed: boolean;
}

export const fakeModel: ModelInfo = {
  id: "fake",
  path: "/fake.gguf",
  architecture: "llama",
  layers: 30,
  fullLayers: 30,
  queryHeads: 9,
  kvHeads: 3,
  keySize: 64,
  valueSize: 64,
  embeddingSize: 576,
  contextLength: 8192,
  feedForwardSize: 1536,
  vocabularySize: 49_152,
  weightsBytes: 98_362_432,
  gpuLayers: 0,
};

/** A token is a word: the same word, the same token. */
const tokensOf = (...texts: readonly string[]): Uint32Array =>
  Uint32Array.from(
    texts.flatMap((text) => text.split(/\s+/).filter((word) => word !== "")),
    (word) => [...word].reduce((hash, char) => (Math.imul(hash, 31) + (char.codePointAt(0) ?? 0)) >>> 0, 7),
  );

export function fakeEngine(options: FakeOptions = {}): FakeEngine {
  const model = { ...fakeModel, contextLength: options.contextLength ?? fakeModel.contextLength };
  let last = { document: "", instruction: "" };
  const engine: FakeEngine = {
    model,
    seen: { budgetEntries: [], sampling: [], maxTokens: [], prompts: [], promptTokens: [], read: [] },
    openSessions: 0,
    disposed: false,
    tokenize: (text) => tokensOf(text),
    gpuNames: async () => [],
    chatPrompt({ system, before, document, after }): Prompt {
      engine.seen.prompts.push([system, before, document, after].join("|"));
      last = { document, instruction: after.trim() };
      const tokens = tokensOf(system, before, document, after);
      return { tokens, headTokens: tokensOf(system, before).length, windowTokens: tokensOf(after).length };
    },
    async createSession() {
      engine.openSessions += 1;
      let prompt = last;
      return {
        async read({ tokens }, { budgetEntries, signal, onProgress, onKept }): Promise<ReadingResult> {
          engine.seen.budgetEntries.push(budgetEntries);
          prompt = last;
          engine.seen.read.push(prompt);
          engine.seen.promptTokens.push(tokens.length);
          const steps = options.steps ?? 1;
          for (let step = 1; step <= steps; step += 1) {
            if (signal?.aborted) throw cancelled();
            if (options.stepMs) await sleep(options.stepMs);
            options.onStep?.(step);
            onProgress?.({ fraction: step / steps, layersRead: step, elapsedMs: step, remainingMs: steps - step });
          }
          onKept?.([Uint32Array.from({ length: Math.floor(tokens.length / 4) }, (_, index) => 4 * index)]);
          const fullBytes = fullKvBytes(model, tokens.length);
          const kv = { fullBytes, retainedBytes: 1, peakBytes: 2, layers: [{ layer: 0, tokens: 1, bytes: 1 }] };
          return { tokens: tokens.length, computeBytes: 1, kv, timings: { prefillMs: 3, compressMs: 4 } };
        },
        async save(file, identity) {
          await writeFile(file, identity);
        },
        async resume({ tokens }, file, identity) {
          if ((await readFile(file, "utf8").catch(() => "")) !== identity) throw new SavedCacheRefused("it is damaged");
          const kv = {
            fullBytes: fullKvBytes(model, tokens.length),
            retainedBytes: 1,
            peakBytes: 1,
            layers: [],
          };
          const timings = { prefillMs: 1, compressMs: 0 };
          return { tokens: tokens.length, computeBytes: 1, kv, timings, sameWindow: options.sameWindow ?? true };
        },
        async keepWhole() {
          return false;
        },
        async takeWhole() {
          throw new SavedCacheRefused("there is none");
        },
        async generate({ sampling, maxTokens, signal, onText }): Promise<Generation> {
          if (signal?.aborted) throw cancelled();
          engine.seen.sampling.push(sampling);
          engine.seen.maxTokens.push(maxTokens);
          const { answer = "The harbour was rebuilt." } = options;
          const piece = typeof answer === "string" ? answer : answer(prompt.document, prompt.instruction);
          const text = piece.repeat(options.pieces ?? 1);
          for (let count = 0; count < (options.pieces ?? 1); count += 1) onText?.(piece);
          const spent = { peakKvBytes: 2, firstTokenMs: 6, decodeMs: 7, drafted: 0, confirmed: 0 };
          const lost = options.wholeLost === undefined ? {} : { wholeLost: options.wholeLost };
          return { text, tokens: 5, stopped: options.stopped ?? "end", ...spent, ...lost };
        },
        async dispose() {
          engine.openSessions -= 1;
        },
      };
    },
    async dispose() {
      engine.disposed = true;
    },
  };
  return engine;
}

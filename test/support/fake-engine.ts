/** An engine without a model: a token is a word, reading takes as many steps as asked, the answer is given. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Engine, Generation, ModelInfo, Prompt, ReadingResult, Sampling } from "../../core/engine/types.js";
import { cancelled } from "../../core/errors.js";
import { fullKvBytes } from "../../core/estimate/estimate.js";

export interface FakeOptions {
  readonly contextLength?: number;
  readonly steps?: number;
  readonly stepMs?: number;
  readonly answer?: string;
  readonly stopped?: Generation["stopped"];
  /** Called at each step of reading. */
  readonly onStep?: (step: number) => void;
  /** Pieces of text, without waiting between them. */
  readonly pieces?: number;
}

/** What the engine was asked for and what it still holds. */
export interface FakeEngine extends Engine {
  readonly seen: { budgetEntries: number[]; sampling: Sampling[]; maxTokens: number[]; prompts: string[] };
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
  weightsBytes: 98_362_432,
};

const words = (text: string) => text.split(/\s+/).filter((word) => word !== "").length;

export function fakeEngine(options: FakeOptions = {}): FakeEngine {
  const model = { ...fakeModel, contextLength: options.contextLength ?? fakeModel.contextLength };
  const engine: FakeEngine = {
    model,
    seen: { budgetEntries: [], sampling: [], maxTokens: [], prompts: [] },
    openSessions: 0,
    disposed: false,
    tokenize: (text) => new Uint32Array(words(text)),
    chatPrompt({ system, before, document, after }): Prompt {
      engine.seen.prompts.push([system, before, document, after].join("|"));
      const tokens = words(system) + words(before) + words(document) + words(after);
      return { tokens: new Uint32Array(tokens), headTokens: words(system), windowTokens: words(after) };
    },
    async createSession() {
      engine.openSessions += 1;
      return {
        async read(prompt, { budgetEntries, signal, onProgress }): Promise<ReadingResult> {
          engine.seen.budgetEntries.push(budgetEntries);
          const steps = options.steps ?? 1;
          for (let step = 1; step <= steps; step += 1) {
            if (signal?.aborted) throw cancelled();
            if (options.stepMs) await sleep(options.stepMs);
            options.onStep?.(step);
            onProgress?.({ fraction: step / steps, layersRead: step, elapsedMs: step, remainingMs: steps - step });
          }
          const fullBytes = fullKvBytes(model, prompt.tokens.length);
          const kv = { fullBytes, retainedBytes: 1, peakBytes: 2, layers: [{ layer: 0, tokens: 1, bytes: 1 }] };
          return { tokens: prompt.tokens.length, kv, timings: { prefillMs: 3, compressMs: 4 } };
        },
        async generate({ sampling, maxTokens, signal, onText }): Promise<Generation> {
          if (signal?.aborted) throw cancelled();
          engine.seen.sampling.push(sampling);
          engine.seen.maxTokens.push(maxTokens);
          const text = (options.answer ?? "The harbour was rebuilt.").repeat(options.pieces ?? 1);
          for (let piece = 0; piece < (options.pieces ?? 1); piece += 1) {
            onText?.(options.answer ?? "The harbour was rebuilt.");
          }
          return { text, tokens: 5, stopped: options.stopped ?? "end", firstTokenMs: 6, decodeMs: 7 };
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

import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { coverageOf } from "../documents/coverage.js";
import type { SourceDocument } from "../documents/document.js";
import { documentText } from "../documents/document-text.js";
import type { CacheStore } from "../engine/cache-store.js";
import { SavedCacheRefused } from "../engine/saved-cache.js";
import type { Engine, Prompt, ReadingProgress, ReadingResult, Sampling, Session } from "../engine/types.js";
import { cancelled, PrecisError } from "../errors.js";
import { parseBudget } from "../estimate/estimate.js";
import type { RunOptions } from "./options.js";
import { type Plan, planWithin } from "./plan.js";
import { buildPrompt, maxAnswerTokens } from "./prompt.js";
import type { SummaryResult } from "./result.js";

export interface SummaryProgress {
  readonly stage: "reading" | "writing";
  /** 0..1 within the stage; of writing, the share of the longest answer allowed. */
  readonly fraction: number;
  readonly elapsedMs: number;
  readonly remainingMs?: number;
}

export interface SummaryContext {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SummaryProgress) => void;
  /** The answer as it is written. */
  readonly onText?: (text: string) => void;
  /** What loading the model and reading the file took, for the result's timings. */
  readonly loadMs: number;
  readonly readMs: number;
  /** Where what reading left is kept for the next question about the same document; undefined: nowhere. */
  readonly caches?: CacheStore;
  /** Bytes of memory that programs can still take; undefined: as the system says. */
  readonly availableBytes?: number;
}

/**
 * Reads a document whole and answers: a summary, or the answer to `options.question`.
 * @throws PrecisError too-long when prompt and answer do not fit the model's context (the document is never cut),
 *   budget-invalid, budget-too-small, out-of-memory when it cannot fit (before anything is read), cancelled, and what
 *   the engine throws
 */
export async function summarizeDocument(
  engine: Engine,
  document: SourceDocument,
  options: RunOptions,
  context: SummaryContext,
): Promise<SummaryResult> {
  const { model } = engine;
  const { text: source, pages } = documentText(document);
  const prompt = buildPrompt(engine, source, options);
  const maxTokens = maxAnswerTokens[options.length];
  refuseTooLong(prompt.tokens.length, maxTokens, model.contextLength);

  const warnings: string[] = [];
  const lengths = { ...prompt, tokens: prompt.tokens.length };
  // the weights count as free while they are only mapped; so does this estimate count them
  const available = context.availableBytes ?? process.availableMemory();
  const plan = planWithin(model, lengths, maxTokens, options, available);
  if (plan.policy.keepsAll) warnIgnored(options, engine, prompt.tokens.length, warnings);

  if (context.signal?.aborted) throw cancelled();
  const session = await engine.createSession();
  try {
    const reading = await readOrResume(session, prompt, plan, maxTokens, engine, context, warnings);
    const generation = await session.generate({
      sampling: samplingOf(options),
      maxTokens,
      signal: context.signal,
      onText: writer(context, maxTokens),
    });
    if (generation.stopped === "max-tokens") warnings.push(`The answer was cut at ${generation.tokens} tokens.`);
    return {
      text: generation.text.trim(),
      citations: [],
      document: {
        path: document.path,
        pages: document.pages.length,
        tokens: engine.tokenize(source).length,
        pagesRead: pages.filter(({ start, end }) => source.slice(start, end).trim() !== "").map(({ number }) => number),
        coverage: coverageOf(document),
        warnings: [...document.warnings],
      },
      model: {
        id: model.id,
        path: model.path,
        layers: model.layers,
        kvHeads: model.kvHeads,
        contextLength: model.contextLength,
      },
      policy: plan.policy.name,
      budget: {
        requested: plan.budget.requested,
        bytes: plan.budget.bytes,
        tokensPerLayer: plan.budget.tokensPerLayer,
      },
      kv: {
        ...reading.kv,
        peakBytes: generation.peakKvBytes,
        layers: reading.kv.layers.map((layer) => ({ ...layer })),
      },
      // resourceUsage counts maxRSS in KiB.
      memory: { peakRssBytes: process.resourceUsage().maxRSS * 1024 },
      timings: {
        loadMs: context.loadMs,
        readMs: context.readMs,
        prefillMs: reading.timings.prefillMs,
        compressMs: reading.timings.compressMs,
        firstTokenMs: generation.firstTokenMs,
        decodeMs: generation.decodeMs,
        decodeTokens: generation.tokens,
      },
      warnings,
    };
  } finally {
    await session.dispose();
  }
}

function refuseTooLong(promptTokens: number, answerTokens: number, contextLength: number): void {
  if (promptTokens + answerTokens <= contextLength) return;
  const count = (tokens: number) => tokens.toLocaleString("en-US");
  throw new PrecisError(
    "too-long",
    `The document is too long for this model: with its instruction it takes ${count(promptTokens)} tokens and the ` +
      `answer up to ${count(answerTokens)}, but the model reads at most ${count(contextLength)}.`,
    "Choose a model with a longer context, or split the document.",
  );
}

/** A policy that keeps everything has no use for a smaller budget. */
function warnIgnored(options: RunOptions, engine: Engine, promptTokens: number, warnings: string[]): void {
  const asked = parseBudget(options.budget, engine.model, promptTokens, 0, options.kvType);
  if (asked.entriesTotal >= promptTokens * engine.model.fullLayers) return;
  warnings.push(
    `The policy "${options.policy}" keeps the whole KV cache: the budget of ${options.budget} was not used.`,
  );
}

/** Takes up the cache saved at an earlier reading of the same document where there is one, and saves one otherwise. */
async function readOrResume(
  session: Session,
  prompt: Prompt,
  plan: Plan,
  answerTokens: number,
  engine: Engine,
  context: SummaryContext,
  warnings: string[],
): Promise<ReadingResult> {
  const { policy, budget, kvType, groupLayers } = plan;
  const { signal } = context;
  // the full cache is as large as the memory it would spare; what it holds is not compressed
  const caches = policy.keepsAll ? undefined : context.caches;
  const identity = caches && cacheIdentity(engine, prompt, plan);
  if (caches && identity !== undefined) {
    const file = await caches.find(identity);
    if (file !== undefined) {
      try {
        const resumed = await session.resume(prompt, file, identity, { kvType, answerTokens, signal });
        warnings.push(
          resumed.sameWindow
            ? "The document was not read again: this is the cache saved when the same was asked before. --no-cache reads it."
            : "The document was not read again: the saved cache was compressed for another question and may lack what this one needs. --no-cache reads it for this question.",
        );
        return resumed;
      } catch (error) {
        if (!(error instanceof SavedCacheRefused)) throw error;
        await caches.remove(identity);
        warnings.push(`The saved cache of this document was not used (${error.message}); the document was read again.`);
      }
    }
  }
  const reading = await session.read(prompt, {
    policy,
    budgetEntries: budget.entriesTotal,
    kvType,
    groupLayers,
    answerTokens,
    signal,
    onProgress: (progress) => context.onProgress?.(readingProgress(progress)),
  });
  if (caches && identity !== undefined) {
    try {
      await caches.save(identity, (file) => session.save(file, identity));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      warnings.push(`The cache of this document could not be saved (${reason}): the next question reads it again.`);
    }
  }
  return reading;
}

/** Everything that decides what a saved cache holds, but the window: another question may be asked of it. */
function cacheIdentity({ model }: Engine, prompt: Prompt, { policy, budget, kvType }: Plan): string {
  const document = createHash("sha256");
  const before = prompt.tokens.subarray(0, prompt.tokens.length - prompt.windowTokens);
  document.update(new Uint8Array(before.buffer, before.byteOffset, before.byteLength));
  const { id, path, weightsBytes, layers } = model;
  return JSON.stringify({
    model: { id, path, weightsBytes, layers, modified: modifiedAt(path) },
    document: document.digest("hex"),
    policy: { name: policy.name, version: 1 },
    budget: budget.requested,
    kvType,
  });
}

/** A model that was replaced under the same name is another one. */
function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function samplingOf(options: RunOptions): Sampling {
  return {
    temperature: options.temperature,
    topK: 40,
    topP: 0.95,
    minP: 0.05,
    // Small models fall into loops in a summary. An answer to a question must be free to repeat itself, though: the
    // penalty would forbid the second 4 of a number like 44210.
    repeatPenalty: options.question === undefined ? 1.1 : 1,
    seed: options.seed,
  };
}

function readingProgress({ fraction, elapsedMs, remainingMs }: ReadingProgress): SummaryProgress {
  return { stage: "reading", fraction, elapsedMs, remainingMs };
}

/** Passes text on and counts its pieces, about one a token, as the progress of writing. */
function writer(context: SummaryContext, maxTokens: number): (text: string) => void {
  const started = performance.now();
  let pieces = 0;
  return (text) => {
    pieces += 1;
    context.onText?.(text);
    const elapsedMs = performance.now() - started;
    context.onProgress?.({ stage: "writing", fraction: Math.min(1, pieces / maxTokens), elapsedMs });
  };
}

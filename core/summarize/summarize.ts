import { createPolicy } from "../compression/registry.js";
import type { SourceDocument } from "../documents/document.js";
import { documentText } from "../documents/document-text.js";
import type { Engine, ReadingProgress, Sampling } from "../engine/types.js";
import { cancelled, PrecisError } from "../errors.js";
import { type Budget, parseBudget } from "../estimate/estimate.js";
import type { RunOptions } from "./options.js";
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
}

/**
 * Reads a document whole and answers: a summary, or the answer to `options.question`.
 * @throws PrecisError too-long when prompt and answer do not fit the model's context (the document is never cut),
 *   budget-invalid, budget-too-small, cancelled, and what the engine throws
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

  const policy = createPolicy(options.policy);
  const warnings: string[] = [];
  const budget = policy.keepsAll
    ? wholeBudget(options, engine, prompt.tokens.length, warnings)
    : parseBudget(options.budget, model, prompt.tokens.length, prompt.headTokens + prompt.windowTokens);

  if (context.signal?.aborted) throw cancelled();
  const session = await engine.createSession();
  try {
    const reading = await session.read(prompt, {
      policy,
      budgetEntries: budget.entriesTotal,
      signal: context.signal,
      onProgress: (progress) => context.onProgress?.(readingProgress(progress)),
    });
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
        warnings: [...document.warnings],
      },
      model: {
        id: model.id,
        path: model.path,
        layers: model.layers,
        kvHeads: model.kvHeads,
        contextLength: model.contextLength,
      },
      policy: policy.name,
      budget: { requested: budget.requested, bytes: budget.bytes, tokensPerLayer: budget.tokensPerLayer },
      kv: { ...reading.kv, layers: reading.kv.layers.map((layer) => ({ ...layer })) },
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

/** The budget of a policy that keeps everything: the full cache, with a warning when less was asked for. */
function wholeBudget(options: RunOptions, engine: Engine, promptTokens: number, warnings: string[]): Budget {
  const asked = parseBudget(options.budget, engine.model, promptTokens);
  const whole = parseBudget("100%", engine.model, promptTokens);
  if (asked.entriesTotal < whole.entriesTotal) {
    warnings.push(
      `The policy "${options.policy}" keeps the whole KV cache: the budget of ${options.budget} was not used.`,
    );
  }
  return { ...whole, requested: options.budget };
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

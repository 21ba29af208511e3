/**
 * What a run takes, before it runs: pure arithmetic on a model's shape and a token count, for the CLI, the worker and
 * the window alike (no Node imports).
 */
import { entryBytes } from "../engine/kv.js";
import type { ModelInfo } from "../engine/types.js";
import { PrecisError } from "../errors.js";

/** The part of a model that decides the size of its KV cache. */
export type KvShape = Pick<ModelInfo, "fullLayers" | "kvHeads" | "keySize" | "valueSize">;

/** The part of a model that decides what a run takes. */
export type MemoryShape = KvShape & Pick<ModelInfo, "embeddingSize" | "weightsBytes">;

export interface Budget {
  /** As the user wrote it. */
  readonly requested: string;
  /** Bytes of KV that the entries below take: the request rounded down to whole entries. */
  readonly bytes: number;
  /** Entries per KV head, summed over all layers; window and protected tokens are inside. */
  readonly entriesTotal: number;
  /** The mean over the layers, rounded down. */
  readonly tokensPerLayer: number;
}

export interface Estimate {
  readonly promptTokens: number;
  readonly weightsBytes: number;
  /** The f16 KV cache of the whole prompt, as an app without compression holds it. */
  readonly fullKvBytes: number;
  /** KV that lives once reading has ended. */
  readonly retainedKvBytes: number;
  /** The most that attention holds at any moment of reading: staging, hidden states between layers, entries kept. */
  readonly readingPeakBytes: number;
  /** Weights and reading peak; compute buffers and the runtime itself come on top. */
  readonly totalBytes: number;
}

const F32_BYTES = 4;

/** The budget that is used when the user names none. */
export const defaultBudget = "25%";

/** Bytes of the full f16 KV cache of `tokens` tokens: every full-attention layer, every KV head. */
export function fullKvBytes(model: KvShape, tokens: number): number {
  return tokens * model.fullLayers * model.kvHeads * entryBytes(model);
}

/**
 * Reads a budget: a share of the full cache ("6.9%"), tokens per layer and KV head ("512"), or bytes ("300MiB",
 * "1.5 GB"). It is an upper bound: rounded down to whole entries, and never more than the prompt's full cache.
 * @param promptTokens tokens of the whole prompt, instruction included
 * @param minimumTokens tokens per layer that are kept whatever the budget (window and protected), which it must exceed
 * @throws PrecisError budget-invalid when it cannot be read, budget-too-small when it does not exceed `minimumTokens`
 */
export function parseBudget(text: string, model: KvShape, promptTokens: number, minimumTokens = 0): Budget {
  const fullEntries = promptTokens * model.fullLayers;
  const wanted = wantedEntries(text, model, promptTokens);
  const entriesTotal = Math.min(wanted, fullEntries);
  const tokensPerLayer = Math.floor(entriesTotal / model.fullLayers);
  // At least one token of the document must fit beside what is always kept, unless the whole prompt fits.
  const least = Math.min(minimumTokens + 1, promptTokens);
  if (tokensPerLayer < least) {
    const percent = Math.ceil((least / promptTokens) * 1000) / 10;
    throw new PrecisError(
      "budget-too-small",
      `A budget of ${text.trim()} keeps ${tokensPerLayer} tokens per layer here, and the instruction alone takes ${minimumTokens}.`,
      `Set at least ${least} tokens per layer, or ${Math.min(100, percent)}%.`,
    );
  }
  return {
    requested: text,
    bytes: entriesTotal * model.kvHeads * entryBytes(model),
    entriesTotal,
    tokensPerLayer,
  };
}

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** What a budget's text says, before it meets a model. */
export interface BudgetRequest {
  /** percent of the full cache, tokens per layer and KV head, or bytes */
  readonly unit: "percent" | "tokens" | "bytes";
  readonly amount: number;
}

/**
 * Reads a budget's text alone.
 * @throws PrecisError budget-invalid
 */
export function readBudget(text: string): BudgetRequest {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%|[a-z]*)\s*$/i.exec(text);
  const amount = Number(match?.[1]);
  const unit = (match?.[2] ?? "").toLowerCase();
  if (!match || amount <= 0) throw invalid(text);
  if (unit === "%") {
    if (amount > 100) throw invalid(text);
    return { unit: "percent", amount };
  }
  if (unit === "") {
    if (!Number.isInteger(amount)) throw invalid(text);
    return { unit: "tokens", amount };
  }
  const unitBytes = UNITS[unit];
  if (unitBytes === undefined) throw invalid(text);
  return { unit: "bytes", amount: amount * unitBytes };
}

/** Whole entries per KV head over all layers that a budget's text asks for. */
function wantedEntries(text: string, model: KvShape, promptTokens: number): number {
  const { unit, amount } = readBudget(text);
  if (unit === "tokens") return amount * model.fullLayers;
  const entries =
    unit === "percent"
      ? (amount / 100) * promptTokens * model.fullLayers
      : amount / (model.kvHeads * entryBytes(model));
  // 29 / 100 * 3000 is a hair less than 870 in floating point: round such hairs away.
  return Math.floor(entries + 1e-6);
}

function invalid(text: string): PrecisError {
  return new PrecisError(
    "budget-invalid",
    `"${text}" is not a memory budget.`,
    'Write a share of the full cache ("6.9%", at most 100%), whole tokens per layer ("512") or bytes ("300MiB").',
  );
}

/**
 * What a run takes. Reading goes layer by layer: the peak is one layer's full KV (staging), the hidden states of all
 * prompt tokens (f32) that wait for the next layer, and everything retained. Policies that hold more for a while
 * before they cut are not modelled, nor are compute buffers.
 * @param budget undefined when the policy keeps everything: reading then holds the full cache and nothing beside it
 */
export function estimate(model: MemoryShape, promptTokens: number, budget: Budget | undefined): Estimate {
  const full = fullKvBytes(model, promptTokens);
  const staging = full / model.fullLayers;
  const hidden = promptTokens * model.embeddingSize * F32_BYTES;
  const retained = budget ? budget.bytes : full;
  const peak = budget ? staging + hidden + retained : full;
  return {
    promptTokens,
    weightsBytes: model.weightsBytes,
    fullKvBytes: full,
    retainedKvBytes: retained,
    readingPeakBytes: peak,
    totalBytes: model.weightsBytes + peak,
  };
}

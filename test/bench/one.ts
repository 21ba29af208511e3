/**
 * One measurement in a process of its own: `one.ts SPEC` (JSON, see cases.ts). Prints one line of JSON. All sides read
 * the same tokens with the same batches and threads, and decode greedily to the same count.
 */
import { readFileSync } from "node:fs";
import { computeThreads, loadEngine, modelInfo } from "../../core/engine/engine.js";
import { entryBytes } from "../../core/engine/kv.js";
import { batchTokens } from "../../core/engine/shape.js";
import type { ModelInfo, ReadingProgress } from "../../core/engine/types.js";
import { PrecisError } from "../../core/errors.js";
import { fullKvBytes } from "../../core/estimate/estimate.js";
import { policySchema } from "../../core/summarize/options.js";
import { planRun } from "../../core/summarize/plan.js";
import { rss } from "../support/rss.js";
import type { Side, Spec } from "./cases.js";
import { stockNodeLlamaCpp } from "./stock.js";

export interface Measurement {
  /** Until the document is read; stock cannot tell it from the first token. */
  readonly readMs: number;
  readonly firstTokenMs: number;
  /** After the first token. */
  readonly decodeTokensPerSecond: number;
  /** K, V and hidden states that wait between layers, at the worst moment. */
  readonly kvPeakBytes: number;
  /** Of the prompt, once it is read. */
  readonly kvBytes: number;
  /** All that is held, half of the written tokens included: attention reads all of it for each token. */
  readonly kvReadPerTokenBytes: number;
  /** Of the process: model loaded, after reading, and at its highest (VmHWM). */
  readonly rssLoadedBytes: number;
  readonly rssAfterReadingBytes: number;
  readonly rssPeakBytes: number;
  /** The full f16 cache of the prompt. */
  readonly fullKvBytes: number;
  /** What core/estimate says of kvPeakBytes and of the process at its peak; stock has no estimate of ours. */
  readonly estimatedKvPeakBytes?: number;
  readonly estimatedPeakBytes?: number;
  /**
   * How far what reading said of the time left was off, over the time really left: the worst after the first group of
   * layers and before three quarters of the time had passed. Stock says nothing.
   */
  readonly timeLeftOff?: number;
}

/** A case that cannot be: the budget does not hold what is always kept. */
export interface Impossible {
  readonly impossible: string;
}

export type Outcome = Measurement | Impossible;

/** The observation window and the tokens kept at the start. */
const windowTokens = 16;
const headTokens = 4;

const spec = JSON.parse(process.argv[2] as string) as Spec;
const { tokens, decode } = spec;
const { path, id } = spec.model;
const text = readFileSync(new URL("../../assets/samples/harbour-report.md", import.meta.url), "utf8");
const repeated = (once: ArrayLike<number>, length: number) =>
  Array.from({ length }, (_, i) => once[i % once.length] as number);

console.log(JSON.stringify(await (spec.side.policy === "stock" ? stock(spec.side) : ours(spec.side))));

async function ours(side: Side): Promise<Outcome> {
  const engine = await loadEngine(path, id);
  try {
    const { policy, propagation, budget, groupLayers, estimatedKvPeakBytes, estimatedPeakBytes } = planned(
      engine.model,
      side,
    );
    const prompt = { tokens: Uint32Array.from(repeated(engine.tokenize(text), tokens)), headTokens, windowTokens };
    const session = await engine.createSession();
    const rssLoadedBytes = rss("VmRSS");
    const reports: ReadingProgress[] = [];
    const started = performance.now();
    const { kv } = await session.read(prompt, {
      policy,
      propagation,
      budgetEntries: budget.entriesTotal,
      answerTokens: decode,
      kvType: side.kvType,
      groupLayers,
      onProgress: (progress) => reports.push(progress),
    });
    const readMs = performance.now() - started;
    const rssAfterReadingBytes = rss("VmRSS");
    // no end-of-turn token may cut the run short: with a fixed count all sides do the same work
    const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 };
    const generation = await session.generate({ sampling: greedy, maxTokens: decode });
    return {
      readMs,
      firstTokenMs: readMs + generation.firstTokenMs,
      decodeTokensPerSecond: (generation.tokens - 1) / ((generation.decodeMs - generation.firstTokenMs) / 1000),
      kvPeakBytes: generation.peakKvBytes,
      kvBytes: kv.retainedBytes,
      kvReadPerTokenBytes: kv.retainedBytes + writtenBytes(engine.model, side),
      rssLoadedBytes,
      rssAfterReadingBytes,
      rssPeakBytes: rss("VmHWM"),
      fullKvBytes: fullKvBytes(engine.model, tokens),
      estimatedKvPeakBytes,
      estimatedPeakBytes,
      timeLeftOff: timeLeftOff(reports, groupLayers),
    };
  } catch (error) {
    if (error instanceof PrecisError && error.code === "budget-too-small") return { impossible: error.message };
    throw error;
  } finally {
    await engine.dispose();
  }
}

function timeLeftOff(reports: readonly ReadingProgress[], groupLayers: number): number | undefined {
  const whole = reports.at(-1)?.elapsedMs ?? 0;
  const off = reports.flatMap(({ elapsedMs, remainingMs, layersRead }) => {
    const left = whole - elapsedMs;
    if (remainingMs === undefined || layersRead < groupLayers || left < whole / 4) return [];
    return [Math.abs(remainingMs - left) / left];
  });
  return off.length > 0 ? Math.max(...off) : undefined;
}

/** @throws PrecisError budget-too-small */
function planned(model: ModelInfo, side: Side) {
  const prompt = { tokens, headTokens, windowTokens };
  const plan = planRun(model, prompt, decode, {
    ...side,
    // the cache alone: what follows the answer is measured by `npm run eval -- follow times`
    reaim: "off",
    groupLayers: side.groupLayers ?? 1,
    policy: policySchema.parse(side.policy),
  });
  const { peakKvBytes, totalBytes } = plan.estimate;
  return { ...plan, estimatedKvPeakBytes: peakKvBytes, estimatedPeakBytes: totalBytes };
}

async function stock(side: Side): Promise<Measurement> {
  const { getLlama, LlamaLogLevel } = (await import(stockNodeLlamaCpp())) as typeof import("node-llama-cpp");
  const llama = await getLlama({
    build: "never",
    usePrebuiltBinaries: false,
    skipDownload: true,
    logLevel: LlamaLogLevel.error,
  });
  const type = side.kvType.toUpperCase() as "F16" | "Q8_0" | "Q4_0";
  const model = await llama.loadModel({ modelPath: path, ignoreMemorySafetyChecks: true });
  const info = modelInfo(model, path, id);
  const prompt = repeated(model.tokenize(text), spec.reads ?? tokens) as ReturnType<typeof model.tokenize>;
  const rssLoadedBytes = rss("VmRSS");
  // ours makes its context when it is given the document
  const started = performance.now();
  const context = await model.createContext({
    contextSize: tokens + decode + 1,
    batchSize: batchTokens,
    flashAttention: true,
    threads: computeThreads(llama),
    experimentalKvCacheKeyType: type,
    experimentalKvCacheValueType: type,
    // what does not fit is to fail, not to be made smaller
    ignoreMemorySafetyChecks: true,
    failedCreationRemedy: false,
  });
  let first = 0;
  let written = 0;
  let rssAfterReadingBytes = 0;
  for await (const _ of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (written++ === 0) {
      first = performance.now();
      rssAfterReadingBytes = rss("VmRSS");
    }
    if (written === decode) break;
  }
  const ended = performance.now();
  // allocated up front for the whole context; the room for written tokens is left out, as it is for ours
  const kvBytes = tokens * info.fullLayers * info.kvHeads * entryBytes(info, side.kvType);
  const result = {
    readMs: first - started,
    firstTokenMs: first - started,
    decodeTokensPerSecond: (written - 1) / ((ended - first) / 1000),
    kvPeakBytes: kvBytes,
    kvBytes,
    kvReadPerTokenBytes: kvBytes + writtenBytes(info, side),
    rssLoadedBytes,
    rssAfterReadingBytes,
    rssPeakBytes: rss("VmHWM"),
    fullKvBytes: fullKvBytes(info, tokens),
  };
  await model.dispose();
  await llama.dispose();
  return result;
}

/** KV of the tokens written by the middle of decoding. */
function writtenBytes(model: ModelInfo, { kvType }: Side): number {
  return (decode / 2) * model.fullLayers * model.kvHeads * entryBytes(model, kvType);
}

/**
 * One measurement in a process of its own: `one.ts stock|POLICY TOKENS BUDGET DECODE`. Prints one line of JSON.
 * Both sides read the same tokens with the same batches and threads, and decode greedily to the same count.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine, modelInfo } from "../../core/engine/engine.js";
import { batchTokens } from "../../core/engine/session.js";
import { fullKvBytes, parseBudget } from "../../core/estimate/estimate.js";
import { findModel } from "../../core/models/models.js";
import { stockNodeLlamaCpp } from "./stock.js";

export interface Measurement {
  readonly prefillMs: number;
  readonly firstTokenMs: number;
  readonly decodeTokensPerSecond: number;
  readonly peakRssBytes: number;
  readonly kvBytes: number;
  readonly kvPeakBytes: number;
}

const [side = "", count = "", budget = "", decode = ""] = process.argv.slice(2);
const tokens = Number(count);
const decodeTokens = Number(decode);
const { path, id } = await findModel();
const text = readFileSync(new URL("../../assets/samples/harbour-report.md", import.meta.url), "utf8");
const repeated = (once: ArrayLike<number>) => Array.from({ length: tokens }, (_, i) => once[i % once.length] as number);
const peakRssBytes = () => process.resourceUsage().maxRSS * 1024;

console.log(JSON.stringify(side === "stock" ? await stock() : await ours(side)));

async function ours(policy: string): Promise<Measurement> {
  const engine = await loadEngine(path, id);
  const prompt = { tokens: Uint32Array.from(repeated(engine.tokenize(text))), headTokens: 4, windowTokens: 32 };
  const session = await engine.createSession();
  const started = performance.now();
  const { kv } = await session.read(prompt, {
    policy: createPolicy(policy),
    budgetEntries: parseBudget(budget, engine.model, tokens).entriesTotal,
  });
  const prefillMs = performance.now() - started;
  // no end-of-turn token may cut the run short: with a fixed count both sides do the same work
  const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 };
  const generation = await session.generate({ sampling: greedy, maxTokens: decodeTokens });
  const result = {
    prefillMs,
    firstTokenMs: prefillMs + generation.firstTokenMs,
    decodeTokensPerSecond: (generation.tokens - 1) / ((generation.decodeMs - generation.firstTokenMs) / 1000),
    peakRssBytes: peakRssBytes(),
    kvBytes: kv.retainedBytes,
    kvPeakBytes: kv.peakBytes,
  };
  await engine.dispose();
  return result;
}

async function stock(): Promise<Measurement> {
  const { getLlama, LlamaLogLevel } = (await import(stockNodeLlamaCpp())) as typeof import("node-llama-cpp");
  const llama = await getLlama({
    build: "never",
    usePrebuiltBinaries: false,
    skipDownload: true,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({
    contextSize: tokens + decodeTokens + 1,
    batchSize: batchTokens,
    flashAttention: true,
    threads: availableParallelism(),
  });
  const prompt = repeated(model.tokenize(text)) as ReturnType<typeof model.tokenize>;
  const started = performance.now();
  let first = 0;
  let written = 0;
  for await (const _ of context.getSequence().evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (written++ === 0) first = performance.now();
    if (written === decodeTokens) break;
  }
  const ended = performance.now();
  const kvBytes = fullKvBytes(modelInfo(model, path, id), tokens);
  const result = {
    prefillMs: first - started,
    firstTokenMs: first - started,
    decodeTokensPerSecond: (written - 1) / ((ended - first) / 1000),
    peakRssBytes: peakRssBytes(),
    kvBytes,
    kvPeakBytes: kvBytes,
  };
  await model.dispose();
  await llama.dispose();
  return result;
}

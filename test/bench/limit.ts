/**
 * `npm run bench -- --limit`: a model with the attention of an 8B one, few layers and random weights, read under a
 * memory limit that its full f16 cache alone exceeds. Stock node-llama-cpp must fail with it; ours must read all.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fullKvBytes } from "../../core/estimate/estimate.js";
import { formatBytes, formatDuration } from "../../core/format.js";
import { cachedModel, shapedModel } from "../support/shapes.js";
import { type Side, type Spec, sides } from "./cases.js";
import { formatTokens, table } from "./report.js";
import { type Run, runOne } from "./run.js";

const shape = "llama-3.1-8b-like";
const decode = 20;

export interface LimitOptions {
  readonly tokens: number;
  readonly layers: number;
  /** The limit; as large as the full f16 cache when left out. */
  readonly memoryMiB: number | undefined;
  readonly machine: string;
  readonly out: string;
}

/** @returns whether it held (see holds) */
export async function demonstrateLimit({ tokens, layers, memoryMiB, machine, out }: LimitOptions): Promise<boolean> {
  const { kvHeads, headSize } = shapedModel(shape);
  const full = fullKvBytes({ fullLayers: layers, kvHeads, keySize: headSize, valueSize: headSize }, tokens);
  const limit = memoryMiB === undefined ? full : memoryMiB * 2 ** 20;
  const model = { path: cachedModel(shape, { layers }), id: shape };
  const reading = { model, tokens, decode };
  // Stock allocates its cache before it reads: whether it fits shows after one batch, without the minutes of the rest.
  const reads = Math.min(512, tokens);
  const stock = (id: string, room: number) => ({ ...reading, tokens: room, reads, side: sideOf(id) });
  const few = Math.max(reads, Math.floor(tokens / 16));
  const first = "first batch";
  const steps: { title: string; spec: Spec; limit?: number }[] = [
    { title: `room for all, ${first}`, spec: stock("stock-f16", tokens) },
    { title: `room for ${formatTokens(few)}, ${first}`, spec: stock("stock-f16", few), limit },
    { title: `room for all, ${first}`, spec: stock("stock-f16", tokens), limit },
    { title: `room for all, ${first}`, spec: stock("stock-q8_0", tokens), limit },
    { title: `room for all, ${first}`, spec: stock("stock-q4_0", tokens), limit },
    { title: "all read", spec: { ...reading, side: sideOf("dynamickv-6.9-f16") }, limit },
  ];
  console.error(`full f16 cache ${formatBytes(full)}, limit ${formatBytes(limit)}`);
  const runs: Run[] = [];
  for (const [index, { title, spec, limit }] of steps.entries()) {
    console.error(`${index + 1}/${steps.length} ${spec.side.label}: ${title} …`);
    const since = performance.now();
    const run = await runOne(spec, limit);
    runs.push(run);
    console.error(
      `  ${"failure" in run ? reasonOf(run.failure) : "done"} (${formatDuration(performance.now() - since)})`,
    );
  }
  const rows = steps.map(({ title, spec, limit }, index) => [
    spec.side.label,
    title,
    limit === undefined ? "none" : formatBytes(limit),
    ...cells(runs[index] as Run),
  ]);
  const text = `# A document whose full cache does not fit

Made by \`npm run bench -- --limit --tokens ${tokens} --layers ${layers}${memoryMiB === undefined ? "" : ` --memory ${memoryMiB}`}\` on ${machine}: ${formatTokens(tokens)} tokens, a model with the attention of Llama-3.1-8B, ${layers} ${layers === 1 ? "layer" : "layers"} and random weights (q4_0, small feed-forward). Its full f16 cache takes ${formatBytes(full)}. The limit is RLIMIT_DATA of the process: all that it allocates, mapped weights excepted.

${table(["", "task", "limit", "outcome", "KV at the peak", "peak RSS", "reading"], rows)}
`;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, "limit.md"), text);
  console.log(text);
  return holds(runs);
}

function sideOf(id: string): Side {
  const side = sides.find((one) => one.id === id);
  if (!side) throw new Error(`There is no side ${id}.`);
  return side;
}

function cells(run: Run): string[] {
  if ("failure" in run) return [`failed: ${reasonOf(run.failure)}`, "", "", ""];
  const { outcome } = run;
  if ("impossible" in outcome) return [outcome.impossible, "", "", ""];
  return ["works", formatBytes(outcome.kvPeakBytes), formatBytes(outcome.rssPeakBytes), formatDuration(outcome.readMs)];
}

/**
 * Whether the runs show it: stock works without the limit, and with it as long as its cache is small; the full cache
 * fails with it for want of memory, as llama.cpp itself says; ours reads all with it.
 */
export function holds(runs: readonly Run[]): boolean {
  const [free, few, full] = runs;
  const ours = runs.at(-1);
  const works = (run: Run | undefined) => run !== undefined && "outcome" in run && !("impossible" in run.outcome);
  // a limit so low that Node.js itself dies under it would prove nothing
  const starved = full !== undefined && "failure" in full && /failed to allocate/.test(full.failure);
  return works(free) && works(few) && starved && works(ours);
}

/** The line of a failed process that names its cause best. */
export function reasonOf(failure: string): string {
  const lines = failure.split("\n").map((line) => line.replace("[node-llama-cpp]", "").trim());
  const causes = [
    /failed to allocate buffer for kv cache/,
    /failed to allocate/,
    /out of memory/i,
    /^\[?\w*Error\b.*:/,
  ];
  for (const cause of causes) {
    const line = lines.find((one) => cause.test(one));
    if (line) return line;
  }
  return lines.filter(Boolean).slice(0, 2).join(" ");
}

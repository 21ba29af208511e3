import type { Command } from "commander";
import type { PageUnit } from "../documents/document.js";
import { openDocument } from "../documents/open.js";
import type { Engine } from "../engine/types.js";
import { PrecisError } from "../errors.js";
import type { Estimate } from "../estimate/estimate.js";
import { formatBytes, formatDuration, formatShare } from "../format.js";
import { findModel } from "../models/models.js";
import { expectedWork } from "../summarize/joining.js";
import type { ReadingMode, RunOptions } from "../summarize/options.js";
import { largestBudget, planRun } from "../summarize/plan.js";
import { buildPrompt, maxAnswerTokens } from "../summarize/prompt.js";
import { partsOf, planReading, type Reading, type Source, sourceOf } from "../summarize/reading.js";
import type { SummaryResult } from "../summarize/result.js";
import { addWork, measureSpeed, noWork, timeOf } from "../summarize/speed.js";
import { pageWords } from "../summarize/split.js";
import { cancelOnSignals } from "./cancel.js";
import { loadEngine } from "./engine.js";
import {
  addReadingOptions,
  addSummaryOptions,
  jsonOption,
  lengthOption,
  type RunFlags,
  recognitionOptions,
  runOptions,
} from "./usage.js";

type EstimateFlags = Omit<RunFlags, "seed" | "temperature">;

/** What `precis estimate --json` prints. Bytes are those of the largest part, where the document is read in several. */
interface EstimateReport extends Estimate {
  readonly document: {
    readonly path: string;
    readonly unit: PageUnit;
    readonly pages: number;
    readonly tokens: number;
  };
  readonly model: { readonly id: string; readonly contextLength: number };
  readonly policy: string;
  readonly kvType: string;
  readonly reading: ReadingMode;
  readonly budget: { readonly requested: string; readonly bytes: number; readonly tokensPerLayer: number };
  readonly freeMemoryBytes: number;
  /** Whether the whole document and its answer fit the model's context. */
  readonly fitsContext: boolean;
  /** Whether what lies in memory when it is read whole fits what is free now. */
  readonly fitsMemory: boolean;
  /** When it does not: the largest budget that would; undefined when none would. */
  readonly largestBudget: string | undefined;
  /** What is read in one go, in order; empty when it cannot be read at all. */
  readonly parts: readonly Omit<SummaryResult["parts"][number], "document">[];
  /** Why there are several parts, or why there are none. */
  readonly why: string | undefined;
  /** Of reading and writing, at the speed of a short trial just now. */
  readonly durationMs: number | undefined;
  readonly warnings: readonly string[];
}

export function addEstimate(program: Command): void {
  const command = program
    .command("estimate")
    .description("what a summary would take (memory, parts, time), without running it")
    .argument("<file>", "a document: PDF, DOCX, PPTX, ODT, EPUB, HTML, Markdown or text");
  addReadingOptions(addSummaryOptions(command))
    .addOption(lengthOption("medium"))
    .addOption(jsonOption())
    .action(async (file: string, flags: EstimateFlags) => {
      const report = await estimateFile(file, flags);
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
    });
}

/** The model is loaded for its vocabulary and shape, and a few hundred tokens are read to see how long that takes. */
async function estimateFile(file: string, flags: EstimateFlags): Promise<EstimateReport> {
  const options = runOptions({ ...flags, seed: 0, temperature: 0 });
  const recognition = recognitionOptions(flags);
  const { signal } = cancelOnSignals();
  // Before the model takes its part of it.
  const freeMemoryBytes = process.availableMemory();
  const { id, path } = await findModel(flags.model);
  const document = await openDocument(file, { signal, recognition });
  const engine = await loadEngine(path, id, { signal, gpuLayers: flags.gpuLayers });
  try {
    const source = sourceOf(engine, document);
    const memory = await takes(engine, source, options, freeMemoryBytes, signal);
    const { reading } = memory;
    let durationMs: number | undefined;
    if (reading) {
      const work = [...expectedWork(engine, [reading], options).values()].reduce(addWork, noWork);
      durationMs = timeOf(work, await measureSpeed(engine, source.text, options, signal));
    }
    return {
      ...memory.figures,
      document: { path: document.path, unit: document.unit, pages: document.pages.length, tokens: source.tokens },
      model: { id, contextLength: engine.model.contextLength },
      policy: options.policy,
      reading: options.reading ?? "thorough",
      freeMemoryBytes,
      parts: reading ? partsOf(reading).map(({ title, pages, tokens }) => ({ title, pages, tokens })) : [],
      why: reading ? reading.why : memory.refusal,
      durationMs,
      warnings: [...document.warnings, ...(reading?.warnings ?? [])],
    };
  } finally {
    await engine.dispose();
  }
}

interface Takes {
  readonly figures: Estimate &
    Pick<EstimateReport, "budget" | "kvType" | "fitsContext" | "fitsMemory" | "largestBudget">;
  readonly reading: Reading | undefined;
  /** Why there is no reading. */
  readonly refusal: string | undefined;
}

async function takes(
  engine: Engine,
  source: Source,
  options: RunOptions,
  availableBytes: number,
  signal: AbortSignal,
): Promise<Takes> {
  const { model } = engine;
  const prompt = buildPrompt(engine, source.text, options);
  const lengths = { ...prompt, tokens: prompt.tokens.length };
  const answerTokens = maxAnswerTokens[options.length];
  const fitsContext = lengths.tokens + answerTokens <= model.contextLength;
  const whole = planRun(model, lengths, answerTokens, options);
  const fitsMemory = whole.estimate.devices.memory <= availableBytes;
  let reading: Reading | undefined;
  let refusal: string | undefined;
  try {
    reading = await planReading(engine, source, options, { availableBytes, alone: true, signal });
  } catch (error) {
    if (!(error instanceof PrecisError) || !["out-of-memory", "too-long"].includes(error.code)) throw error;
    refusal = error.message;
  }
  const { budget, kvType, estimate: figures } = reading?.plan ?? whole;
  return {
    figures: {
      ...figures,
      kvType,
      budget: { requested: options.budget, bytes: budget.bytes, tokensPerLayer: budget.tokensPerLayer },
      fitsContext,
      fitsMemory,
      largestBudget:
        fitsMemory || !fitsContext ? undefined : largestBudget(model, lengths, answerTokens, options, availableBytes),
    },
    reading,
    refusal,
  };
}

function reportText(report: EstimateReport): string {
  const { document, model, budget, parts } = report;
  const share = formatShare(report.retainedKvBytes, report.fullKvBytes);
  const rows: [string, string][] = [
    [
      "Document",
      `${document.path}: ${document.pages} ${document.pages === 1 ? "page" : "pages"}, ${document.tokens} tokens`,
    ],
    ["Model", `${model.id}, reads at most ${model.contextLength} tokens`],
    ["Read", partsText(report)],
    ["Time", report.durationMs === undefined ? "unknown" : `about ${formatDuration(report.durationMs)}`],
    [
      "Budget",
      `${budget.requested} with ${report.policy}, ${report.kvType}: ${budget.tokensPerLayer} tokens per layer`,
    ],
    ["Full KV cache", formatBytes(report.fullKvBytes)],
    ["KV after reading", `${formatBytes(report.retainedKvBytes)} (${share})`],
    ["KV at the peak", peakText(report)],
    ["Weights", formatBytes(report.weightsBytes)],
    ["Compute buffers", formatBytes(report.computeBytes)],
    ["Total at the peak", `${formatBytes(report.devices.memory)} of ${formatBytes(report.freeMemoryBytes)} free`],
  ];
  if (report.diskBytes > 0) rows.push(["On disk", `${formatBytes(report.diskBytes)}, until the answer is written`]);
  if (report.devices.gpu > 0) rows.push(["On the GPU", formatBytes(report.devices.gpu)]);
  const lines = rows.map(([name, value]) => `${name.padEnd(17)} ${value}`);
  if (parts.length === 0 && report.fitsContext && report.largestBudget === undefined)
    lines.push("No budget would fit.");
  if (parts.length > 1) lines.push("", "The figures above are of the largest part.", ...parts.map(partText));
  for (const warning of report.warnings) lines.push(`Warning: ${warning}`);
  return lines.join("\n");

  function partText({ pages, tokens, title }: EstimateReport["parts"][number], index: number): string {
    const words = `${`Part ${index + 1}`.padEnd(17)} ${pageWords(pages, document.unit)}, ${tokens} tokens`;
    return title === undefined ? words : `${words}: ${title}`;
  }
}

function partsText({ parts, why, reading }: EstimateReport): string {
  if (parts.length === 0) return `it cannot be: ${why}`;
  const how = reading === "fast" ? ", fast" : "";
  if (parts.length === 1) return `whole, in one go${how}`;
  return `in ${parts.length} parts${how}, because ${why}`;
}

function peakText({ peakKvBytes, fullKvBytes, stagingBytes, hiddenBytes }: EstimateReport): string {
  const share = `${formatBytes(peakKvBytes)} (${formatShare(peakKvBytes, fullKvBytes)})`;
  if (stagingBytes === 0) return share;
  return `${share}: ${formatBytes(stagingBytes)} layers being read, ${formatBytes(hiddenBytes)} between them, and what is kept`;
}

import type { Command } from "commander";
import { documentText } from "../documents/document-text.js";
import { openDocument } from "../documents/open.js";
import type { Engine } from "../engine/types.js";
import type { Estimate } from "../estimate/estimate.js";
import { formatBytes, formatShare } from "../format.js";
import { findModel } from "../models/models.js";
import { kvTypeSchema, policySchema } from "../summarize/options.js";
import { largestBudget, planRun } from "../summarize/plan.js";
import { buildPrompt, maxAnswerTokens } from "../summarize/prompt.js";
import { cancelOnSignals } from "./cancel.js";
import { loadEngine } from "./engine.js";
import { addReadingOptions, budgetOf, jsonOption, recognitionOptions, type ScanFlags } from "./usage.js";

interface EstimateFlags extends ScanFlags {
  readonly budget?: string;
  readonly policy: string;
  readonly kvType?: string;
  readonly groupLayers?: number;
  readonly model?: string;
  readonly gpuLayers?: number;
  readonly json?: boolean;
}

/** What `precis estimate --json` prints. */
interface EstimateReport extends Estimate {
  readonly document: { readonly path: string; readonly pages: number; readonly tokens: number };
  readonly model: { readonly id: string; readonly contextLength: number };
  readonly policy: string;
  readonly kvType: string;
  readonly budget: { readonly requested: string; readonly bytes: number; readonly tokensPerLayer: number };
  readonly freeMemoryBytes: number;
  /** Whether prompt and a medium answer fit the model's context. */
  readonly fitsContext: boolean;
  /** Whether what lies in memory fits what is free now. */
  readonly fitsMemory: boolean;
  /** When it does not: the largest budget that would, with its policy if that is another; undefined when none would. */
  readonly largestBudget: string | undefined;
  readonly warnings: readonly string[];
}

export function addEstimate(program: Command): void {
  const command = program
    .command("estimate")
    .description("what a summary would take, without running it")
    .argument("<file>", "a document: PDF, DOCX, PPTX, ODT, EPUB, HTML, Markdown or text");
  addReadingOptions(command)
    .addOption(jsonOption())
    .action(async (file: string, flags: EstimateFlags) => {
      const report = await estimateFile(file, flags);
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
    });
}

/** The model is loaded for its vocabulary and shape only: nothing is read. */
async function estimateFile(file: string, flags: EstimateFlags): Promise<EstimateReport> {
  const recognition = recognitionOptions(flags);
  const { signal } = cancelOnSignals();
  // Before the model takes its part of it.
  const freeMemoryBytes = process.availableMemory();
  const { id, path } = await findModel(flags.model);
  const document = await openDocument(file, { signal, recognition });
  const engine = await loadEngine(path, id, { signal, gpuLayers: flags.gpuLayers });
  try {
    const text = documentText(document).text;
    return {
      ...takes(engine, text, flags, freeMemoryBytes),
      document: { path: document.path, pages: document.pages.length, tokens: engine.tokenize(text).length },
      warnings: document.warnings,
    };
  } finally {
    await engine.dispose();
  }
}

function takes(
  engine: Engine,
  text: string,
  flags: EstimateFlags,
  freeMemoryBytes: number,
): Omit<EstimateReport, "document" | "warnings"> {
  const { model } = engine;
  const prompt = buildPrompt(engine, text, { length: "medium" });
  const tokens = prompt.tokens.length;
  const requested = budgetOf(flags);
  const lengths = { ...prompt, tokens };
  const options = {
    budget: requested,
    policy: policySchema.parse(flags.policy),
    kvType: kvTypeSchema.parse(flags.kvType),
    groupLayers: flags.groupLayers,
  };
  const { budget, estimate: figures } = planRun(model, lengths, maxAnswerTokens.medium, options);
  const fitsMemory = figures.devices.memory <= freeMemoryBytes;
  return {
    ...figures,
    model: { id: model.id, contextLength: model.contextLength },
    policy: flags.policy,
    kvType: flags.kvType ?? "f16",
    budget: { requested, bytes: budget.bytes, tokensPerLayer: budget.tokensPerLayer },
    freeMemoryBytes,
    fitsContext: tokens + maxAnswerTokens.medium <= model.contextLength,
    fitsMemory,
    largestBudget: fitsMemory
      ? undefined
      : largestBudget(model, lengths, maxAnswerTokens.medium, options, freeMemoryBytes),
  };
}

function reportText(report: EstimateReport): string {
  const { document, model, budget } = report;
  const share = formatShare(report.retainedKvBytes, report.fullKvBytes);
  const rows: [string, string][] = [
    [
      "Document",
      `${document.path}: ${document.pages} ${document.pages === 1 ? "page" : "pages"}, ${document.tokens} tokens`,
    ],
    ["Model", `${model.id}, reads at most ${model.contextLength} tokens`],
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
  if (report.devices.gpu > 0) rows.push(["On the GPU", formatBytes(report.devices.gpu)]);
  const lines = rows.map(([name, value]) => `${name.padEnd(17)} ${value}`);
  if (!report.fitsContext) lines.push("Too long: document, instruction and answer do not fit this model's context.");
  if (!report.fitsMemory) {
    const other = report.largestBudget ? `a budget of ${report.largestBudget} would` : "no budget would";
    lines.push(`Too large: it does not fit the memory that is free now; ${other}.`);
  }
  for (const warning of report.warnings) lines.push(`Warning: ${warning}`);
  return lines.join("\n");
}

function peakText({ peakKvBytes, fullKvBytes, stagingBytes, hiddenBytes }: EstimateReport): string {
  const share = `${formatBytes(peakKvBytes)} (${formatShare(peakKvBytes, fullKvBytes)})`;
  if (stagingBytes === 0) return share;
  return `${share}: ${formatBytes(stagingBytes)} layers being read, ${formatBytes(hiddenBytes)} between them, and what is kept`;
}

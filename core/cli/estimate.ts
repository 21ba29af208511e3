import { freemem } from "node:os";
import type { Command } from "commander";
import { createPolicy } from "../compression/registry.js";
import { documentText } from "../documents/document-text.js";
import { openDocument } from "../documents/open.js";
import type { Engine } from "../engine/types.js";
import { type Estimate, estimate, parseBudget } from "../estimate/estimate.js";
import { findModel } from "../models/models.js";
import { formatBytes, formatShare } from "../report/format.js";
import { buildPrompt, maxAnswerTokens } from "../summarize/prompt.js";
import { cancelOnSignals } from "./cancel.js";
import { loadEngine } from "./engine.js";
import { budgetOf, budgetOption, jsonOption, modelOption, policyOption } from "./usage.js";

interface EstimateFlags {
  readonly budget?: string;
  readonly policy: string;
  readonly model?: string;
  readonly json?: boolean;
}

/** What `precis estimate --json` prints. */
interface EstimateReport extends Estimate {
  readonly document: { readonly path: string; readonly pages: number; readonly tokens: number };
  readonly model: { readonly id: string; readonly contextLength: number };
  readonly policy: string;
  readonly budget: { readonly requested: string; readonly bytes: number; readonly tokensPerLayer: number };
  readonly freeMemoryBytes: number;
  /** Whether prompt and a medium answer fit the model's context. */
  readonly fitsContext: boolean;
  /** Whether the total fits the memory that is free now. */
  readonly fitsMemory: boolean;
  readonly warnings: readonly string[];
}

export function addEstimate(program: Command): void {
  program
    .command("estimate")
    .description("what a summary would take, without running it")
    .argument("<file>", "a document: PDF, DOCX, PPTX, ODT, EPUB, HTML, Markdown or text")
    .addOption(budgetOption())
    .addOption(policyOption())
    .addOption(modelOption())
    .addOption(jsonOption())
    .action(async (file: string, flags: EstimateFlags) => {
      const report = await estimateFile(file, flags);
      process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : `${reportText(report)}\n`);
    });
}

/** The model is loaded for its vocabulary and shape only: nothing is read. */
async function estimateFile(file: string, flags: EstimateFlags): Promise<EstimateReport> {
  const { signal } = cancelOnSignals();
  // Before the model takes its part of it.
  const freeMemoryBytes = freemem();
  const { id, path } = await findModel(flags.model);
  const document = await openDocument(file, { signal });
  const engine = await loadEngine(path, id, { signal });
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
  const { keepsAll } = createPolicy(flags.policy);
  const requested = budgetOf(flags);
  const minimum = prompt.headTokens + prompt.windowTokens;
  const budget = keepsAll ? parseBudget("100%", model, tokens) : parseBudget(requested, model, tokens, minimum);
  const figures = estimate(model, tokens, keepsAll ? undefined : budget);
  return {
    ...figures,
    model: { id: model.id, contextLength: model.contextLength },
    policy: flags.policy,
    budget: { requested, bytes: budget.bytes, tokensPerLayer: budget.tokensPerLayer },
    freeMemoryBytes,
    fitsContext: tokens + maxAnswerTokens.medium <= model.contextLength,
    fitsMemory: figures.totalBytes <= freeMemoryBytes,
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
    ["Weights", formatBytes(report.weightsBytes)],
    ["Full KV cache", formatBytes(report.fullKvBytes)],
    ["Budget", `${budget.requested} with ${report.policy}: ${budget.tokensPerLayer} tokens per layer`],
    ["KV after reading", `${formatBytes(report.retainedKvBytes)} (${share})`],
    ["Peak of reading", formatBytes(report.readingPeakBytes)],
    ["Total", `${formatBytes(report.totalBytes)} of ${formatBytes(report.freeMemoryBytes)} free`],
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(17)} ${value}`);
  if (!report.fitsContext) lines.push("Too long: document, instruction and answer do not fit this model's context.");
  if (!report.fitsMemory) lines.push("Too large: the total does not fit the memory that is free now.");
  for (const warning of report.warnings) lines.push(`Warning: ${warning}`);
  return lines.join("\n");
}

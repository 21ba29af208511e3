/** The result of a run, from what was read and what its steps have left. */
import { basename } from "node:path";
import { citationsOf } from "../citations/citation.js";
import { coverageOf } from "../documents/coverage.js";
import type { ModelInfo } from "../engine/types.js";
import { said } from "../said.js";
import type { Step } from "./finished.js";
import type { Plan } from "./plan.js";
import { partsOf, type Reading } from "./reading.js";
import type { SummaryResult } from "./result.js";

interface Ended {
  readonly text: string;
  readonly readings: readonly Reading[];
  readonly model: ModelInfo;
  readonly plan: Plan;
  /** In the order in which they ended; the last wrote the answer, or the end of it. */
  readonly steps: readonly Step[];
  readonly loadMs: number;
  readonly readMs: number;
  readonly warnings: readonly string[];
  readonly savedCache: SummaryResult["savedCache"];
  readonly retention: SummaryResult["retention"];
}

export function resultOf({ text, readings, model, plan, steps, loadMs, readMs, ...ended }: Ended): SummaryResult {
  const [document, ...furtherDocuments] = readings.map(documentOf) as [SummaryResult["document"]];
  const largest = steps.reduce((most, step) => (step.kv.fullBytes > most.kv.fullBytes ? step : most));
  const sum = (of: (step: Step) => number) => steps.reduce((total, step) => total + of(step), 0);
  return {
    text,
    citations: citationsOf(
      text,
      readings.map(({ source }) => source.document),
    ),
    document,
    furtherDocuments,
    parts: readings.flatMap((reading, index) =>
      partsOf(reading).map(({ title, pages, tokens }) => ({
        document: index,
        ...(title ? { title } : {}),
        pages,
        tokens,
      })),
    ),
    model: {
      id: model.id,
      path: model.path,
      layers: model.layers,
      kvHeads: model.kvHeads,
      contextLength: model.contextLength,
    },
    policy: plan.policy.name,
    kvType: plan.kvType,
    ...(plan.propagation ? { reading: "fast" } : {}),
    budget: {
      requested: plan.budget.requested,
      bytes: plan.budget.bytes,
      tokensPerLayer: plan.budget.tokensPerLayer,
    },
    kv: { ...largest.kv, peakBytes: Math.max(...steps.map(({ kv }) => kv.peakBytes)) },
    ...(ended.retention ? { retention: ended.retention } : {}),
    // resourceUsage counts maxRSS in KiB.
    memory: { peakRssBytes: process.resourceUsage().maxRSS * 1024 },
    timings: {
      loadMs,
      readMs,
      prefillMs: sum(({ timings }) => timings.prefillMs),
      compressMs: sum(({ timings }) => timings.compressMs),
      firstTokenMs: steps.at(-1)?.timings.firstTokenMs ?? 0,
      decodeMs: sum(({ timings }) => timings.decodeMs),
      decodeTokens: sum(({ tokens }) => tokens),
    },
    ...(ended.savedCache ? { savedCache: ended.savedCache } : {}),
    warnings: [...ended.warnings],
  };
}

function documentOf({ source: { document, text, pages, tokens } }: Reading): SummaryResult["document"] {
  return {
    path: document.path,
    title: document.title,
    pages: document.pages.length,
    tokens,
    pagesRead: pages.filter(({ start, end }) => text.slice(start, end).trim() !== "").map(({ number }) => number),
    coverage: coverageOf(document),
    warnings: [...document.warnings],
  };
}

/** What the documents of one summary are called: by their files' names, or whole paths where two have one name. */
export function documentNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => basename(path));
  return names.map((name, index) =>
    names.indexOf(name) === names.lastIndexOf(name) ? name : (paths[index] as string),
  );
}

/** Why there are several parts, as the end of a sentence that begins "because". */
export function whyOf(readings: readonly Reading[]): string {
  const [{ why }] = readings as [Reading];
  if (readings.length === 1) return why ?? "";
  const names = documentNames(readings.map(({ source }) => source.document.path));
  return readings.reduce(
    (all, reading, index) =>
      partsOf(reading).length > 1 ? said`${all}; ${names[index] ?? ""} itself because ${reading.why ?? ""}` : all,
    said`several documents are summarised together`,
  );
}

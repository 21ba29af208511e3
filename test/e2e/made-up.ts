/**
 * What is made up of documents and their summaries: for the scripted worker, and for the library that the tour begins
 * with. All of it follows from a document's file name and the run's options, so that no two places of a picture
 * contradict each other.
 */
import { sentencesOf } from "../../core/citations/sentences.js";
import { coverageWarnings } from "../../core/documents/coverage.js";
import { entryBytes } from "../../core/engine/kv.js";
import { fullKvBytes, parseBudget } from "../../core/estimate/estimate.js";
import { formatBytes } from "../../core/format.js";
import type { Forecast } from "../../core/summarize/forecast.js";
import { largestShare, planRun } from "../../core/summarize/plan.js";
import type { Coverage, SummaryResult } from "../../core/summarize/result.js";
import type { DocumentSummary, ModelSummary, RunOptions } from "../../core/worker/protocol.js";
import { defaultShape } from "../support/default-shape.js";

export const model: ModelSummary = {
  ...defaultShape,
  id: "smollm2-135m-instruct",
  path: "/models/SmolLM2-135M-Instruct.Q4_1.gguf",
};

export const summaryText = `The harbour's **outer breakwater** settled by 41 cm between 1998 and 2021, most of it in the two winters after the channel was deepened.

## What was found

- Divers counted 212 displaced blocks along the northern arm, three times the number of the last survey.
- The quay wall at berth 4 moves by up to 6 mm with each tide; the others do not move.
- Dredging cost 3.2 million in 2019 and is expected to double, because sediment now enters from the east.

## What is proposed

1. Rebuild the northern arm in two seasons, beginning in April.
2. Limit berth 4 to ships under 9 m draught until the wall is anchored.

The report leaves open who pays for the second season. [The appendix](https://example.org/) lists three offers.
`;

export const answerText = "The northern arm is rebuilt in **two seasons**. Nobody has been asked to pay.";

/** From the sample report, so that the window finds them on its pages. */
const passages: Readonly<Record<number, string>> = {
  3: "The campaign cost £2.07 million, or £6.51 for each cubic metre. That is 4 per cent more per metre than the year before; fuel was cheaper, but the charter rate rose.",
  7: "Dr Leila Moussavi, who came to us from the lock authority at Terneuzen, succeeded him on 1 February 2025.",
};

/** Page 3 supports the first sentence and those three further on, pages 3 and 7 the third; the second has no support. */
function cited(text: string): SummaryResult["citations"] {
  const pages = [[3], [], [3, 7]];
  return sentencesOf(text).map((sentence, at) => {
    const own = pages[at % pages.length] as number[];
    return { ...sentence, pages: own, passages: own.map((page) => passages[page] as string), score: 0.8 };
  });
}

/** As many as the sample report has, which most documents here are copies of. */
const usualPages = 10;
const scanned: Coverage = {
  unit: "page",
  text: [1, 2, 4, 5],
  ocr: [
    { page: 8, confidence: 0.94 },
    { page: 9, confidence: 0.91 },
    { page: 10, confidence: 0.66 },
  ],
  empty: [3],
  failed: [
    { page: 6, reason: "its picture is damaged or too large" },
    { page: 7, reason: "its picture is unreadable (confidence 21 %)" },
  ],
};
/** Those without text of their own. */
export const scans = usualPages - scanned.text.length;

export const nameOf = (path: string): string => path.split("/").pop() ?? "";

const pagesFrom1 = (pages: number): number[] => Array.from({ length: pages }, (_, page) => page + 1);

/** @param known what the library has of it already */
export function documentOf(
  documentId: string,
  path: string,
  known?: { readonly title: string; readonly pages: number },
): DocumentSummary {
  const name = nameOf(path);
  const words = name.replace(/\.\w+$/, "").replaceAll("-", " ");
  const pages = known?.pages ?? usualPages;
  const plain: Coverage = { unit: "page", text: pagesFrom1(pages), ocr: [], empty: [], failed: [] };
  const coverage = name.includes("scan") ? scanned : plain;
  return {
    documentId,
    path,
    title: known?.title ?? words.charAt(0).toUpperCase() + words.slice(1),
    kind: "pdf",
    unit: "page",
    pages,
    tokens: name.includes("long") ? 11_480 : 6_204,
    promptTokens: 122,
    answerTokens: 300,
    coverage,
    warnings: coverageWarnings(coverage),
  };
}

/** Milliseconds that each layer and each word of a document takes. */
export const pace = (path: string) => ({
  layer: path.includes("slow") ? 1_500 : 100,
  word: path.includes("wordy") ? 300 : 20,
});
export const wordsOf = (text: string): string[] => text.match(/\S+\s*/g) ?? [];

/** In how many parts, and why in more than one. */
export function partsOf({ path, tokens }: DocumentSummary): { count: number; why?: string } {
  if (!nameOf(path).includes("long")) return { count: 1 };
  const why = `it takes ${tokens.toLocaleString("en-US")} tokens and the model reads at most 8,192 at a time, instruction and answer included`;
  return { count: 2, why };
}

/** The machine has 4 GiB, of which half is free; 400 MiB beside a large document, 340 MiB once memory has run out. */
export function forecastOf(document: DocumentSummary, options: RunOptions, ranOut = false): Forecast {
  const { path, promptTokens, answerTokens } = document;
  const free = ranOut ? 340 * 2 ** 20 : path.includes("large") ? 400 * 2 ** 20 : 2 * 2 ** 30;
  const { layer, word } = pace(path);
  const parts = partsOf(document);
  const lengths = { tokens: document.tokens + promptTokens, headTokens: 0, windowTokens: 0 };
  const total = planRun(model, lengths, answerTokens, options).estimate.devices.memory;
  const share = largestShare(model, lengths, answerTokens, options, free);
  const tooMuch = `reading it whole takes about ${formatBytes(total)} and ${formatBytes(free)} is free; with a budget of ${share}% it would be read whole`;
  const why = parts.why ?? (total > free ? tooMuch : undefined);
  return {
    parts: why ? 2 : 1,
    ...(why ? { why } : {}),
    durationMs: model.layers * layer + wordsOf(summaryText).length * word,
    warnings: [],
    memory: { totalBytes: 4 * 2 ** 30, availableBytes: free },
  };
}

const columns = 512;

/**
 * Sinks at the beginning, spans here and there.
 * @param kept of each layer, the share of all positions that it keeps
 */
function keptShares(kept: readonly number[]): string {
  const rows = kept.map((share, layer) => {
    const spans = Array.from({ length: columns }, (_, column) =>
      Math.max(0, Math.sin(column / 9 + layer / 5) * Math.sin(column / 31)),
    );
    const drawn = (strength: number) =>
      Buffer.from(spans.map((span, column) => (column < 2 ? 255 : Math.min(255, 255 * strength * span))));
    // as strong as leaves that much of the layer
    const mean = (row: Buffer) => row.reduce((sum, byte) => sum + byte, 0) / (255 * columns);
    let strength = 0;
    while (strength < 100 && mean(drawn(strength)) < share) strength += 0.02;
    return drawn(strength);
  });
  return Buffer.concat(rows).toString("base64");
}

/** @param times milliseconds that reading and writing took; those that the forecast says when nobody measured them */
export function resultOf(
  document: DocumentSummary,
  options: RunOptions,
  text: string,
  times = { read: model.layers * pace(document.path).layer, write: wordsOf(text).length * pace(document.path).word },
): SummaryResult {
  const { path, pages, coverage, warnings } = document;
  const { count, why } = partsOf(document);
  const tokens = Math.ceil(document.tokens / count);
  const promptTokens = tokens + document.promptTokens;
  const budget = parseBudget(options.budget, model, promptTokens);
  const perLayer = Array.from({ length: model.layers }, (_, layer) =>
    Math.round(budget.tokensPerLayer * (1 + 0.7 * Math.sin(layer / 3.5) * Math.cos(layer))),
  );
  return {
    text,
    citations: cited(text),
    document: {
      path,
      pages,
      tokens: document.tokens,
      pagesRead: [...coverage.text, ...coverage.ocr.map(({ page }) => page)],
      coverage,
      warnings,
    },
    furtherDocuments: [],
    parts: Array.from({ length: count }, (_, part) => ({
      document: 0,
      pages: { first: 1 + (part * pages) / count, last: ((part + 1) * pages) / count },
      tokens,
    })),
    model: {
      id: model.id,
      path: model.path,
      layers: model.layers,
      kvHeads: model.kvHeads,
      contextLength: model.contextLength,
    },
    policy: options.policy,
    budget: { requested: options.budget, bytes: budget.bytes, tokensPerLayer: budget.tokensPerLayer },
    kv: {
      fullBytes: fullKvBytes(model, promptTokens),
      retainedBytes: budget.bytes,
      peakBytes: budget.bytes + promptTokens * (4 * model.embeddingSize + model.kvHeads * entryBytes(model)),
      layers: perLayer.map((kept, layer) => ({ layer, tokens: kept, bytes: kept * model.kvHeads * entryBytes(model) })),
    },
    retention: {
      columns,
      shares: keptShares(perLayer.map((tokens) => tokens / promptTokens)),
      pages: pagesFrom1(pages).map((page) => ({ document: 0, page, at: (columns * (page - 1)) / pages })),
    },
    memory: { peakRssBytes: 402_653_184 },
    timings: {
      loadMs: 640,
      readMs: 212,
      prefillMs: times.read,
      compressMs: 46,
      firstTokenMs: 61,
      decodeMs: times.write,
      decodeTokens: Math.round(1.3 * wordsOf(text).length),
    },
    warnings:
      why === undefined ? [] : [`Read in ${count} parts, because ${why}: what links distant parts may be missing.`],
  };
}

/**
 * A worker that answers from a script, for states of the window that the real one cannot be brought to at will. What
 * it does follows from the opened file's name: "damaged" fails to open, "scan" has scanned pages that are recognised one
 * by one, "long" is read in two parts, "dies" ends the thread while reading, "fails" runs out of memory, "slow" takes its
 * time for each page and layer, "wordy" for each word; all others are summarised in a few seconds. What it says of all
 * that are the core's sentences, which the window knows in its language.
 */
import { setTimeout as wait } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { sentencesOf } from "../../core/citations/sentences.js";
import { coverageWarnings } from "../../core/documents/coverage.js";
import { entryBytes } from "../../core/engine/kv.js";
import { fullKvBytes, parseBudget } from "../../core/estimate/estimate.js";
import { Library } from "../../core/library/library.js";
import { answerRequest } from "../../core/library/requests.js";
import type { Forecast } from "../../core/summarize/forecast.js";
import type { Coverage, SummaryResult } from "../../core/summarize/result.js";
import {
  type DocumentSummary,
  type ModelSummary,
  type Progress,
  type Reply,
  type Request,
  type RunOptions,
  requestSchema,
  type WireError,
} from "../../core/worker/protocol.js";

const port = parentPort;
if (!port) throw new Error("This file runs as a worker thread.");
const reply = (message: Reply) => port.postMessage(message);

const model: ModelSummary = {
  id: "SmolLM2-135M-Instruct",
  path: "/models/SmolLM2-135M-Instruct.Q4_1.gguf",
  architecture: "llama",
  layers: 30,
  fullLayers: 30,
  kvHeads: 3,
  keySize: 64,
  valueSize: 64,
  queryHeads: 9,
  embeddingSize: 576,
  feedForwardSize: 1536,
  vocabularySize: 49_152,
  contextLength: 8192,
  weightsBytes: 98_362_432,
  gpuLayers: 0,
};

const summaryText = `The harbour's **outer breakwater** settled by 41 cm between 1998 and 2021, most of it in the two winters after the channel was deepened.

## What was found

- Divers counted 212 displaced blocks along the northern arm, three times the number of the last survey.
- The quay wall at berth 4 moves by up to 6 mm with each tide; the others do not move.
- Dredging cost 3.2 million in 2019 and is expected to double, because sediment now enters from the east.

## What is proposed

1. Rebuild the northern arm in two seasons, beginning in April.
2. Limit berth 4 to ships under 9 m draught until the wall is anchored.

The report leaves open who pays for the second season. [The appendix](https://example.org/) lists three offers.
`;

const answerText = "The northern arm is rebuilt in **two seasons**. Nobody has been asked to pay.";

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

const documents = new Map<string, DocumentSummary>();
const cancelled = new Set<number>();

/** As many as the sample report has, which most documents here are copies of; the scanned one has 12. */
const everyPage = Array.from({ length: 10 }, (_, page) => page + 1);
const plain: Coverage = { unit: "page", text: everyPage, ocr: [], empty: [], failed: [] };
const scanned: Coverage = {
  unit: "page",
  text: [1, 2, 4, 5, 6],
  ocr: [
    { page: 8, confidence: 0.94 },
    { page: 9, confidence: 0.91 },
    { page: 10, confidence: 0.66 },
  ],
  empty: [3, 12],
  failed: [
    { page: 7, reason: "its picture is unreadable (confidence 21 %)" },
    { page: 11, reason: "its picture is damaged or too large" },
  ],
};

/** How much longer than usual each page or layer of a document takes. */
const slowness = (path: string): number => (path.includes("slow") ? 15 : 1);

/** Waits, and ends with "cancelled" when request `id` was cancelled meanwhile. */
async function step(id: number, milliseconds: number): Promise<void> {
  await wait(milliseconds);
  if (cancelled.delete(id)) throw { code: "cancelled", message: "Cancelled." } satisfies WireError;
}

/** Sinks at the beginning, spans here and there, more in some layers than in others. */
function keptShares(mean: number): string {
  const bytes = Uint8Array.from({ length: model.layers * 512 }, (_, at) => {
    const [layer, column] = [Math.floor(at / 512), at % 512];
    const span = Math.max(0, Math.sin(column / 9 + layer / 5) * Math.sin(column / 31) * (1 + Math.cos(layer / 4)));
    return column < 2 ? 255 : Math.min(255, 255 * 2.4 * mean * span);
  });
  return Buffer.from(bytes).toString("base64");
}

async function open(id: number, documentId: string, path: string): Promise<DocumentSummary> {
  const name = path.split("/").pop() ?? "";
  const pageMs = 150 * slowness(name);
  await step(id, 150);
  for (let done = 0; name.includes("scan") && done <= 12; done += 1) {
    const remainingMs = done > 0 ? (12 - done) * pageMs : undefined;
    const scans = { done, total: 12 };
    reply({
      id,
      kind: "progress",
      progress: { stage: "opening", fraction: done / 12, elapsedMs: done * pageMs, remainingMs, scans },
    });
    await step(id, pageMs);
  }
  if (name.includes("damaged")) {
    throw {
      code: "pdf-damaged",
      message: `"${name}" is a damaged PDF: its structure cannot be read.`,
      next: "Get the file again, or open it in a PDF viewer and save it anew.",
    } satisfies WireError;
  }
  const title = name.replace(/\.\w+$/, "").replaceAll("-", " ");
  const document: DocumentSummary = {
    documentId,
    path,
    title: title.charAt(0).toUpperCase() + title.slice(1),
    kind: "pdf",
    unit: "page",
    pages: name.includes("scan") ? 12 : everyPage.length,
    tokens: name.includes("long") ? 11_480 : 6_204,
    promptTokens: 122,
    answerTokens: 300,
    coverage: name.includes("scan") ? scanned : plain,
    warnings: name.includes("scan") ? coverageWarnings(scanned) : [],
  };
  documents.set(documentId, document);
  return document;
}

/** @param layers how many are read, a tenth of a second each unless it is slow; none from memory */
async function summarize(
  id: number,
  documentId: string,
  options: RunOptions,
  layers = model.layers,
): Promise<SummaryResult> {
  const document = documents.get(documentId);
  if (!document) throw { code: "usage", message: "The document is not open." } satisfies WireError;
  const promptTokens = document.tokens + document.promptTokens;
  const started = performance.now();
  const inParts = document.path.includes("long");
  const layerMs = 100 * slowness(document.path);
  const progress = (stage: Progress["stage"], fraction: number, remainingMs?: number) => {
    const elapsedMs = performance.now() - started;
    const part = inParts ? { number: fraction < 0.5 ? 1 : 2, count: 2, why: whyInParts(document.tokens) } : undefined;
    reply({ id, kind: "progress", progress: { stage, fraction, elapsedMs, remainingMs, part } });
  };
  for (let layer = 0; layers > 0 && layer <= layers; layer += 1) {
    progress("reading", layer / layers, layer > 1 ? (layers - layer) * layerMs : undefined);
    if (layer === 9 && document.path.includes("dies")) process.exit(7);
    if (layer === 6 && document.path.includes("fails")) {
      throw {
        code: "out-of-memory",
        message: "There is not enough memory to go on.",
        next: "Close other programs, or choose a smaller memory budget.",
      } satisfies WireError;
    }
    await step(id, layerMs);
  }
  const text = options.question === undefined ? summaryText : answerText;
  for (const word of text.match(/\S+\s*/g) ?? []) {
    reply({ id, kind: "text", text: word });
    await step(id, document.path.includes("wordy") ? 300 : 20);
  }
  const budget = parseBudget(options.budget, model, promptTokens);
  const perLayer = Array.from({ length: model.layers }, (_, layer) =>
    Math.round(budget.tokensPerLayer * (1 + 0.7 * Math.sin(layer / 3.5) * Math.cos(layer))),
  );
  return {
    text,
    citations: cited(text),
    document: {
      path: document.path,
      pages: document.pages,
      tokens: document.tokens,
      pagesRead: [...document.coverage.text, ...document.coverage.ocr.map(({ page }) => page)],
      coverage: document.coverage,
      warnings: document.warnings,
    },
    furtherDocuments: [],
    parts: [{ document: 0, pages: { first: 1, last: document.pages }, tokens: document.tokens }],
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
      layers: perLayer.map((tokens, layer) => ({ layer, tokens, bytes: tokens * model.kvHeads * entryBytes(model) })),
    },
    retention: {
      columns: 512,
      shares: keptShares(budget.tokensPerLayer / promptTokens),
      pages: everyPage.map((page) => ({ document: 0, page, at: (512 * (page - 1)) / everyPage.length })),
    },
    memory: { peakRssBytes: 402_653_184 },
    timings: {
      loadMs: 640,
      readMs: 212,
      prefillMs: 3_140,
      compressMs: 46,
      firstTokenMs: 61,
      decodeMs: 2_530,
      decodeTokens: 187,
    },
    warnings: inParts
      ? [`Read in 2 parts, because ${whyInParts(document.tokens)}: what links distant parts may be missing.`]
      : [],
  };
}

/** The machine has little memory: only half of what a large document would take at most. */
function forecast(documentId: string, { budget }: RunOptions): Forecast {
  const { path = "", tokens = 0 } = documents.get(documentId) ?? {};
  const tooMuch = path.includes("large") && Number.parseFloat(budget) > 70;
  const why = path.includes("long") ? whyInParts(tokens) : tooMuch ? whyTooMuch : undefined;
  return {
    parts: why ? 2 : 1,
    ...(why ? { why } : {}),
    durationMs: 70_000,
    warnings: [],
    memory: { totalBytes: 4 * 2 ** 30, availableBytes: path.includes("large") ? 400 * 2 ** 20 : 2 * 2 ** 30 },
  };
}

const whyTooMuch =
  "reading it whole takes about 448.4 MiB and 400.0 MiB is free; with a budget of 66.3% it would be read whole";

const whyInParts = (tokens: number) =>
  `it takes ${tokens.toLocaleString("en-US")} tokens and the model reads at most 8,192 at a time, instruction and answer included`;

/** The profile's library, as the test has left it: what is opened and summarised here is not put into it. */
const shelf = Library.open((workerData as { libraryFile: string }).libraryFile);

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "load-model":
      return model;
    case "open":
      return open(request.id, request.documentId, request.path);
    case "page-texts":
      return everyPage
        .filter((page) => page >= request.first && page <= request.last)
        .map((number) => ({ number, text: `Minutes, sheet ${number}.\n\nThe gauge was read at the harbour mole.` }));
    case "close":
      documents.delete(request.documentId);
      return undefined;
    case "summarize": {
      const result = await summarize(request.id, request.documentId, request.options);
      const further = (request.further ?? []).map((id) => documents.get(id)?.path.split("/").pop());
      return further.length === 0 ? result : { ...result, warnings: [`Together with ${further.join(", ")}.`] };
    }
    case "forecast":
      return forecast(request.documentId, request.options);
    case "ask":
      return {
        ...(await summarize(request.id, request.documentId, request.options, request.from === "memory" ? 0 : 10)),
        ...(request.from === "memory" ? { savedCache: "other" } : {}),
      };
    case "library":
      return answerRequest(shelf, request.request);
    case "storage":
      return { ...shelf.sizes(), caches: 12_400_000, parts: 0 };
    case "cancel":
      cancelled.add(request.target);
      return undefined;
    case "shutdown":
      shelf.close();
      setTimeout(() => port?.close(), 10);
      return undefined;
  }
}

port.on("message", (message: unknown) => {
  const request = requestSchema.parse(message);
  answer(request).then(
    (result) => reply({ id: request.id, kind: "done", result }),
    (error: WireError) => reply({ id: request.id, kind: "failed", error }),
  );
});

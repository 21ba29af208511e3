/**
 * A worker that answers from a script, for states of the window that the real one cannot be brought to at will. What
 * it does follows from the opened file's name: "damaged" fails to open, "scan" has scanned pages that are recognised one
 * by one, "long" is read in two parts, "dies" ends the thread while reading, "fails" runs out of memory, "slow" takes its
 * time for each page and layer, "wordy" for each word; all others are summarised in a few seconds. What it says of all
 * that are the core's sentences, which the window knows in its language.
 */
import { setTimeout as wait } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { Library } from "../../core/library/library.js";
import { answerRequest } from "../../core/library/requests.js";
import type { SummaryResult } from "../../core/summarize/result.js";
import {
  type DocumentSummary,
  type Progress,
  type Reply,
  type Request,
  type RunOptions,
  requestSchema,
  type WireError,
} from "../../core/worker/protocol.js";
import {
  answerText,
  documentOf,
  forecastOf,
  model,
  nameOf,
  pace,
  partsOf,
  resultOf,
  scans,
  summaryText,
  wordsOf,
} from "./made-up.js";

const port = parentPort;
if (!port) throw new Error("This file runs as a worker thread.");
const reply = (message: Reply) => port.postMessage(message);

const documents = new Map<string, DocumentSummary>();
const cancelled = new Set<number>();
/** Memory ran out while one of these was read. */
const ranOut = new Set<DocumentSummary>();

/** Waits, and ends with "cancelled" when request `id` was cancelled meanwhile. */
async function step(id: number, milliseconds: number): Promise<void> {
  await wait(milliseconds);
  if (cancelled.delete(id)) throw { code: "cancelled", message: "Cancelled." } satisfies WireError;
}

async function open(id: number, documentId: string, path: string): Promise<DocumentSummary> {
  const name = nameOf(path);
  const pageMs = 3 * pace(name).layer;
  await step(id, 150);
  for (let done = 0; name.includes("scan") && done <= scans; done += 1) {
    const remainingMs = done > 0 ? (scans - done) * pageMs : undefined;
    const progress = { stage: "opening", fraction: done / scans, elapsedMs: done * pageMs, remainingMs } as const;
    reply({ id, kind: "progress", progress: { ...progress, scans: { done, total: scans } } });
    await step(id, pageMs);
  }
  if (name.includes("damaged")) {
    throw {
      code: "pdf-damaged",
      message: `"${name}" is a damaged PDF: its structure cannot be read.`,
      next: "Get the file again, or open it in a PDF viewer and save it anew.",
    } satisfies WireError;
  }
  const stored = shelf.list(50).entries.find((entry) => entry.path === path);
  const document = documentOf(documentId, path, stored);
  documents.set(documentId, document);
  return document;
}

function opened(documentId: string): DocumentSummary {
  const document = documents.get(documentId);
  if (!document) throw { code: "usage", message: "The document is not open." } satisfies WireError;
  return document;
}

/** @param reads false: it is answered from memory */
async function summarize(id: number, documentId: string, options: RunOptions, reads = true): Promise<SummaryResult> {
  const document = opened(documentId);
  const { layer: layerMs, word: wordMs } = pace(document.path);
  const { count, why } = partsOf(document);
  const started = performance.now();
  const progress = (stage: Progress["stage"], fraction: number, remainingMs?: number) => {
    const elapsedMs = performance.now() - started;
    const part = why === undefined ? undefined : { number: fraction < 0.5 ? 1 : 2, count, why };
    reply({ id, kind: "progress", progress: { stage, fraction, elapsedMs, remainingMs, part } });
  };
  for (let layer = 0; reads && layer <= model.layers; layer += 1) {
    progress("reading", layer / model.layers, layer > 1 ? (model.layers - layer) * layerMs : undefined);
    if (layer === 9 && document.path.includes("dies")) process.exit(7);
    if (layer === 6 && document.path.includes("fails")) {
      ranOut.add(document);
      throw {
        code: "out-of-memory",
        message: "There was not enough memory to go on.",
        next: "Close other programs, or choose less memory for reading.",
      } satisfies WireError;
    }
    await step(id, layerMs);
  }
  const read = performance.now() - started;
  const text = options.question === undefined ? summaryText : answerText;
  for (const word of wordsOf(text)) {
    reply({ id, kind: "text", text: word });
    await step(id, wordMs);
  }
  return resultOf(document, options, text, { read, write: performance.now() - started - read });
}

/** The profile's library, as the test has left it: what is opened and summarised here is not put into it. */
const shelf = Library.open((workerData as { libraryFile: string }).libraryFile);

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "load-model":
      return model;
    case "open":
      return open(request.id, request.documentId, request.path);
    case "page-texts":
      return Array.from({ length: opened(request.documentId).pages }, (_, page) => page + 1)
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
    case "forecast": {
      const document = opened(request.documentId);
      return forecastOf(document, request.options, ranOut.has(document));
    }
    case "ask":
      return {
        ...(await summarize(request.id, request.documentId, request.options, request.from !== "memory")),
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

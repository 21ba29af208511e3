import { vi } from "vitest";
import type {
  DocumentSummary,
  ModelSummary,
  PrecisApi,
  QueueItem,
  QueueState,
  StoredRun,
  SummaryResult,
} from "../../electron/contract.js";
import { defaultShape } from "../support/default-shape.js";

export const model: ModelSummary = { ...defaultShape, id: "SmolLM2-135M-Instruct", path: "/m.gguf" };

export const documentSummary = (documentId = "d", tokens = 6_000): DocumentSummary => ({
  documentId,
  path: `/${documentId}.pdf`,
  title: documentId,
  kind: "pdf",
  unit: "page",
  pages: 12,
  tokens,
  promptTokens: 100,
  answerTokens: 300,
  coverage: { unit: "page", text: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], ocr: [], empty: [], failed: [] },
  warnings: [],
});

export const summaryResult = (text: string) => ({ text }) as SummaryResult;

/** A bridge whose commands the test answers; every command that is not replaced answers with nothing. */
export function bridge(replaced: Partial<PrecisApi>): PrecisApi {
  const nothing = async () => ({ ok: true, value: undefined });
  const api = new Proxy(replaced, {
    get: (target, name) => Reflect.get(target, name) ?? nothing,
  }) as PrecisApi;
  vi.stubGlobal("window", { precis: api });
  return api;
}

/** A promise and its resolve function. */
export function deferred<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A storage in memory, in place of the browser's. */
export function stubStorage(): void {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
}

const chosen = { budget: "25%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const;

/** An item of the queue whose id is its path without the slash. */
export const queueItem = (path: string, state: QueueItem["state"], more: Partial<QueueItem> = {}): QueueItem => ({
  id: path.slice(1),
  path,
  recognition: {},
  options: chosen,
  state,
  interrupted: false,
  ...more,
});

/** A queue that stands like this, the running item included. */
export const queueState = (items: QueueItem[], stopping = false): QueueState => {
  const now = items.find(({ state }) => state === "running");
  return { items, running: now && { id: now.id, progress: undefined, text: "", stopping }, unsaved: undefined };
};

/** The library's last run of a document. */
export const storedRun = (text: string): StoredRun => ({
  started: 1_000,
  ended: 3_000,
  options: chosen,
  result: summaryResult(text),
  answers: [],
});

/** The host's side of the protocol: a promise for each request, its events as callbacks. */
import * as z from "zod";
import { cancelled, type ErrorCode, PrecisError } from "../errors.js";
import type { LibraryRequest } from "../library/requests.js";
import { type ModelFacts, modelFactsSchema } from "../models/added.js";
import { said } from "../said.js";
import { type Forecast, forecastSchema } from "../summarize/forecast.js";
import { type SummaryResult, summaryResultSchema } from "../summarize/result.js";
import {
  type AnswerSource,
  type Clearable,
  type DocumentSummary,
  documentSummarySchema,
  type ModelSummary,
  modelSummarySchema,
  type PageText,
  type Progress,
  pageTextSchema,
  type Recognition,
  type Reply,
  type Request,
  type RunOptions,
  replySchema,
  type StorageUse,
  storageUseSchema,
} from "./protocol.js";

export interface ClientPort {
  postMessage(request: Request): void;
  onMessage(listener: (message: unknown) => void): void;
}

export interface RequestHooks {
  /** Cancels the request: its promise rejects with "cancelled" once the worker has let go of it. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly onText?: (text: string) => void;
}

/** A request before it has its id. */
type Body = Request extends infer R ? (R extends Request ? Omit<R, "id"> : never) : never;

interface Pending {
  readonly hooks: RequestHooks;
  resolve(result: unknown): void;
  reject(error: PrecisError): void;
}

/** Every method rejects with a PrecisError: the worker's own, or the one that `fail` was given. */
export class WorkerClient {
  private nextId = 1;
  private readonly pending = new Map<number, Pending>();
  private failure: PrecisError | undefined;

  constructor(private readonly port: ClientPort) {
    port.onMessage((message) => this.receive(message));
  }

  /**
   * @param model a catalogue id or a path; undefined: the default model
   * @param gpuLayers how many of its layers go to the GPU; undefined: as many as fit
   */
  loadModel(model?: string, hooks: RequestHooks = {}, gpuLayers?: number): Promise<ModelSummary> {
    return this.request({ kind: "load-model", model, gpuLayers }, hooks, modelSummarySchema);
  }

  /** @throws PrecisError model-damaged, model-unsupported */
  inspectModel(path: string): Promise<ModelFacts> {
    return this.request({ kind: "inspect-model", path }, {}, modelFactsSchema);
  }

  async limitCaches(bytes: number): Promise<void> {
    await this.send({ kind: "limit-caches", bytes }, {});
  }

  /** @param recognition how scanned pages are recognised; undefined: in English */
  open(
    documentId: string,
    path: string,
    hooks: RequestHooks = {},
    recognition?: Recognition,
  ): Promise<DocumentSummary> {
    return this.request({ kind: "open", documentId, path, recognition }, hooks, documentSummarySchema);
  }

  async close(documentId: string): Promise<void> {
    await this.send({ kind: "close", documentId }, {});
  }

  /** The pages from `first` to `last` of an open document, as far as there are any. */
  pageTexts(documentId: string, first: number, last: number): Promise<PageText[]> {
    return this.request({ kind: "page-texts", documentId, first, last }, {}, z.array(pageTextSchema));
  }

  /** @param further documents that are summarised together with it */
  summarize(
    documentId: string,
    options: RunOptions,
    hooks: RequestHooks = {},
    further?: string[],
  ): Promise<SummaryResult> {
    return this.request({ kind: "summarize", documentId, further, options }, hooks, summaryResultSchema);
  }

  /** What that would take. */
  forecast(documentId: string, options: RunOptions, hooks: RequestHooks = {}, further?: string[]): Promise<Forecast> {
    return this.request({ kind: "forecast", documentId, further, options }, hooks, forecastSchema);
  }

  /**
   * @param answerId under which the library keeps the answer
   * @param options with the question
   */
  ask(
    documentId: string,
    answerId: string,
    options: RunOptions,
    from: AnswerSource,
    hooks: RequestHooks = {},
  ): Promise<SummaryResult> {
    return this.request({ kind: "ask", documentId, answerId, options, from }, hooks, summaryResultSchema);
  }

  /** Carries libraryOver's requests (core/library/requests.ts), which looks at the answers. */
  library(request: LibraryRequest): Promise<unknown> {
    return this.send({ kind: "library", request }, {});
  }

  /** @param clear what is deleted first */
  storage(clear?: Clearable): Promise<StorageUse> {
    return this.request({ kind: "storage", clear }, {}, storageUseSchema);
  }

  async shutdown(): Promise<void> {
    await this.send({ kind: "shutdown" }, {});
  }

  /** Rejects everything that waits, and every later request: the worker is gone. */
  fail(error: PrecisError): void {
    this.failure = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  private async request<T>(body: Body, hooks: RequestHooks, schema: z.ZodType<T>): Promise<T> {
    const parsed = schema.safeParse(await this.send(body, hooks));
    if (parsed.success) return parsed.data;
    throw new PrecisError("internal", said`The worker's answer to "${body.kind}" is malformed.`, undefined, {
      cause: parsed.error,
    });
  }

  private send(body: Body, hooks: RequestHooks): Promise<unknown> {
    if (this.failure) return Promise.reject(this.failure);
    if (hooks.signal?.aborted) return Promise.reject(cancelled());
    const id = this.nextId++;
    const cancel = () => void this.send({ kind: "cancel", target: id }, {}).catch(() => {});
    hooks.signal?.addEventListener("abort", cancel, { once: true });
    const answer = new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { hooks, resolve, reject });
      this.port.postMessage({ ...body, id });
    });
    return answer.finally(() => hooks.signal?.removeEventListener("abort", cancel));
  }

  private receive(message: unknown): void {
    const parsed = replySchema.safeParse(message);
    // Nothing can be told to anyone about a reply without a request: the worker logs such errors itself.
    if (!parsed.success) return;
    const reply: Reply = parsed.data;
    const pending = this.pending.get(reply.id);
    if (!pending) return;
    switch (reply.kind) {
      case "progress":
        pending.hooks.onProgress?.(reply.progress);
        break;
      case "text":
        pending.hooks.onText?.(reply.text);
        break;
      case "done":
        this.pending.delete(reply.id);
        pending.resolve(reply.result);
        break;
      case "failed": {
        this.pending.delete(reply.id);
        const { code, message: sentence, next } = reply.error;
        pending.reject(new PrecisError(code as ErrorCode, sentence, next));
      }
    }
  }
}

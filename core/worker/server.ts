/**
 * The worker's side of the protocol, whatever carries it: validates each request, runs one at a time what needs the
 * model (the others wait in order), answers each request exactly once, and can cancel any of them.
 */
import { coverageOf } from "../documents/coverage.js";
import type { SourceDocument } from "../documents/document.js";
import { documentText } from "../documents/document-text.js";
import type { OpenOptions } from "../documents/open.js";
import type { CacheStore } from "../engine/cache-store.js";
import type { Engine, LoadOptions } from "../engine/types.js";
import { cancelled, PrecisError, toPrecisError } from "../errors.js";
import { librarySizesSchema } from "../library/entries.js";
import type { Library } from "../library/library.js";
import type { LibraryRequest } from "../library/requests.js";
import type { ModelFacts } from "../models/added.js";
import { said } from "../said.js";
import { type Forecast, forecast } from "../summarize/forecast.js";
import type { RunOptions } from "../summarize/options.js";
import { maxAnswerTokens, promptOverhead } from "../summarize/prompt.js";
import { measureSpeed, type Speed } from "../summarize/speed.js";
import { type SummaryContext, summarizeTogether } from "../summarize/summarize.js";
import { EventStream } from "./events.js";
import {
  type Clearable,
  type DocumentSummary,
  type ModelSummary,
  modelSummarySchema,
  type PageText,
  type Reply,
  type Request,
  requestSchema,
  type StorageUse,
} from "./protocol.js";
import { Shelf } from "./shelf.js";

export interface ServerPort {
  postMessage(reply: Reply): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** What the server works with; the worker's entry passes the real ones, tests their own. */
export interface ServerDeps {
  findModel(idOrPath: string | undefined): Promise<{ id: string; path: string }>;
  loadEngine(path: string, id: string, options: LoadOptions): Promise<Engine>;
  inspectModel(path: string): Promise<ModelFacts>;
  openDocument(path: string, options: OpenOptions): Promise<SourceDocument>;
  /** Where finished parts of long documents are kept until their summaries are whole; undefined: nowhere. */
  readonly steps?: CacheStore;
  /** Where what a reading kept is saved for questions; undefined: nowhere, and each question reads again. */
  readonly caches?: CacheStore;
  /** The folder of whole caches that go when their answer is written. */
  readonly wholeFolder?: string;
  /** Where documents and finished summaries are kept for search; undefined: nowhere. */
  readonly openLibrary?: () => Library;
  /** Keeps what the user is not shown: an unforeseen error with its cause. */
  log(error: unknown): void;
  /** After everything native is disposed and answered; the worker may end. */
  onShutdown(): void;
}

/** The id of an answer to a message that has no usable id of its own. */
export const unknownRequestId = -1;

interface LoadedModel {
  readonly engine: Engine;
  /** As asked for; undefined: as many as fit. */
  readonly gpuLayers: number | undefined;
  readonly loadMs: number;
  /** What a trial has shown, with that many threads. */
  speed?: Speed & { readonly threads: number | undefined };
}

interface OpenDocument {
  readonly document: SourceDocument;
  readonly readMs: number;
}

/** What one request's work is given. */
interface Job {
  readonly signal: AbortSignal;
  readonly events: EventStream;
}

/** Serves the protocol on `port` until a "shutdown" request. */
export function serve(port: ServerPort, deps: ServerDeps): void {
  new Server(port, deps);
}

class Server {
  private model: LoadedModel | undefined;
  private readonly documents = new Map<string, OpenDocument>();
  private readonly running = new Map<number, AbortController>();
  /** Loading and summarising wait for each other here; opening only waits for loads asked for before it. */
  private modelQueue: Promise<unknown> = Promise.resolve();
  private lastLoad: Promise<unknown> = Promise.resolve();
  private openQueue: Promise<unknown> = Promise.resolve();
  private closing = false;
  private readonly shelf: Shelf;

  constructor(
    private readonly port: ServerPort,
    private readonly deps: ServerDeps,
  ) {
    this.shelf = new Shelf(deps.openLibrary);
    port.onMessage((message) => this.receive(message));
  }

  private receive(message: unknown): void {
    const parsed = requestSchema.safeParse(message);
    const id = parsed.data?.id ?? idOf(message);
    if (this.running.has(id)) this.fail(unknownRequestId, usage(said`Request ${id} is running already.`));
    else if (!parsed.success) this.fail(id, usage(said`The request is malformed.`));
    else if (this.closing) this.fail(id, usage(said`The worker is shutting down.`));
    else this.dispatch(parsed.data);
  }

  private dispatch(request: Request): void {
    switch (request.kind) {
      case "cancel":
        this.running.get(request.target)?.abort();
        this.done(request.id, undefined);
        break;
      case "close":
        this.documents.delete(request.documentId);
        this.done(request.id, undefined);
        break;
      case "page-texts":
        void this.start(request.id, Promise.resolve(), async () => this.pageTexts(request));
        break;
      case "library":
        void this.lookUp(request.id, request.request);
        break;
      case "load-model":
        this.modelQueue = this.start(request.id, this.modelQueue, (job) => this.loadModel(request, job));
        this.lastLoad = this.modelQueue;
        break;
      case "inspect-model":
        void this.start(request.id, Promise.resolve(), () => this.deps.inspectModel(request.path));
        break;
      case "limit-caches":
        void this.start(request.id, Promise.resolve(), async () => this.deps.caches?.limit(request.bytes));
        break;
      case "storage":
        void this.start(request.id, Promise.resolve(), () => this.storage(request.clear));
        break;
      case "open": {
        const before = Promise.all([this.openQueue, this.lastLoad]);
        this.openQueue = this.start(request.id, before, (job) => this.open(request, job));
        break;
      }
      case "summarize":
        this.modelQueue = this.start(request.id, this.modelQueue, (job) =>
          this.answer(request, { caches: this.deps.caches, readAgain: true }, job),
        );
        break;
      case "forecast":
        this.modelQueue = this.start(request.id, this.modelQueue, (job) => this.forecast(request, job));
        break;
      case "ask":
        this.modelQueue = this.start(request.id, this.modelQueue, (job) =>
          this.answer(request, request.from === "memory" ? { caches: this.deps.caches } : {}, job),
        );
        break;
      case "shutdown":
        void this.shutdown(request.id);
    }
  }

  /** Runs `work` once `before` has settled and answers with its result; the promise never rejects. */
  private async start(id: number, before: Promise<unknown>, work: (job: Job) => Promise<unknown>): Promise<void> {
    const controller = new AbortController();
    const { signal } = controller;
    this.running.set(id, controller);
    const events = new EventStream((reply) => this.port.postMessage({ id, ...reply }));
    // A request cancelled while it waits is answered at once, and its turn is then skipped.
    const abandoned = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(cancelled()), { once: true });
    });
    abandoned.catch(() => {});
    try {
      await Promise.race([before, abandoned]);
      const result = await work({ signal, events });
      events.end();
      this.done(id, result);
    } catch (error) {
      events.end();
      this.fail(id, error);
    } finally {
      this.running.delete(id);
    }
    await before;
  }

  private async loadModel(
    { model, gpuLayers }: Extract<Request, { kind: "load-model" }>,
    { signal, events }: Job,
  ): Promise<ModelSummary> {
    const { id, path } = await this.deps.findModel(model);
    const { engine: loaded, gpuLayers: asked } = this.model ?? {};
    if (loaded?.model.path === path && asked === gpuLayers) return modelSummary(loaded);
    // The old model goes first: both at once may not fit in memory.
    await this.disposeModel();
    const started = performance.now();
    const onProgress = (fraction: number) =>
      events.progress({ stage: "loading", fraction, elapsedMs: performance.now() - started });
    const engine = await this.deps.loadEngine(path, id, { signal, onProgress, gpuLayers });
    this.model = { engine, gpuLayers, loadMs: performance.now() - started };
    return modelSummary(engine);
  }

  private async open(
    { documentId, path, recognition }: Extract<Request, { kind: "open" }>,
    { signal, events }: Job,
  ): Promise<DocumentSummary> {
    const started = performance.now();
    events.progress({ stage: "opening", fraction: 0, elapsedMs: 0 });
    const onProgress = (done: number, total: number) => {
      const elapsedMs = performance.now() - started;
      const remainingMs = done > 0 ? (elapsedMs / done) * (total - done) : undefined;
      events.progress({ stage: "opening", fraction: done / total, elapsedMs, remainingMs, scans: { done, total } });
    };
    const document = await this.deps.openDocument(path, { signal, onProgress, recognition });
    if (signal.aborted) throw cancelled();
    const { engine } = this.loaded();
    const summary: DocumentSummary = {
      documentId,
      path: document.path,
      title: document.title,
      kind: document.kind,
      unit: document.unit,
      pages: document.pages.length,
      tokens: engine.tokenize(documentText(document).text).length,
      promptTokens: promptOverhead(engine),
      answerTokens: Math.max(...Object.values(maxAnswerTokens)),
      coverage: coverageOf(document),
      warnings: [...document.warnings, ...this.shelf.keep((library) => library.saveDocument(document))],
    };
    this.documents.set(documentId, { document, readMs: performance.now() - started });
    return summary;
  }

  private async answer(
    request: Extract<Request, { kind: "summarize" | "ask" }>,
    memory: Pick<SummaryContext, "caches" | "readAgain">,
    { signal, events }: Job,
  ): Promise<unknown> {
    const { engine, loadMs } = this.loaded();
    const open = this.opened(request);
    const documents = open.map(({ document }) => document);
    const started = Date.now();
    const result = await summarizeTogether(engine, documents, request.options, {
      signal,
      loadMs,
      readMs: open.reduce((sum, { readMs }) => sum + readMs, 0),
      steps: this.deps.steps,
      ...(this.deps.wholeFolder === undefined ? {} : { wholeFolder: this.deps.wholeFolder }),
      ...memory,
      onProgress: (progress) => events.progress(progress),
      onText: (text) => events.text(text),
    });
    const { path } = result.document;
    const kept = this.shelf.keep((library) => {
      if (request.kind === "summarize") {
        library.saveRun(path, request.options, result, { started, ended: Date.now() });
        return;
      }
      const { answerId: id, from, options } = request;
      library.saveAnswer(path, { id, asked: started, question: options.question ?? "", from, result });
    });
    return { ...result, warnings: [...result.warnings, ...kept] };
  }

  private async forecast(request: Extract<Request, { kind: "forecast" }>, { signal }: Job): Promise<Forecast> {
    const model = this.loaded();
    const documents = this.opened(request).map(({ document }) => document);
    const speedOf = (text: string) => this.speedOf(model, text, request.options, signal);
    return await forecast(model.engine, documents, request.options, speedOf, signal);
  }

  private async speedOf(model: LoadedModel, text: string, options: RunOptions, signal: AbortSignal): Promise<Speed> {
    const { threads } = options;
    if (model.speed && model.speed.threads === threads) return model.speed;
    model.speed = { ...(await measureSpeed(model.engine, text, options, signal)), threads };
    return model.speed;
  }

  private opened({ documentId, further = [] }: { documentId: string; further?: string[] }): OpenDocument[] {
    return [documentId, ...further].map((id) => {
      const open = this.documents.get(id);
      if (!open) throw usage(said`The document is not open.`);
      return open;
    });
  }

  private pageTexts(request: Extract<Request, { kind: "page-texts" }>): PageText[] {
    const [{ document }] = this.opened(request) as [OpenDocument];
    return document.pages.slice(request.first - 1, request.last).map(({ number, text }) => ({ number, text }));
  }

  private async lookUp(id: number, request: LibraryRequest): Promise<void> {
    try {
      const answer = this.shelf.answer(request);
      // A saved cache does not name its document, and what it holds could be read from it: all go, and are made again.
      if (request.what === "remove") await this.deps.caches?.clear();
      this.done(id, answer);
    } catch (error) {
      this.fail(id, error);
    }
  }

  private async storage(clear: Clearable | undefined): Promise<StorageUse> {
    const { caches, steps } = this.deps;
    if (clear !== undefined) await (clear === "caches" ? caches : steps)?.clear();
    const sizes = librarySizesSchema.parse(this.shelf.answer({ what: "sizes" }));
    return { ...sizes, caches: (await caches?.bytes()) ?? 0, parts: (await steps?.bytes()) ?? 0 };
  }

  private async shutdown(id: number): Promise<void> {
    this.closing = true;
    for (const controller of this.running.values()) controller.abort();
    await Promise.all([this.modelQueue, this.openQueue]);
    try {
      this.shelf.close();
      await this.disposeModel();
      this.done(id, undefined);
    } catch (error) {
      this.fail(id, error);
    }
    this.deps.onShutdown();
  }

  private loaded(): LoadedModel {
    if (this.model) return this.model;
    throw new PrecisError("model-missing", said`No model is loaded.`, said`Load a model first.`);
  }

  private async disposeModel(): Promise<void> {
    const model = this.model;
    this.model = undefined;
    await model?.engine.dispose();
  }

  private done(id: number, result: unknown): void {
    this.port.postMessage({ id, kind: "done", result });
  }

  private fail(id: number, thrown: unknown): void {
    const { code, message, next, cause } = toPrecisError(thrown);
    if (code === "internal") this.deps.log(cause ?? thrown);
    this.port.postMessage({ id, kind: "failed", error: { code, message, next } });
  }
}

function usage(message: string): PrecisError {
  return new PrecisError("usage", message);
}

function idOf(message: unknown): number {
  const id = typeof message === "object" && message !== null && "id" in message ? message.id : undefined;
  return Number.isInteger(id) ? (id as number) : unknownRequestId;
}

function modelSummary({ model }: Engine): ModelSummary {
  return modelSummarySchema.parse(model);
}

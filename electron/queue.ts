/**
 * The documents that are to be summarised, one at a time: whose turn it is, what the user holds, lets go on, moves or
 * takes out, and what becomes of each. It lives in the main process, so that it goes on without a window, and is saved
 * at every change. Worker, library and window are handed in, so that tests run without them.
 */
import { cancelled } from "../core/errors.js";
import type {
  Progress,
  QueueItem,
  QueueRequest,
  QueueState,
  RunOptions,
  StoredRun,
  SummaryResult,
  WireError,
} from "./contract.js";
import type { Call } from "./summarizer.js";
import { wireError } from "./wire-error.js";

export type ReadyItem = QueueItem & { readonly options: RunOptions };

export interface QueueParts {
  /** The list as it was last saved. */
  load(): Promise<QueueItem[]>;
  save(items: readonly QueueItem[]): Promise<void>;
  /** Reads a document and summarises it. */
  summarize(item: ReadyItem, call: Call): Promise<SummaryResult>;
  changed(state: QueueState): void;
  onProgress(id: string, progress: Progress): void;
  onText(id: string, text: string): void;
  /** A run has ended by itself: with a summary, or with what stands in the item's error. */
  ended(item: QueueItem): void;
}

/** What becomes of the running item when it stops before its end. */
type Afterwards = "held" | "waiting" | "removed";

interface Running {
  readonly id: string;
  readonly controller: AbortController;
  progress: Progress | undefined;
  text: string;
  afterwards: Afterwards;
}

/** Errors that the next document would end with, too. */
const forEveryDocument = new Set(["model-missing", "model-damaged", "model-unsupported", "runtime-mismatch"]);

const isOpen = ({ state }: QueueItem): boolean => state !== "done" && state !== "failed";

export class Queue {
  private items: readonly QueueItem[] = [];
  private running: Running | undefined;
  /** Of documents that were summarised since the start, by path: the library may be unable to take them. */
  private readonly results = new Map<string, StoredRun>();
  private restored = false;
  private unsaved: WireError | undefined;
  private stopped = false;
  private readonly ready: Promise<void>;
  /** The save that goes on or was the last, and the one that follows it. */
  private saving: Promise<void>;
  private nextSave: Promise<void> | undefined;

  constructor(private readonly parts: QueueParts) {
    this.ready = this.restore().catch((thrown) => this.say(thrown));
    this.saving = this.ready;
  }

  /** As the window shows it. */
  async state(): Promise<QueueState> {
    await this.ready;
    return this.current();
  }

  /** Whether anything runs or waits for its turn, and will get it. */
  get goesOn(): boolean {
    return !this.stopped && this.items.some(({ state }) => state === "running" || state === "waiting");
  }

  /** The last run of a document since the start. */
  lastRun(path: string): StoredRun | undefined {
    return this.results.get(path);
  }

  /** Does what the window asks for. Answers when that is saved, or when the state says why it cannot be. */
  async perform(request: QueueRequest): Promise<void> {
    await this.ready;
    if (this.stopped) return;
    switch (request.what) {
      case "add":
        this.add(request);
        break;
      case "move":
        this.move(request.id, request.before);
        break;
      case "hold":
        this.hold(request.id);
        break;
      case "resume":
        this.resume(request.id, request.options);
        break;
      case "cancel":
        this.cancel(request.id);
    }
    await this.commit();
  }

  /** Takes a document out, with all that is known of its runs. */
  async forget(path: string): Promise<void> {
    this.results.delete(path);
    const item = this.items.find((one) => one.path === path);
    if (item) await this.perform({ what: "cancel", id: item.id });
  }

  /** Holds everything: nothing starts until the user says so. */
  holdAll(): void {
    this.hold(undefined);
    void this.commit();
  }

  /** The last save, before the app ends; what runs then is saved as running, and offered again at the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.save();
  }

  private add({ items, options, recognition }: Extract<QueueRequest, { what: "add" }>): void {
    // With the first of the next lot, the last one leaves the list.
    if (!this.items.some(isOpen)) this.items = [];
    for (const { id, path, further } of items) {
      const known = this.items.find((item) => item.path === path);
      if (known && isOpen(known)) {
        if (options && known.state !== "running") {
          this.change(known.id, { state: "waiting", further, options, recognition, error: undefined });
        }
        continue;
      }
      const state = options ? "waiting" : "held";
      const item: QueueItem = { id, path, further, recognition, options, state, interrupted: false };
      this.items = [...this.items.filter((one) => one !== known), item];
    }
  }

  private move(id: string, before: string | undefined): void {
    const item = this.items.find((one) => one.id === id);
    if (!item || id === before) return;
    const rest = this.items.filter((one) => one !== item);
    const found = rest.findIndex((one) => one.id === before);
    const at = found < 0 ? rest.length : found;
    this.items = [...rest.slice(0, at), item, ...rest.slice(at)];
  }

  private hold(id: string | undefined): void {
    for (const item of this.named(id)) {
      if (item.state === "waiting") this.change(item.id, { state: "held" });
      else if (item.id === this.running?.id && this.running.afterwards !== "removed") this.interrupt("held");
    }
  }

  private resume(id: string | undefined, options: RunOptions | undefined): void {
    for (const item of this.named(id)) {
      const chosen = item.options ?? options;
      const again = item.state === "held" || (item.state === "failed" && id !== undefined);
      if (again && chosen)
        this.change(item.id, { state: "waiting", options: chosen, error: undefined, ended: undefined });
      else if (item.id === this.running?.id && this.running.afterwards !== "removed")
        this.running.afterwards = "waiting";
    }
  }

  private cancel(id: string | undefined): void {
    const out = this.named(id);
    this.items = this.items.filter((item) => item.state === "running" || !out.includes(item));
    if (out.some((item) => item.id === this.running?.id)) this.interrupt("removed");
  }

  private interrupt(afterwards: Afterwards): void {
    if (!this.running) return;
    this.running.afterwards = afterwards;
    this.running.controller.abort();
  }

  /** The item with this id; all when it is undefined. */
  private named(id: string | undefined): readonly QueueItem[] {
    return id === undefined ? this.items : this.items.filter((item) => item.id === id);
  }

  private change(id: string, change: Partial<QueueItem>): void {
    this.items = this.items.map((item) => (item.id === id ? { ...item, ...change } : item));
  }

  private next(): void {
    if (this.stopped || this.running) return;
    const item = this.items.find((one): one is ReadyItem => one.state === "waiting" && one.options !== undefined);
    if (item) void this.run(item);
  }

  private async run(item: ReadyItem): Promise<void> {
    const { id } = item;
    const started = Date.now();
    const running: Running = {
      id,
      controller: new AbortController(),
      progress: undefined,
      text: "",
      afterwards: "held",
    };
    this.running = running;
    this.change(id, { state: "running", interrupted: false, started, ended: undefined, error: undefined });
    const outcome = await this.outcomeOf(item, running);
    this.running = undefined;
    if (this.stopped) return;
    if ("result" in outcome) {
      const ended = Date.now();
      this.results.set(item.path, { started, ended, options: item.options, result: outcome.result, answers: [] });
      this.change(id, { state: "done", ended });
    } else this.stoppedWith(outcome.error, item, running.afterwards);
    const now = this.items.find((one) => one.id === id);
    if (now && (now.state === "done" || now.error)) this.parts.ended(now);
    await this.commit();
  }

  private async outcomeOf(
    item: ReadyItem,
    running: Running,
  ): Promise<{ result: SummaryResult } | { error: WireError }> {
    const { signal } = running.controller;
    try {
      const result = await this.parts.summarize(item, {
        signal,
        onProgress: (progress) => {
          running.progress = progress;
          this.parts.onProgress(item.id, progress);
        },
        onText: (text) => {
          running.text += text;
          this.parts.onText(item.id, text);
        },
      });
      return { result };
    } catch (thrown) {
      return { error: signal.aborted ? cancelled() : wireError(thrown) };
    }
  }

  private stoppedWith(error: WireError, { id }: ReadyItem, afterwards: Afterwards): void {
    if (error.code === "cancelled" && afterwards === "removed") {
      this.items = this.items.filter((item) => item.id !== id);
    } else if (error.code === "cancelled") {
      this.change(id, { state: afterwards === "waiting" ? "waiting" : "held" });
    } else if (forEveryDocument.has(error.code)) {
      this.hold(undefined);
      this.change(id, { state: "held", error });
    } else this.change(id, { state: "failed", ended: Date.now(), error });
  }

  /** Starts what is next, then shows and saves the list as it now is. */
  private async commit(): Promise<void> {
    this.next();
    this.parts.changed(this.current());
    await this.save();
  }

  private current(): QueueState {
    const { items, running, unsaved } = this;
    return {
      items: [...items],
      running: running && {
        id: running.id,
        progress: running.progress,
        text: running.text,
        stopping: running.controller.signal.aborted,
      },
      unsaved,
    };
  }

  /** Takes up what the last start has left: nothing of it goes on before the user says so. */
  private async restore(): Promise<void> {
    const left = (await this.parts.load()).map((item) =>
      isOpen(item)
        ? { ...item, state: "held" as const, interrupted: item.interrupted || item.state === "running" }
        : item,
    );
    this.restored = true;
    const added = new Set(this.items.map(({ path }) => path));
    this.items = [...left.filter(({ path }) => !added.has(path)), ...this.items];
    this.parts.changed(this.current());
  }

  /** Saves the list as it is once the save before has ended: several changes meanwhile are saved together. */
  private save(): Promise<void> {
    this.nextSave ??= this.saving.then(async () => {
      this.nextSave = undefined;
      try {
        // What could not be read must not be overwritten.
        if (!this.restored) await this.restore();
        await this.parts.save(this.items);
        this.say(undefined);
      } catch (thrown) {
        this.say(thrown);
      }
    });
    this.saving = this.nextSave;
    return this.nextSave;
  }

  /** Says why the list is not saved, or that it is again. */
  private say(thrown: unknown): void {
    const before = this.unsaved;
    this.unsaved = thrown === undefined ? undefined : wireError(thrown);
    if (this.unsaved?.message !== before?.message && !this.stopped) this.parts.changed(this.current());
  }
}

/**
 * Answers the window's commands. Every message is checked twice: that our own page sent it, and that it has the
 * contract's form. Electron's parts are handed in, so that tests run without Electron.
 */

import { PrecisError } from "../core/errors.js";
import type { Machine } from "../core/estimate/machine.js";
import type { LibraryApi } from "../core/library/requests.js";
import { exportSummaries, suggestedName } from "./batch.js";
import { channelOf } from "./bridge.js";
import {
  type Answer,
  type Clearable,
  type CommandInput,
  type CommandName,
  type CommandOutput,
  commandNames,
  commands,
  type EventData,
  type EventName,
  type ExportFormat,
  type Outcome,
  type PdfData,
  type PdfPart,
  type Settings,
  type SettingsChange,
  type StorageUse,
  type StoredRun,
  type Summarised,
  type SummaryToCopy,
} from "./contract.js";
import { mostListed } from "./core.js";
import type { OpenDocuments } from "./documents.js";
import { t } from "./language.js";
import type { Models } from "./models.js";
import { isTrustedSender } from "./origin.js";
import type { Queue } from "./queue.js";
import type { SettingsFile } from "./settings-file.js";
import type { Call, Summarizer } from "./summarizer.js";
import { wireError } from "./wire-error.js";

export interface IpcParts {
  readonly summarizer: Summarizer;
  readonly documents: OpenDocuments;
  readonly queue: Pick<Queue, "state" | "perform" | "lastRun" | "forget">;
  readonly library: LibraryApi;
  /** What is kept on this computer takes how much, once what `clear` names is deleted. */
  storage(clear?: Clearable): Promise<StorageUse>;
  readonly models: Pick<Models, "list" | "download" | "verify" | "pause" | "discard" | "add" | "delete">;
  readonly settings: Pick<SettingsFile, "current" | "notice">;
  changeSettings(change: SettingsChange): Settings;
  /** Files named when the app was started; handed out once. */
  takeFiles(): string[];
  readonly sample: string;
  machine(): Machine;
  chooseFiles(): Promise<string[]>;
  chooseFolder(): Promise<string | undefined>;
  chooseModelFile(): Promise<string | undefined>;
  /** Bytes of a PDF; undefined for other files, of which nothing is read out. */
  pdfPart(path: string, start: number, end: number): Promise<PdfPart | undefined>;
  pdfData(wanted: PdfData): Promise<Uint8Array>;
  /** Codes of the languages that a folder holds recognition data for. */
  scanLanguages(folder: string): Promise<string[]>;
  /** Where to save, from the system's dialog; undefined when dismissed. */
  chooseTarget(suggestion: string, format: ExportFormat): Promise<string | undefined>;
  writeSummary(path: string, format: ExportFormat, summarised: Summarised): Promise<void>;
  summaryToCopy(summarised: Summarised): Promise<SummaryToCopy>;
  printSummary(summarised: Summarised): Promise<boolean>;
  showLog(): void;
  send<Name extends EventName>(name: Name, data: EventData<Name>): void;
}

export type Handlers = {
  readonly [Name in CommandName]: (input: CommandInput<Name>) => Promise<CommandOutput<Name>> | CommandOutput<Name>;
};

/** The commands' work, with the state it needs: running calls and the last summary of each open document. */
export function createHandlers(parts: IpcParts): Handlers {
  const running = new Map<string, AbortController>();
  const finished = new Map<string, Summarised>();

  async function track<Value>(runId: string, work: (call: Call) => Promise<Value>): Promise<Value> {
    const controller = new AbortController();
    running.set(runId, controller);
    try {
      return await work({
        signal: controller.signal,
        onProgress: (progress) => parts.send("progress", { runId, progress }),
        onText: (text) => parts.send("text", { runId, text }),
      });
    } finally {
      running.delete(runId);
    }
  }

  function summaryOf(documentId: string): Summarised {
    const summarised = finished.get(documentId);
    if (summarised) return summarised;
    throw new PrecisError("usage", t("errors.noSummary"), t("errors.startFirst"));
  }

  /** Changes the answers to a document's summary, as they are exported; the library has its own. */
  function answered(documentId: string, change: (answers: readonly Answer[]) => Answer[]): void {
    const summarised = finished.get(documentId);
    if (summarised) finished.set(documentId, { ...summarised, answers: change(summarised.answers) });
  }

  /** The library's, which has its answers; the queue's where the library could not take it. */
  async function lastRun(path: string): Promise<StoredRun | undefined> {
    const queued = parts.queue.lastRun(path);
    if (!queued) return parts.library.lastRun(path);
    const stored = await parts.library.lastRun(path).catch(() => undefined);
    // One run at a time: what ended after this one began is this one.
    return stored && stored.ended >= queued.started ? stored : queued;
  }

  return {
    hello: () => ({
      files: parts.takeFiles(),
      sample: parts.sample,
      machine: parts.machine(),
      settings: parts.settings.current,
      settingsNotice: parts.settings.notice,
    }),
    changeSettings: (change) => parts.changeSettings(change),
    modelsList: () => parts.models.list(),
    downloadModel: ({ id }) => parts.models.download(id),
    verifyModel: ({ id }) => parts.models.verify(id),
    pauseModel: ({ id }) => parts.models.pause(id),
    discardModel: ({ id }) => parts.models.discard(id),
    chooseModelFile: () => parts.chooseModelFile(),
    addModel: ({ path }) => parts.models.add(path),
    deleteModel: ({ id }) => parts.models.delete(id),
    chooseFiles: () => parts.chooseFiles(),
    loadModel: ({ runId }) => track(runId, (call) => parts.summarizer.loadModel(call)),
    openDocument: ({ runId, documentId, path, recognition }) =>
      track(runId, (call) => parts.documents.show(documentId, path, recognition, call)),
    pageTexts: ({ documentId, first, last }) => parts.summarizer.pageTexts(documentId, first, last),
    pdfPart: ({ path, start, end }) => parts.pdfPart(path, start, end),
    pdfData: (wanted) => parts.pdfData(wanted),
    chooseScanFolder: () => parts.chooseFolder(),
    scanLanguages: ({ folder }) => parts.scanLanguages(folder),
    closeDocument: ({ documentId }) => {
      finished.delete(documentId);
      return parts.documents.close(documentId);
    },
    queueState: () => parts.queue.state(),
    queue: (request) => parts.queue.perform(request),
    forecast: ({ runId, documentId, further, options }) =>
      track(runId, (call) => parts.summarizer.forecast(documentId, options, call, further)),
    ask: async ({ runId, documentId, options, from }) => {
      const asked = Date.now();
      const result = await track(runId, (call) => parts.summarizer.ask(documentId, runId, options, from, call));
      const answer: Answer = { id: runId, asked, question: options.question ?? "", from, result };
      answered(documentId, (answers) => [...answers, answer]);
      return result;
    },
    removeAnswer: async ({ documentId, answerId }) => {
      await parts.library.removeAnswer(answerId);
      answered(documentId, (answers) => answers.filter(({ id }) => id !== answerId));
    },
    libraryList: ({ tag }) => parts.library.list(mostListed, tag),
    librarySearch: ({ query, tag }) => parts.library.search(query, mostListed, tag),
    libraryTag: ({ path, ...change }) => parts.library.tag(path, change),
    libraryRuns: ({ path }) => parts.library.runs(path),
    libraryRun: ({ id }) => parts.library.storedRun(id),
    storage: ({ clear }) => parts.storage(clear),
    storedRun: async ({ documentId, path }) => {
      const run = await lastRun(path);
      if (run) finished.set(documentId, run);
      return run;
    },
    libraryRemove: async ({ path }) => {
      await parts.queue.forget(path);
      return parts.library.remove(path);
    },
    cancel: ({ runId }) => running.get(runId)?.abort(),
    exportSummary: async ({ documentId, format }) => {
      const summarised = summaryOf(documentId);
      const target = await parts.chooseTarget(suggestedName(summarised.result.document.path, format), format);
      if (target !== undefined) await parts.writeSummary(target, format, summarised);
      return target;
    },
    exportSummaries: async ({ paths, format }) => {
      const folder = await parts.chooseFolder();
      if (folder === undefined) return undefined;
      return exportSummaries(paths, format, folder, { lastRun, writeSummary: parts.writeSummary });
    },
    summaryToCopy: ({ documentId }) => parts.summaryToCopy(summaryOf(documentId)),
    printSummary: ({ documentId }) => parts.printSummary(summaryOf(documentId)),
    showLog: () => parts.showLog(),
  };
}

/** The part of an invoke event that the sender check reads. */
interface Sender {
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

/** One command from a sender we do not trust yet, answered as a value whatever happens. */
export async function answer<Name extends CommandName>(
  handlers: Handlers,
  name: Name,
  event: Sender,
  input: unknown,
): Promise<Outcome<CommandOutput<Name>>> {
  try {
    if (!isTrustedSender(event.senderFrame)) {
      throw new PrecisError("usage", t("errors.foreignPage"));
    }
    const parsed = commands[name].input.safeParse(input);
    if (!parsed.success) {
      throw new PrecisError("usage", t("errors.badCommand", { name }), t("errors.restart"), {
        cause: parsed.error,
      });
    }
    return { ok: true, value: await handlers[name](parsed.data as CommandInput<Name>) };
  } catch (thrown) {
    return { ok: false, error: wireError(thrown) };
  }
}

interface InvokeRegistry {
  handle(channel: string, listener: (event: Sender, input: unknown) => Promise<unknown>): void;
}

export function registerIpc(ipcMain: InvokeRegistry, handlers: Handlers): void {
  for (const name of commandNames) {
    ipcMain.handle(channelOf(name), (event, input) => answer(handlers, name, event, input));
  }
}

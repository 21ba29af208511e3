/**
 * The one contract between the window and the main process: commands the window may call, events it may hear.
 * `window.precis` (electron/preload.ts), the handlers (electron/ipc.ts) and the renderer's types all derive from it.
 */
import * as z from "zod";
import type { Machine } from "../core/estimate/machine.js";
import {
  type LibraryEntry,
  type LibraryHit,
  type LibraryList,
  type ListedRun,
  type QueueItem,
  queueItemSchema,
  type StoredRun,
} from "../core/library/entries.js";
import { tagSchema } from "../core/library/requests.js";
import type { Forecast } from "../core/summarize/forecast.js";
import type { Answer, Coverage, Retention, SummaryResult } from "../core/summarize/result.js";
import {
  type AnswerSource,
  answerSourceSchema,
  type Clearable,
  clearableSchema,
  type DocumentSummary,
  type ModelSummary,
  type PageText,
  type Progress,
  progressSchema,
  questionOptionsSchema,
  type Recognition,
  type RunOptions,
  recognitionSchema,
  runOptionsSchema,
  type StorageUse,
  type WireError,
  wireErrorSchema,
} from "../core/worker/protocol.js";
import type { WindowModel } from "./models.js";
import { type Settings, settingsChangeSchema, settingsSchema } from "./settings.js";

export type { Settings, SettingsChange } from "./settings.js";
export type {
  Answer,
  AnswerSource,
  Clearable,
  Coverage,
  DocumentSummary,
  Forecast,
  LibraryEntry,
  LibraryHit,
  LibraryList,
  ListedRun,
  Machine,
  ModelSummary,
  PageText,
  Progress,
  QueueItem,
  Recognition,
  Retention,
  RunOptions,
  StorageUse,
  StoredRun,
  SummaryResult,
  WindowModel,
  WireError,
};

// The page's content security policy forbids eval; zod would otherwise probe for it and log a violation.
z.config({ jitless: true });

const id = z.string().min(1).max(64);
const path = z.string().min(1).max(4_096);
const modelId = z.string().min(1).max(300);

/** What goes on with a model. */
export const modelActivitySchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("downloading"),
    stage: z.enum(["connecting", "receiving", "checking"]),
    bytes: z.number(),
    totalBytes: z.number(),
    remainingMs: z.number().optional(),
  }),
  z.object({ kind: z.literal("verifying"), fraction: z.number() }),
  /** Every byte was right. */
  z.object({ kind: z.literal("verified") }),
  z.object({ kind: z.literal("failed"), error: wireErrorSchema }),
]);
export type ModelActivity = z.infer<typeof modelActivitySchema>;

export const exportFormatSchema = z.enum(["pdf", "docx", "html", "md", "json"]);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

/** What the window asks of the queue; without an id, of everything in it. */
export const queueRequestSchema = z.discriminatedUnion("what", [
  /** Puts documents at its end. With options they wait for their turn, without they are held until they are let go on. */
  z.object({
    what: z.literal("add"),
    items: z
      .array(z.object({ id, path, further: z.array(path).max(100).optional() }))
      .min(1)
      .max(10_000),
    options: runOptionsSchema.optional(),
    recognition: recognitionSchema,
  }),
  /** Moves one before another; to the end when there is no other. */
  z.object({ what: z.literal("move"), id, before: id.optional() }),
  /** Holds what waits, and stops what runs: it goes on later where it was, or with the part that it was at. */
  z.object({ what: z.literal("hold"), id: id.optional() }),
  /** Lets go on what is held, and one that failed when it is named; `options` are for those that have none yet. */
  z.object({ what: z.literal("resume"), id: id.optional(), options: runOptionsSchema.optional() }),
  /** Takes out of the queue, whatever its state. */
  z.object({ what: z.literal("cancel"), id: id.optional() }),
]);
export type QueueRequest = z.infer<typeof queueRequestSchema>;

export const queueStateSchema = z.object({
  items: z.array(queueItemSchema),
  running: z.object({ id, progress: progressSchema.optional(), text: z.string(), stopping: z.boolean() }).optional(),
  /** Why the queue will not be there at the next start. */
  unsaved: wireErrorSchema.optional(),
});
export type QueueState = z.infer<typeof queueStateSchema>;

/** The most bytes of a PDF that are handed out at a time. */
const mostPdfBytes = 2 ** 23;

export interface PdfPart {
  /** Of the whole file. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** Character maps of East Asian fonts, and the fonts that PDF files need not bring along. */
export const pdfDataSchema = z.object({
  folder: z.enum(["cmaps", "standard_fonts"]),
  name: z.string().regex(/^[\w-]{1,60}\.(bcmap|pfb|ttf)$/),
});
export type PdfData = z.infer<typeof pdfDataSchema>;

/** What came of saving several summaries. */
export interface ExportedSummaries {
  readonly folder: string;
  /** Names of the files. */
  readonly written: readonly string[];
  readonly failed: readonly { readonly path: string; readonly error: WireError }[];
}

/** A summary, and what was asked about it. */
export type Summarised = Pick<StoredRun, "result" | "answers">;

export interface SummaryToCopy {
  readonly html: string;
  readonly text: string;
}

/** What the window sends (checked at run time by main) and, for the compiler alone, what it gets back. */
interface Command<Input extends z.ZodType, Output> {
  readonly input: Input;
  readonly output?: (value: Output) => Output;
}

/** `command(input)<Output>()`: in two steps, because TypeScript infers all type arguments or none. */
const command =
  <Input extends z.ZodType>(input: Input) =>
  <Output>(): Command<Input, Output> => ({ input });

export const commands = {
  /** Called once when the window is up: files from the command line, the bundled sample, the computer, the settings. */
  hello: command(z.undefined())<{
    files: string[];
    sample: string;
    machine: Machine;
    settings: Settings;
    /** Why some of them are as at first. */
    settingsNotice: string | undefined;
  }>(),
  /** The system's open dialog; empty when dismissed. */
  chooseFiles: command(z.undefined())<string[]>(),
  /** Takes effect at once, and is written soon. */
  changeSettings: command(settingsChangeSchema)<Settings>(),
  /** The chosen model; loads it when another one is loaded. */
  loadModel: command(z.object({ runId: id }))<ModelSummary>(),
  modelsList: command(z.undefined())<WindowModel[]>(),
  /** Begins or goes on; "modelActivity" events tell how it fares. So they do of `verifyModel`. */
  downloadModel: command(z.object({ id: modelId }))<void>(),
  verifyModel: command(z.object({ id: modelId }))<void>(),
  /** Stops a download or a check; what has come is kept. */
  pauseModel: command(z.object({ id: modelId }))<void>(),
  /** Stops a download, and deletes what has come. */
  discardModel: command(z.object({ id: modelId }))<void>(),
  /** The system's dialog for a GGUF file; undefined when dismissed. */
  chooseModelFile: command(z.undefined())<string | undefined>(),
  /** Puts a GGUF file into the list: its id there. */
  addModel: command(z.object({ path }))<string>(),
  /** Deletes a model's file, or takes an added one out of the list: what was done, in words. */
  deleteModel: command(z.object({ id: modelId }))<string>(),
  /** "progress" events with this run id come before the answer; they count scanned pages while those are recognised. */
  openDocument: command(
    z.object({ runId: id, documentId: id, path, recognition: recognitionSchema.optional() }),
  )<DocumentSummary>(),
  /** The text of some pages of an open document, as far as there are any; at most a thousand at a time. */
  pageTexts: command(
    z
      .object({ documentId: id, first: z.number().int().min(1), last: z.number().int() })
      .refine(({ first, last }) => last - first < 1_000),
  )<PageText[]>(),
  /** Bytes of a PDF from `start` up to `end`; undefined for files of other kinds, of which the window gets none. */
  pdfPart: command(
    z
      .object({ path, start: z.number().int().nonnegative(), end: z.number().int() })
      .refine(({ start, end }) => end > start && end - start <= mostPdfBytes),
  )<PdfPart | undefined>(),
  /** A file of pdf.js' own data. */
  pdfData: command(pdfDataSchema)<Uint8Array>(),
  /** The system's dialog for the folder with data to recognise languages; undefined when dismissed. */
  chooseScanFolder: command(z.undefined())<string | undefined>(),
  /** Tesseract's codes of the languages that scanned pages can be recognised in, with the data of `folder`. */
  scanLanguages: command(z.object({ folder: path }))<string[]>(),
  closeDocument: command(z.object({ documentId: id }))<void>(),
  /** The documents that are summarised one after the other; a "queueChanged" event tells each change. */
  queueState: command(z.undefined())<QueueState>(),
  /** While one runs, "progress" and "text" events have its id as run id. */
  queue: command(queueRequestSchema)<void>(),
  /** What a summary of an open document would take, or one of it and further ones together; it can be cancelled. */
  forecast: command(
    z.object({ runId: id, documentId: id, further: z.array(id).max(100).optional(), options: runOptionsSchema }),
  )<Forecast>(),
  /**
   * Answers `options.question` about a document that is open; "progress" and "text" events come before. The answer is
   * kept with the document's last summary, under the run's id.
   */
  ask: command(
    z.object({ runId: id, documentId: id, options: questionOptionsSchema, from: answerSourceSchema }),
  )<SummaryResult>(),
  /** Deletes an answer for good. */
  removeAnswer: command(z.object({ documentId: id, answerId: id }))<void>(),
  /** The documents that were opened last, whether they are open now or not; those with a tag. Every tag there is. */
  libraryList: command(z.object({ tag: tagSchema.optional() }))<LibraryList>(),
  /** Those of which a page or a summary has all the words of `query`. */
  librarySearch: command(z.object({ query: z.string().max(1_000), tag: tagSchema.optional() }))<LibraryHit[]>(),
  /** Puts a tag on a document, or takes one off: its tags then. */
  libraryTag: command(z.object({ path, add: tagSchema.optional(), remove: tagSchema.optional() }))<string[]>(),
  /** A document's finished runs, the last first. */
  libraryRuns: command(z.object({ path }))<ListedRun[]>(),
  /** One of them whole; undefined when it has been deleted. */
  libraryRun: command(z.object({ id: z.number().int() }))<StoredRun | undefined>(),
  /** What the library and the caches take on this computer, once what `clear` names is deleted. */
  storage: command(z.object({ clear: clearableSchema.optional() }))<StorageUse>(),
  /** The last finished run of a document's file; it can then be exported like a new one. */
  storedRun: command(z.object({ documentId: id, path }))<StoredRun | undefined>(),
  /** Deletes a document's text and summaries from the library for good; false when they were not there. */
  libraryRemove: command(z.object({ path }))<boolean>(),
  /** The run then fails with "cancelled". Cancelling what has ended does nothing. */
  cancel: command(z.object({ runId: id }))<void>(),
  /** Saves the document's last finished summary through the system's dialog: its path, undefined when dismissed. */
  exportSummary: command(z.object({ documentId: id, format: exportFormatSchema }))<string | undefined>(),
  /**
   * Saves the last summary of each document into a folder, through the system's dialog; undefined when dismissed. No
   * file is overwritten.
   */
  exportSummaries: command(z.object({ paths: z.array(path).min(1).max(1_000), format: exportFormatSchema }))<
    ExportedSummaries | undefined
  >(),
  /** That summary for the clipboard: HTML for programs that take rich text, Markdown for those that do not. */
  summaryToCopy: command(z.object({ documentId: id }))<SummaryToCopy>(),
  /** Prints it through the system's dialog; false when dismissed. */
  printSummary: command(z.object({ documentId: id }))<boolean>(),
  /** Shows the file of what went wrong, in the system's file manager. */
  showLog: command(z.undefined())<void>(),
} as const;

export const events = {
  progress: z.object({ runId: id, progress: progressSchema }),
  text: z.object({ runId: id, text: z.string() }),
  /** The queue, or what runs in it, is now another. */
  queueChanged: queueStateSchema,
  /** The worker ended by itself. If it was restarted, the new one knows neither model nor documents yet. */
  workerDied: z.object({ error: wireErrorSchema, restarted: z.boolean() }),
  /** Without an activity, or when one has ended, the list of models is another. */
  modelActivity: z.object({ id: modelId, activity: modelActivitySchema.optional() }),
  /** They were changed from outside the window, such as zoom from the menu. */
  settings: settingsSchema,
  /** Something about the settings that the user should know. */
  settingsProblem: wireErrorSchema,
  /** Files that a second start, the dock or the menu asked for. */
  openFiles: z.object({ paths: z.array(path) }),
  /** A menu item that acts inside the window. */
  menu: z.object({
    item: z.enum([
      "start",
      "cancel",
      "export",
      "print",
      "copy",
      "shortcuts",
      "scan-languages",
      "find",
      "find-in-document",
      "models",
      "settings",
      "palette",
      "storage",
      "export-several",
    ]),
  }),
} as const;

export type CommandName = keyof typeof commands;
export type EventName = keyof typeof events;
export type CommandInput<Name extends CommandName> = z.infer<(typeof commands)[Name]["input"]>;
export type CommandOutput<Name extends CommandName> =
  (typeof commands)[Name] extends Command<z.ZodType, infer Output> ? Output : never;
export type EventData<Name extends EventName> = z.infer<(typeof events)[Name]>;

/** Errors cross as values: Electron would keep only an exception's message. */
export type Outcome<Value> = { ok: true; value: Value } | { ok: false; error: WireError };

export const commandNames = Object.keys(commands) as CommandName[];
export const eventNames = Object.keys(events) as EventName[];

type Callable<Name extends CommandName> =
  undefined extends CommandInput<Name>
    ? () => Promise<Outcome<CommandOutput<Name>>>
    : (input: CommandInput<Name>) => Promise<Outcome<CommandOutput<Name>>>;

/** What the preload puts on `window.precis`. */
export type PrecisApi = { readonly [Name in CommandName]: Callable<Name> } & {
  /** Listens to an event; the answer stops listening. */
  on<Name extends EventName>(name: Name, listener: (data: EventData<Name>) => void): () => void;
  /** The real path of a dropped or chosen file; "" when it has none. */
  pathForFile(file: File): string;
};

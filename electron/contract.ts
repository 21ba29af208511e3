/**
 * The one contract between the window and the main process: commands the window may call, events it may hear.
 * `window.precis` (electron/preload.ts), the handlers (electron/ipc.ts) and the renderer's types all derive from it.
 */
import { z } from "zod";
import type { LibraryEntry, LibraryHit, LibraryList, StoredRun } from "../core/library/entries.js";
import type { Coverage, SummaryResult } from "../core/summarize/result.js";
import {
  type AnswerSource,
  answerSourceSchema,
  type DocumentSummary,
  errorSchema,
  type ModelSummary,
  type Progress,
  progressSchema,
  questionOptionsSchema,
  type Recognition,
  type RunOptions,
  recognitionSchema,
  runOptionsSchema,
  type WireError,
} from "../core/worker/protocol.js";
import type { WindowModel } from "./models.js";
import { type Settings, settingsChangeSchema, settingsSchema } from "./settings.js";

// What the window needs of core comes through here: the window imports nothing else of it.
export { coverageStretches, type How, SURE } from "../core/documents/coverage.js";
export { fullKvBytes } from "../core/estimate/estimate.js";
export { formatBytes, formatDuration } from "../core/format.js";
export { type Block, type Inline, proseOf } from "../core/report/prose.js";
export { planRun } from "../core/summarize/plan.js";
export { savedCacheWords } from "../core/summarize/result.js";
export { firstSettings, type Settings, type SettingsChange, settingsSchema, zooms } from "./settings.js";
export type {
  AnswerSource,
  Coverage,
  DocumentSummary,
  LibraryEntry,
  LibraryHit,
  LibraryList,
  ModelSummary,
  Progress,
  Recognition,
  RunOptions,
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
  z.object({ kind: z.literal("failed"), error: errorSchema }),
]);
export type ModelActivity = z.infer<typeof modelActivitySchema>;

/** Of lists and searches of the library: as many as a person looks through. */
export const mostListed = 50;

export const exportFormatSchema = z.enum(["pdf", "docx", "html", "md", "json"]);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

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
  /** Called once when the window is up: files from the command line, the bundled sample, the settings. */
  hello: command(z.undefined())<{
    files: string[];
    sample: string;
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
  /** The system's dialog for the folder with data to recognise languages; undefined when dismissed. */
  chooseScanFolder: command(z.undefined())<string | undefined>(),
  /** Tesseract's codes of the languages that scanned pages can be recognised in, with the data of `folder`. */
  scanLanguages: command(z.object({ folder: path }))<string[]>(),
  closeDocument: command(z.object({ documentId: id }))<void>(),
  /** "progress" and "text" events with this run id come before the answer. */
  summarize: command(z.object({ runId: id, documentId: id, options: runOptionsSchema }))<SummaryResult>(),
  /** Answers `options.question` about a document that is open; events as of `summarize`. */
  ask: command(
    z.object({ runId: id, documentId: id, options: questionOptionsSchema, from: answerSourceSchema }),
  )<SummaryResult>(),
  /** The documents that were opened last, whether they are open now or not. */
  libraryList: command(z.undefined())<LibraryList>(),
  /** Those of which a page or a summary has all the words of `query`. */
  librarySearch: command(z.object({ query: z.string().max(1_000) }))<LibraryHit[]>(),
  /** The last finished run of a document's file, as the library keeps it; it can then be exported like a new one. */
  storedRun: command(z.object({ documentId: id, path }))<StoredRun | undefined>(),
  /** Deletes a document's text and summaries from the library for good; false when they were not there. */
  libraryRemove: command(z.object({ path }))<boolean>(),
  /** The run then fails with "cancelled". Cancelling what has ended does nothing. */
  cancel: command(z.object({ runId: id }))<void>(),
  /** Saves the document's last finished summary through the system's dialog: its path, undefined when dismissed. */
  exportSummary: command(z.object({ documentId: id, format: exportFormatSchema }))<string | undefined>(),
  /** That summary for the clipboard: HTML for programs that take rich text, Markdown for those that do not. */
  summaryToCopy: command(z.object({ documentId: id }))<SummaryToCopy>(),
  /** Prints it through the system's dialog; false when dismissed. */
  printSummary: command(z.object({ documentId: id }))<boolean>(),
} as const;

export const events = {
  progress: z.object({ runId: id, progress: progressSchema }),
  text: z.object({ runId: id, text: z.string() }),
  /** The worker ended by itself. If it was restarted, the new one knows neither model nor documents yet. */
  workerDied: z.object({ error: errorSchema, restarted: z.boolean() }),
  /** Without an activity, or when one has ended, the list of models is another. */
  modelActivity: z.object({ id: modelId, activity: modelActivitySchema.optional() }),
  /** They were changed from outside the window, such as zoom from the menu. */
  settings: settingsSchema,
  /** Something about the settings that the user should know. */
  settingsProblem: errorSchema,
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
      "models",
      "settings",
      "palette",
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
export const channelOf = (name: CommandName | EventName) => `precis:${name}`;

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

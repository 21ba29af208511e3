/** The worker's work, as the rest of the main process asks for it; electron/worker.ts does it, tests do as they like. */
import type {
  AnswerSource,
  DocumentSummary,
  Forecast,
  ModelSummary,
  PageText,
  Progress,
  Recognition,
  RunOptions,
  SummaryResult,
} from "./contract.js";

/** A long call's company: its cancellation and what it reports on the way. */
export interface Call {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  readonly onText: (text: string) => void;
}

/** What the worker does for the window. */
export interface Summarizer {
  loadModel(call: Call): Promise<ModelSummary>;
  open(documentId: string, path: string, recognition: Recognition | undefined, call: Call): Promise<DocumentSummary>;
  pageTexts(documentId: string, first: number, last: number): Promise<PageText[]>;
  close(documentId: string): Promise<void>;
  /** @param further open documents that are summarised together with it */
  summarize(documentId: string, options: RunOptions, call: Call, further?: string[]): Promise<SummaryResult>;
  forecast(documentId: string, options: RunOptions, call: Call, further?: string[]): Promise<Forecast>;
  /** @param answerId under which the library keeps the answer */
  ask(
    documentId: string,
    answerId: string,
    options: RunOptions,
    from: AnswerSource,
    call: Call,
  ): Promise<SummaryResult>;
}

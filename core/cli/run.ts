/** What `summarize` and `ask` do: one model, one file after the other. */
import { extname, join } from "node:path";
import { coverageWords } from "../documents/coverage.js";
import type { SourceDocument } from "../documents/document.js";
import type { RecognitionOptions } from "../documents/ocr.js";
import { openDocument } from "../documents/open.js";
import { CacheStore } from "../engine/cache-store.js";
import type { Engine } from "../engine/types.js";
import { cancelled, PrecisError, toPrecisError } from "../errors.js";
import { formatBytes, formatDuration, formatShare } from "../format.js";
import { findModel } from "../models/models.js";
import { cacheFolder } from "../models/paths.js";
import { summaryMarkdown } from "../report/markdown.js";
import { writeFileAtomically } from "../report/write.js";
import type { RunOptions } from "../summarize/options.js";
import type { SummaryResult } from "../summarize/result.js";
import { type SummaryProgress, summarizeDocument } from "../summarize/summarize.js";
import { cancelOnSignals } from "./cancel.js";
import { loadEngine } from "./engine.js";
import { exitCodeOf, Output, ProgressView, printError } from "./terminal.js";
import { type RunFlags, recognitionOptions, runOptions } from "./usage.js";

const REPORTS: Readonly<Record<string, (result: SummaryResult) => string>> = {
  ".md": (result) => summaryMarkdown(result),
  ".json": (result) => `${JSON.stringify(result, null, 2)}\n`,
};

interface Run {
  readonly flags: RunFlags;
  readonly options: RunOptions;
  readonly recognition: RecognitionOptions;
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly view: ProgressView;
}

/**
 * Answers each file on its own: one that fails is reported and the next one is read.
 * @returns the process's exit code
 */
export async function runFiles(files: readonly string[], flags: RunFlags, question?: string): Promise<number> {
  const options = runOptions(flags, question);
  const recognition = recognitionOptions(flags);
  checkOut(files, flags.out);
  const controller = cancelOnSignals();
  let readerGone = false;
  const output = new Output(() => {
    readerGone = true;
    // The answer may still be wanted in a file.
    if (flags.out === undefined) controller.abort();
  });
  const view = ProgressView.for(flags.quiet === true);
  const run: Run = { flags, options, recognition, signal: controller.signal, output, view };
  let code: number;
  try {
    code = await answerAll(files, run);
  } catch (thrown) {
    const error = toPrecisError(thrown);
    view.clear();
    if (!readerGone) printError(error);
    code = exitCodeOf(error);
  }
  await output.flush();
  return readerGone && code === 130 ? 0 : code;
}

/** Loads the model and answers; the model is disposed before it returns, or the process would abort at its end. */
async function answerAll(files: readonly string[], run: Run): Promise<number> {
  const { signal, view } = run;
  const { id, path } = await findModel(run.flags.model);
  // the first file is read while the model loads; what is wrong with it is said in its turn
  const first = reading(files[0] as string, run);
  const started = performance.now();
  const onProgress = (fraction: number) => view.update({ stage: "Loading model", fraction });
  const engine = await loadEngine(path, id, { signal, onProgress, gpuLayers: run.flags.gpuLayers });
  const loadMs = performance.now() - started;
  try {
    let code = 0;
    for (const [index, file] of files.entries()) {
      if (files.length > 1) view.note(`${index > 0 ? "\n" : ""}${file}`);
      try {
        await answerFile(engine, index === 0 ? first : reading(file, run), loadMs, run);
      } catch (thrown) {
        const error = toPrecisError(thrown);
        if (error.code === "cancelled") throw error;
        view.clear();
        printError(error, files.length > 1 ? file : undefined);
        code = Math.max(code, exitCodeOf(error));
      }
    }
    return code;
  } finally {
    await engine.dispose();
  }
}

/** A file that is being read, with its progress where that takes long. */
interface OpeningFile {
  readonly opened: Promise<{ readonly document: SourceDocument; readonly readMs: number }>;
  /** Takes up progress; until it is set, the bar is somebody else's. */
  onProgress?: (fraction: number) => void;
}

/** Opens a file at once; a failure waits until somebody asks for it. */
function reading(file: string, { recognition, signal }: Run): OpeningFile {
  const started = performance.now();
  const onProgress = (done: number, total: number) => opening.onProgress?.(done / total);
  const opened = openDocument(file, { signal, onProgress, recognition }).then((document) => ({
    document,
    readMs: performance.now() - started,
  }));
  opened.catch(() => {});
  const opening: OpeningFile = { opened };
  return opening;
}

async function answerFile(engine: Engine, opening: OpeningFile, loadMs: number, run: Run): Promise<void> {
  const { flags, output, signal, view } = run;
  opening.onProgress = (fraction) => view.update({ stage: "Recognising", fraction });
  const { document, readMs } = await opening.opened;
  if (signal.aborted) throw cancelled();
  for (const warning of document.warnings) view.warn(warning);

  let written = "";
  const result = await summarizeDocument(engine, document, run.options, {
    signal,
    loadMs,
    readMs,
    caches: flags.cache ? new CacheStore(join(cacheFolder(), "caches")) : undefined,
    onProgress: (progress) => showProgress(view, progress, flags.json === true),
    onText: (text) => {
      if (flags.json) return;
      if (written === "") view.clear();
      written += text;
      output.write(text);
    },
  });
  view.clear();
  output.write(flags.json ? `${JSON.stringify(result)}\n` : "\n");
  for (const warning of result.warnings) view.warn(warning);
  view.note(summaryLine(result));
  if (flags.out !== undefined) {
    await writeFileAtomically(flags.out, reportFor(flags.out)(result));
    view.note(`Written to ${flags.out}`);
  }
}

/** Writing has no bar while the answer itself appears: the two would tear each other apart on one terminal. */
function showProgress(view: ProgressView, progress: SummaryProgress, json: boolean): void {
  if (progress.stage === "reading") view.update({ ...progress, stage: "Reading" });
  else if (json) view.update({ ...progress, stage: "Writing" });
}

function summaryLine({ document, kv, timings, model }: SummaryResult): string {
  const read = `Read ${coverageWords(document.coverage)}, ${document.tokens} tokens, with ${model.id} in ${formatDuration(timings.prefillMs + timings.compressMs)}`;
  const kept = `kept ${formatBytes(kv.retainedBytes)} of ${formatBytes(kv.fullBytes)} KV cache (${formatShare(kv.retainedBytes, kv.fullBytes)})`;
  return `${read}; ${kept}; wrote ${timings.decodeTokens} tokens in ${formatDuration(timings.decodeMs)}.`;
}

/** @throws PrecisError usage */
function checkOut(files: readonly string[], out: string | undefined): void {
  if (out === undefined) return;
  if (files.length > 1) {
    throw new PrecisError("usage", "--out takes the answer of one file.", "Name one file, or leave --out out.");
  }
  reportFor(out);
}

function reportFor(out: string): (result: SummaryResult) => string {
  const report = REPORTS[extname(out).toLowerCase()];
  if (report) return report;
  throw new PrecisError("usage", `"${out}" has a file type that cannot be written.`, "Use .md or .json.");
}

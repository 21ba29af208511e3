/** What `summarize` and `ask` do: one model, one file after the other. */
import { join } from "node:path";
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
import { fileOf } from "../report/formats.js";
import { stepStore } from "../summarize/finished.js";
import type { RunOptions } from "../summarize/options.js";
import type { SummaryResult } from "../summarize/result.js";
import { pageWords } from "../summarize/split.js";
import { type SummaryContext, type SummaryProgress, summarizeTogether } from "../summarize/summarize.js";
import { writeFileAtomically } from "../write.js";
import { cancelOnSignals } from "./cancel.js";
import { citationLines } from "./citations.js";
import { loadEngine } from "./engine.js";
import { formatFor } from "./export.js";
import { exitCodeOf, Output, ProgressView, printError } from "./terminal.js";
import { type RunFlags, recognitionOptions, runOptions } from "./usage.js";

interface Run {
  readonly flags: RunFlags;
  readonly options: RunOptions;
  readonly recognition: RecognitionOptions;
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly view: ProgressView;
}

/**
 * Answers each file on its own, or all of them together: one that fails is reported and the next one is read.
 * @returns the process's exit code
 */
export async function runFiles(files: readonly string[], flags: RunFlags, question?: string): Promise<number> {
  const options = runOptions(flags, question);
  const recognition = recognitionOptions(flags);
  const together = flags.together === true;
  checkOut(together ? 1 : files.length, flags.out);
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
    code = await answerAll(together ? [files] : files.map((file) => [file]), run);
  } catch (thrown) {
    const error = toPrecisError(thrown);
    view.clear();
    if (!readerGone) printError(error);
    code = exitCodeOf(error);
  }
  await output.flush();
  return readerGone && code === 130 ? 0 : code;
}

/**
 * Loads the model and answers; the model is disposed before it returns, or the process would abort at its end.
 * @param groups the files of each answer
 */
async function answerAll(groups: readonly (readonly string[])[], run: Run): Promise<number> {
  const { signal, view } = run;
  const { id, path } = await findModel(run.flags.model);
  // the first file is read while the model loads; what is wrong with it is said in its turn
  const first = reading(groups[0]?.[0] as string, run);
  const started = performance.now();
  const onProgress = (fraction: number) => view.update({ stage: "Loading model", fraction });
  const engine = await loadEngine(path, id, { signal, onProgress, gpuLayers: run.flags.gpuLayers });
  const loadMs = performance.now() - started;
  try {
    let code = 0;
    for (const [index, files] of groups.entries()) {
      if (groups.length > 1) view.note(`${index > 0 ? "\n" : ""}${files.join(", ")}`);
      try {
        const openings = files.map((file, at) => () => (index === 0 && at === 0 ? first : reading(file, run)));
        await answerGroup(engine, openings, loadMs, run);
      } catch (thrown) {
        const error = toPrecisError(thrown);
        if (error.code === "cancelled") throw error;
        view.clear();
        printError(error, groups.length > 1 ? files.join(", ") : undefined);
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
  readonly file: string;
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
  const opening: OpeningFile = { file, opened };
  return opening;
}

/** Opens the files of one answer one after the other, and answers. */
async function answerGroup(
  engine: Engine,
  openings: readonly (() => OpeningFile)[],
  loadMs: number,
  run: Run,
): Promise<void> {
  const { flags, output, signal, view } = run;
  const documents: SourceDocument[] = [];
  let readMs = 0;
  for (const open of openings) {
    const opening = open();
    opening.onProgress = (fraction) => view.update({ stage: "Recognising", fraction });
    const opened = await opening.opened.catch((thrown) => {
      const { code, message, next } = toPrecisError(thrown);
      // without one of them, the summary across all would be of less than was asked for
      throw openings.length === 1
        ? thrown
        : new PrecisError(code, `${opening.file}: ${message}`, next, { cause: thrown });
    });
    if (signal.aborted) throw cancelled();
    for (const warning of opened.document.warnings) view.warn(warning);
    documents.push(opened.document);
    readMs += opened.readMs;
  }

  const show = progressShower(view, flags.json === true);
  const result = await summarizeTogether(engine, documents, run.options, {
    signal,
    loadMs,
    readMs,
    ...stores(flags),
    onProgress: show,
    onText: (text) => {
      if (flags.json) return;
      view.clear();
      output.write(text);
    },
  });
  view.clear();
  output.write(flags.json ? `${JSON.stringify(result)}\n` : "\n");
  for (const warning of result.warnings) view.warn(warning);
  if (result.savedCache && result.savedCache !== "whole")
    view.note("--no-cache reads the document again, for this question.");
  for (const line of citationLines(result)) view.note(line);
  view.note(summaryLine(result));
  const { parts, document } = result;
  if (parts.length > 1 && documents.length === 1) {
    view.note(`Parts: ${parts.map(({ pages }) => pageWords(pages, document.coverage.unit)).join("; ")}.`);
  }
  if (flags.out !== undefined) {
    await writeFileAtomically(flags.out, await fileOf(result, formatFor(flags.out)));
    view.note(`Written to ${flags.out}`);
  }
}

/** Where the next run finds what this one leaves; `ask --no-cache` leaves nothing. */
function stores(flags: RunFlags): Pick<SummaryContext, "caches" | "steps" | "wholeFolder"> {
  const wholeFolder = join(cacheFolder(), "caches");
  if (flags.cache === false) return { wholeFolder };
  const steps = stepStore(join(cacheFolder(), "parts"));
  return flags.cache ? { wholeFolder, steps, caches: new CacheStore(wholeFolder) } : { wholeFolder, steps };
}

/** The plan of a document in parts, then a bar. Writing has none while the answer itself appears: the two would tear each other apart on one terminal. */
function progressShower(view: ProgressView, json: boolean): (progress: SummaryProgress) => void {
  let planShown = false;
  return ({ stage, part, ...figures }) => {
    if (part && !planShown) {
      planShown = true;
      const time = figures.remainingMs === undefined ? "" : `, about ${formatDuration(figures.remainingMs)}`;
      view.note(`Reading ${part.count} parts${time}, because ${part.why}.`);
    }
    if (stage === "reading")
      view.update({ ...figures, stage: part ? `Reading ${part.number}/${part.count}` : "Reading" });
    else if (json) view.update({ ...figures, stage: "Writing" });
  };
}

function summaryLine({ document, furtherDocuments, parts, kv, timings, model }: SummaryResult): string {
  const documents = [document, ...furtherDocuments];
  const tokens = documents.reduce((sum, one) => sum + one.tokens, 0);
  const what = documents.length > 1 ? `${documents.length} documents` : coverageWords(document.coverage);
  const cut = parts.length > documents.length ? ` in ${parts.length} parts` : "";
  const read = `Read ${what}, ${tokens} tokens${cut}, with ${model.id} in ${formatDuration(timings.prefillMs + timings.compressMs)}`;
  const kept = `kept ${formatBytes(kv.retainedBytes)} of ${formatBytes(kv.fullBytes)} KV cache (${formatShare(kv.retainedBytes, kv.fullBytes)})`;
  return `${read}; ${kept}; wrote ${timings.decodeTokens} tokens in ${formatDuration(timings.decodeMs)}.`;
}

/** @throws PrecisError usage */
function checkOut(answers: number, out: string | undefined): void {
  if (out === undefined) return;
  if (answers > 1) {
    throw new PrecisError("usage", "--out takes the answer of one file.", "Name one file, or leave --out out.");
  }
  formatFor(out);
}

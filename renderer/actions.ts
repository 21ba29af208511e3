/** What keys, menu and buttons do; one place, so that they do the same. */

import type { ExportFormat, LibraryHit, Outcome, SummaryToCopy } from "../electron/contract.js";
import { t } from "../electron/language.js";
import { openFiles } from "./open.js";
import { precis } from "./precis.js";
import { loadAgain, useApp } from "./stores/connect.js";
import { chosenDocuments, type OpenDocument, selectedDocument, useDocuments } from "./stores/documents.js";
import { useLibrary } from "./stores/library.js";
import { useModel } from "./stores/model.js";
import { useModels } from "./stores/models.js";
import { usePages } from "./stores/pages.js";
import { isOpen, useQuestions } from "./stores/questions.js";
import { dequeue, useQueue } from "./stores/queue.js";
import { isBusy, useRuns } from "./stores/runs.js";
import { becomesOne, runOptions, useSettings } from "./stores/settings.js";
import { useViews } from "./stores/views.js";
import { foundWords } from "./view/find.js";
import { errorWords } from "./view/format.js";

const selected = () => selectedDocument(useDocuments.getState());

export async function chooseFiles(): Promise<void> {
  const outcome = await precis().chooseFiles();
  if (outcome.ok) openFiles(outcome.value);
}

/** Takes files that were dropped: models into the list of models, all others as documents. */
export function takeDropped(paths: readonly string[]): void {
  const isModel = (path: string) => /\.gguf$/i.test(path);
  const models = paths.filter(isModel);
  if (models.length > 0) {
    useViews.getState().show("models");
    void useModels.getState().add(models);
  }
  const documents = paths.filter((path) => !isModel(path));
  if (documents.length > 0) openFiles(documents);
}

/** Opens a document of the library, with its last summary, and leaves the search. */
export function openStored(path: string): void {
  useLibrary.getState().search("");
  useDocuments.getState().open([path]);
}

/** Opens a document where something was found in it; the search stays, as there may be more to look at. */
export function openFound({ entry: { path }, page, inSummary, snippet }: LibraryHit): void {
  if (page === undefined) useDocuments.getState().open([path]);
  else usePages.getState().lookFor(path, page, inSummary ? "" : foundWords(snippet));
}

/** Deletes a document's text and summaries for good, and closes it when it is open. */
export async function deleteStored(path: string): Promise<void> {
  const open = useDocuments.getState().documents.find((entry) => entry.path === path);
  if (open) closeDocument(open.id);
  await useLibrary.getState().remove(path);
}

export function openSample(): void {
  const { sample } = useApp.getState();
  if (sample) useDocuments.getState().open([sample]);
}

const isReady = ({ state, summary }: OpenDocument): boolean => state === "ready" && summary !== undefined;

/** Whether the chosen documents can be summarised. */
export function canStart(): boolean {
  const chosen = chosenDocuments(useDocuments.getState());
  return chosen.length > 0 && chosen.every(isReady) && useModel.getState().model !== undefined;
}

export function startSelected(): void {
  if (!canStart()) return;
  const paths = chosenDocuments(useDocuments.getState()).map(({ path }) => path);
  const settings = useSettings.getState();
  const together = becomesOne(settings, paths.length);
  // What waited for a start of its own is part of this one.
  const { items, add } = useQueue.getState();
  if (together) for (const { path, options } of items) if (!options && paths.includes(path)) dequeue(path);
  void add(paths, runOptions(settings), together);
  usePages.getState().show("summary");
}

/** Searches the document that is shown; all of them when there is none. */
export function findInDocument(): void {
  if (selected()) usePages.getState().find();
  else document.getElementById("library-search")?.focus();
}

export function cancelSelected(): void {
  const document = selected();
  if (!document) return;
  const { questions, cancel } = useQuestions.getState();
  const asked = questions.findLast((question) => question.documentId === document.id && isOpen(question));
  if (document.state === "opening") useDocuments.getState().cancelOpening(document.id);
  else if (asked) cancel(asked.runId);
  else useRuns.getState().cancel(document.id);
}

/** Reads with another model from now on: what is open is counted anew in its vocabulary. */
export function chooseModel(model: string): void {
  useSettings.getState().choose({ model });
  useModel.setState({ model: undefined });
  loadAgain(["opening", "ready", "failed"]);
  void useModels.getState().refresh();
}

/** Whether other languages could change what was read of a document. */
function hasScans({ state, summary }: OpenDocument): boolean {
  const { ocr, failed } = summary?.coverage ?? { ocr: [], failed: [] };
  return state === "failed" || (state === "ready" && ocr.length + failed.length > 0);
}

/** Takes other languages for scanned pages, and reads anew the open documents that have such pages. */
export function chooseScanLanguages(scanLanguages: readonly string[], scanFolder: string | undefined): void {
  useSettings.getState().choose({ scanLanguages, scanFolder });
  const { documents, reopen } = useDocuments.getState();
  const { runs } = useRuns.getState();
  for (const entry of documents) if (hasScans(entry) && !isBusy(runs[entry.id])) void reopen(entry.id);
}

/** Closes a document of the window; one that is queued leaves the queue. */
export function closeDocument(id: string): void {
  const document = useDocuments.getState().documents.find((entry) => entry.id === id);
  if (document) dequeue(document.path);
  useRuns.getState().clear(id);
  useDocuments.getState().close(id);
  // It now stands among the earlier ones, summarised or not.
  void useLibrary.getState().refresh();
}

/** The selected document, if it has a finished summary. */
export function summarised(): OpenDocument | undefined {
  const document = selected();
  return document && useRuns.getState().runs[document.id]?.result ? document : undefined;
}

/** Whether a start would summarise anew what is summarised, and nothing else. */
export const startsAgain = (): boolean =>
  summarised() !== undefined && chosenDocuments(useDocuments.getState()).length === 1;

export const showLog = (): void => void precis().showLog();

/** What can be done with a finished summary: a copy, a print, a file. */
export type Output = "copy" | "print" | ExportFormat;

/** @returns a sentence about what happened; undefined when a dialog was dismissed or there is no summary */
export async function output(what: Output): Promise<{ ok: boolean; sentence: string } | undefined> {
  const document = summarised();
  if (!document) return undefined;
  const outcome = await sentenceOf(what, document.id);
  if (!outcome.ok) return { ok: false, sentence: errorWords(outcome.error) };
  return outcome.value === undefined ? undefined : { ok: true, sentence: outcome.value };
}

async function sentenceOf(what: Output, documentId: string): Promise<Outcome<string | undefined>> {
  if (what === "copy") {
    const outcome = await precis().summaryToCopy({ documentId });
    return outcome.ok ? copied(outcome.value) : outcome;
  }
  if (what === "print") {
    const outcome = await precis().printSummary({ documentId });
    return outcome.ok ? { ok: true, value: outcome.value ? t("output.printed") : undefined } : outcome;
  }
  const outcome = await precis().exportSummary({ documentId, format: what });
  return outcome.ok ? { ok: true, value: outcome.value && t("output.saved", { path: outcome.value }) } : outcome;
}

async function copied({ html, text }: SummaryToCopy): Promise<Outcome<string>> {
  const blob = (content: string, type: string) => new Blob([content], { type });
  try {
    const item = { "text/html": blob(html, "text/html"), "text/plain": blob(text, "text/plain") };
    await navigator.clipboard.write([new ClipboardItem(item)]);
    return { ok: true, value: t("output.copied") };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const message = t("output.notCopied", { reason });
    return { ok: false, error: { code: "internal", message, next: t("output.exportInstead") } };
  }
}

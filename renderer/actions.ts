/** What keys, menu and buttons do; one place, so that they do the same. */
import { precis } from "./precis.js";
import { useApp } from "./stores/connect.js";
import { type OpenDocument, selectedDocument, useDocuments } from "./stores/documents.js";
import { useModel } from "./stores/model.js";
import { isBusy, useRuns } from "./stores/runs.js";
import { useSettings } from "./stores/settings.js";
import { tooLong } from "./view/budget.js";

const selected = () => selectedDocument(useDocuments.getState());

export async function chooseFiles(): Promise<void> {
  const outcome = await precis().chooseFiles();
  if (outcome.ok) useDocuments.getState().open(outcome.value);
}

export function openSample(): void {
  const { sample } = useApp.getState();
  if (sample) useDocuments.getState().open([sample]);
}

/** Whether the selected document can be summarised. */
export function canStart(): boolean {
  const document = selected();
  const { model } = useModel.getState();
  if (document?.state !== "ready" || !document.summary || !model) return false;
  return tooLong(model, document.summary) === undefined;
}

export function startSelected(): void {
  const document = selected();
  if (document && canStart()) useRuns.getState().start(document.id);
}

export function cancelSelected(): void {
  const document = selected();
  if (!document) return;
  if (document.state === "opening") useDocuments.getState().cancelOpening(document.id);
  else useRuns.getState().cancel(document.id);
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

export function closeDocument(id: string): void {
  useRuns.getState().clear(id);
  useDocuments.getState().close(id);
}

/** The text of the selected document's summary, once there is one. */
function finishedText(): string | undefined {
  const document = selected();
  return document && useRuns.getState().runs[document.id]?.result?.text;
}

/** @returns whether there was a summary to copy */
export async function copySelected(): Promise<boolean> {
  const text = finishedText();
  return text !== undefined && (await precis().copyText({ text })).ok;
}

/** @returns a sentence about what happened; undefined when the dialog was dismissed or there is nothing to save */
export async function saveSelected(): Promise<{ ok: boolean; sentence: string } | undefined> {
  const document = selected();
  if (!document || finishedText() === undefined) return undefined;
  const outcome = await precis().saveMarkdown({ documentId: document.id });
  if (!outcome.ok) return { ok: false, sentence: outcome.error.message };
  return outcome.value === undefined ? undefined : { ok: true, sentence: `Saved as ${outcome.value}` };
}

/** What keys, menu and buttons do; one place, so that they do the same. */
import { precis } from "./precis.js";
import { useApp } from "./stores/connect.js";
import { selectedDocument, useDocuments } from "./stores/documents.js";
import { useModel } from "./stores/model.js";
import { useRuns } from "./stores/runs.js";
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
  if (document) useRuns.getState().cancel(document.id);
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

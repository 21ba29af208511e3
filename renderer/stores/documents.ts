/** The documents in the window, in the order in which they were opened. */
import { create } from "zustand";
import { useShallow } from "zustand/react/shallow";
import type { DocumentSummary, Progress, WireError } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { fileName } from "../view/format.js";
import { useLibrary } from "./library.js";
import { useModel } from "./model.js";
import { useRuns } from "./runs.js";
import { recognitionOf, useSettings } from "./settings.js";

export interface OpenDocument {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly state: "opening" | "ready" | "failed" | "cancelled";
  /** The opening that goes on or was the last. */
  readonly runId: string | undefined;
  readonly progress: Progress | undefined;
  /** Kept while the document is opened again in a new worker. */
  readonly summary: DocumentSummary | undefined;
  readonly error: WireError | undefined;
}

interface DocumentsStore {
  readonly documents: readonly OpenDocument[];
  readonly selectedId: string | undefined;
  /** Those that are chosen together with it, by id. */
  readonly alsoIds: readonly string[];
  /** Opens files and selects the first of them; a file that is open already is only selected. */
  open(paths: readonly string[]): void;
  /** Reads a document's file again: after a failure, with other languages, or for a new worker. */
  reopen(id: string): Promise<void>;
  progressed(runId: string, progress: Progress): void;
  cancelOpening(id: string): void;
  close(id: string): void;
  select(id: string): void;
  /** Chooses a document together with the selected one, or no longer. */
  toggle(id: string): void;
}

export const useDocuments = create<DocumentsStore>((set, get) => {
  const find = (id: string) => get().documents.find((entry) => entry.id === id);
  const update = (id: string, change: Partial<OpenDocument>) =>
    set(({ documents }) => ({
      documents: documents.map((entry) => (entry.id === id ? { ...entry, ...change } : entry)),
    }));

  return {
    documents: [],
    selectedId: undefined,
    alsoIds: [],
    open(paths) {
      let first: string | undefined;
      for (const path of new Set(paths)) {
        const known = get().documents.find((entry) => entry.path === path);
        const id = known?.id ?? newId();
        first ??= id;
        if (!known) {
          const entry: OpenDocument = {
            id,
            path,
            name: fileName(path),
            state: "opening",
            runId: undefined,
            progress: undefined,
            summary: undefined,
            error: undefined,
          };
          set(({ documents }) => ({ documents: [...documents, entry] }));
          void useRuns.getState().restore(id, path);
        }
        if (!known || known.state === "failed") void get().reopen(id);
      }
      if (first) get().select(first);
    },
    async reopen(id) {
      const entry = find(id);
      if (!entry) return;
      const runId = newId();
      update(id, { state: "opening", error: undefined, runId, progress: undefined });
      // The document's tokens are counted in the model's vocabulary, so the model comes first.
      const model = await useModel.getState().ready();
      const now = find(id);
      if (now?.runId !== runId || now.state !== "opening") return; // cancelled, closed or begun anew meanwhile
      const recognition = recognitionOf(useSettings.getState());
      const outcome = model.ok
        ? await precis().openDocument({ runId, documentId: id, path: entry.path, recognition })
        : model;
      if (find(id)?.runId !== runId) return;
      if (outcome.ok) {
        update(id, { state: "ready", summary: outcome.value });
        void useLibrary.getState().refresh();
      } else if (outcome.error.code === "cancelled") update(id, { state: "cancelled" });
      else update(id, { state: "failed", error: outcome.error });
    },
    progressed(runId, progress) {
      const entry = get().documents.find((candidate) => candidate.runId === runId);
      if (entry?.state === "opening") update(entry.id, { progress });
    },
    cancelOpening(id) {
      const entry = find(id);
      if (entry?.state !== "opening" || !entry.runId) return;
      update(id, { state: "cancelled" });
      void precis().cancel({ runId: entry.runId });
    },
    close(id) {
      const { documents, selectedId, alsoIds } = get();
      const index = documents.findIndex((entry) => entry.id === id);
      if (index < 0) return;
      const rest = documents.filter((entry) => entry.id !== id);
      const neighbour = rest[Math.min(index, rest.length - 1)]?.id;
      const also = alsoIds.filter((other) => other !== id);
      if (selectedId !== id) set({ documents: rest, alsoIds: also });
      else set({ documents: rest, selectedId: also[0] ?? neighbour, alsoIds: also.slice(1) });
      const { state, runId } = documents[index] as OpenDocument;
      if (state === "opening" && runId) void precis().cancel({ runId });
      void precis().closeDocument({ documentId: id });
    },
    select(id) {
      set({ selectedId: id, alsoIds: [] });
    },
    toggle(id) {
      const { selectedId, alsoIds } = get();
      if (id === selectedId) set({ selectedId: alsoIds[0] ?? id, alsoIds: alsoIds.slice(1) });
      else if (alsoIds.includes(id)) set({ alsoIds: alsoIds.filter((other) => other !== id) });
      else set(selectedId === undefined ? { selectedId: id } : { alsoIds: [...alsoIds, id] });
    },
  };
});

export const selectedDocument = ({ documents, selectedId }: DocumentsStore): OpenDocument | undefined =>
  documents.find((entry) => entry.id === selectedId);

/** Whether a document is the selected one or chosen together with it. */
export const isChosen = ({ selectedId, alsoIds }: DocumentsStore, id: string | undefined): boolean =>
  id !== undefined && (id === selectedId || alsoIds.includes(id));

/** From one document to another, as arrow keys go; with `extend` the other is chosen, too, or this one no longer. */
export function goFrom(id: string, other: string, extend: boolean): void {
  const store = useDocuments.getState();
  if (!extend) store.select(other);
  else store.toggle(isChosen(store, other) ? id : other);
}

/** The selected document, then those chosen together with it, in the list's order. */
export const chosenDocuments = ({ documents, selectedId, alsoIds }: DocumentsStore): OpenDocument[] => [
  ...documents.filter(({ id }) => id === selectedId),
  ...documents.filter(({ id }) => id !== selectedId && alsoIds.includes(id)),
];

export const useChosen = (): OpenDocument[] => useDocuments(useShallow(chosenDocuments));

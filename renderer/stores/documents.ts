/** The documents in the window, in the order in which they were opened. */
import { create } from "zustand";
import type { DocumentSummary, WireError } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { fileName } from "../view/format.js";
import { useModel } from "./model.js";

export interface OpenDocument {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly state: "opening" | "ready" | "failed";
  /** Kept while the document is opened again in a new worker. */
  readonly summary: DocumentSummary | undefined;
  readonly error: WireError | undefined;
}

interface DocumentsStore {
  readonly documents: readonly OpenDocument[];
  readonly selectedId: string | undefined;
  /** Opens files and selects the first of them; a file that is open already is only selected. */
  open(paths: readonly string[]): void;
  /** Reads a document's file again: after a failure, or for a new worker. */
  reopen(id: string): Promise<void>;
  close(id: string): void;
  select(id: string): void;
}

export const useDocuments = create<DocumentsStore>((set, get) => {
  const update = (id: string, change: Partial<OpenDocument>) =>
    set(({ documents }) => ({
      documents: documents.map((entry) => (entry.id === id ? { ...entry, ...change } : entry)),
    }));

  return {
    documents: [],
    selectedId: undefined,
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
            summary: undefined,
            error: undefined,
          };
          set(({ documents }) => ({ documents: [...documents, entry] }));
        }
        if (!known || known.state === "failed") void get().reopen(id);
      }
      if (first) set({ selectedId: first });
    },
    async reopen(id) {
      const entry = get().documents.find((candidate) => candidate.id === id);
      if (!entry) return;
      update(id, { state: "opening", error: undefined });
      // The document's tokens are counted in the model's vocabulary, so the model comes first.
      const model = await useModel.getState().ready();
      const outcome = model.ok
        ? await precis().openDocument({ runId: newId(), documentId: id, path: entry.path })
        : model;
      if (outcome.ok) update(id, { state: "ready", summary: outcome.value });
      else update(id, { state: "failed", error: outcome.error });
    },
    close(id) {
      const { documents, selectedId } = get();
      const index = documents.findIndex((entry) => entry.id === id);
      if (index < 0) return;
      const rest = documents.filter((entry) => entry.id !== id);
      const neighbour = rest[Math.min(index, rest.length - 1)]?.id;
      set({ documents: rest, selectedId: selectedId === id ? neighbour : selectedId });
      void precis().closeDocument({ documentId: id });
    },
    select(id) {
      set({ selectedId: id });
    },
  };
});

export const selectedDocument = ({ documents, selectedId }: DocumentsStore): OpenDocument | undefined =>
  documents.find((entry) => entry.id === selectedId);

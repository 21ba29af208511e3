/** What is seen of documents' pages: how large, from where on, what is looked for, and where a citation leads. */
import { create } from "zustand";
import type { Place, Zoom } from "../view/page-layout.js";
import { useDocuments } from "./documents.js";
import { useRuns } from "./runs.js";

/** A page to go to; each is an object of its own, so that the same one can be gone to twice. */
export interface Target {
  readonly documentId: string;
  readonly page: number;
  /** The words on it that are meant. */
  readonly passage: string | undefined;
}

interface PagesStore {
  readonly zoom: Zoom;
  /** Where each open document was left. */
  readonly places: Readonly<Record<string, Place>>;
  readonly target: Target | undefined;
  /** Counts how often the search within the document was asked for; 0 while it is closed. */
  readonly finding: number;
  /** Words that are to be looked for in a document; each time an object of its own. */
  readonly sought: { readonly documentId: string; readonly words: string } | undefined;
  /** Whether the words that reading kept are tinted. */
  readonly tinted: boolean;
  /**
   * Which pane a narrow window shows: of a document that has just been chosen its pages, unless there is something of a
   * summary already, or the document was not opened: why, and what to do, stands where the summary would.
   */
  readonly side: "document" | "summary";
  setZoom(zoom: Zoom): void;
  leave(documentId: string, place: Place): void;
  /** Shows a page of the selected document, or of the one with a path, which is opened if need be. */
  goTo(page: number, passage?: string, path?: string): void;
  /** Opens a document at a page, and looks for words from there on. */
  lookFor(path: string, page: number, words: string): void;
  showKept(tinted: boolean): void;
  find(): void;
  closeFind(): void;
  show(side: PagesStore["side"]): void;
}

export const usePages = create<PagesStore>((set, get) => ({
  zoom: "fit",
  places: {},
  target: undefined,
  finding: 0,
  sought: undefined,
  tinted: true,
  side: "document",
  setZoom: (zoom) => set({ zoom }),
  leave: (documentId, place) => set(({ places }) => ({ places: { ...places, [documentId]: place } })),
  goTo(page, passage, path) {
    const { documents, open } = useDocuments.getState();
    const shown = documents.find(({ id }) => id === useDocuments.getState().selectedId);
    if (path !== undefined && shown?.path !== path) open([path]);
    const documentId = useDocuments.getState().selectedId;
    if (documentId) set({ target: { documentId, page, passage }, side: "document" });
  },
  lookFor(path, page, words) {
    get().goTo(page, undefined, path);
    const documentId = get().target?.documentId;
    if (documentId && words !== "") set(({ finding }) => ({ finding: finding + 1, sought: { documentId, words } }));
  },
  showKept: (tinted) => set({ tinted }),
  find: () => set(({ finding }) => ({ finding: finding + 1, side: "document" })),
  closeFind: () => set({ finding: 0 }),
  show: (side) => set({ side }),
}));

useDocuments.subscribe((now, before) => {
  const { selectedId } = now;
  const stateIn = ({ documents }: typeof now) => documents.find(({ id }) => id === selectedId)?.state;
  const state = stateIn(now);
  const notOpened = state === "failed" || state === "cancelled";
  const chosen = selectedId !== before.selectedId;
  if (!selectedId || !(chosen || state !== stateIn(before))) return;
  if (notOpened || (chosen && useRuns.getState().runs[selectedId])) usePages.setState({ side: "summary" });
  else if (chosen) usePages.setState({ side: "document" });
});

useRuns.subscribe(({ runs }, { runs: before }) => {
  const { selectedId } = useDocuments.getState();
  if (!selectedId) return;
  const [run, runBefore] = [runs[selectedId], before[selectedId]];
  // the library's summary comes after the pages, unless a citation leads to those
  const restored = run?.phase === "done" && !runBefore && usePages.getState().target?.documentId !== selectedId;
  const asks = run?.confirming && !runBefore?.confirming;
  if (restored || asks) usePages.setState({ side: "summary" });
});

useDocuments.subscribe(({ documents }, { documents: before }) => {
  const closed = before.filter(({ id }) => !documents.some((entry) => entry.id === id));
  if (closed.length === 0) return;
  usePages.setState(({ places }) => {
    const kept = { ...places };
    for (const { id } of closed) delete kept[id];
    return { places: kept };
  });
});

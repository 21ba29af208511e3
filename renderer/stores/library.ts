/** Every document that was ever opened here, and the search over their pages and summaries. */
import { create } from "zustand";
import type { LibraryEntry, LibraryHit, LibraryList, WireError } from "../../electron/contract.js";
import { precis } from "../precis.js";

interface LibraryStore {
  /** The documents that were opened last; undefined until they are known. */
  readonly list: LibraryList | undefined;
  readonly query: string;
  /** What was found for an earlier query stays until the next is answered; undefined when nothing is asked. */
  readonly hits: readonly LibraryHit[] | undefined;
  /** Only documents with this tag are listed and found; undefined: all. */
  readonly tag: string | undefined;
  /** Why the library cannot be used. */
  readonly error: WireError | undefined;
  /** Which document is to be deleted, while that is asked: lists come and go under the question. */
  readonly deleting: LibraryEntry | undefined;
  refresh(): Promise<void>;
  askDelete(entry: LibraryEntry | undefined): void;
  only(tag: string | undefined): void;
  search(query: string): void;
  /** The path of what fits the query best, as soon as it is known. */
  best(): Promise<string | undefined>;
  /** Deletes a document's text and summaries for good. */
  remove(path: string): Promise<void>;
}

/** Between the last key and the search, so that a word typed fast is looked for once. */
const pauseMs = 60;

let pause: ReturnType<typeof setTimeout> | undefined;
/** The query that `hits` answer. */
let answered = "";

export const useLibrary = create<LibraryStore>((set, get) => {
  async function look(): Promise<void> {
    const { query, tag } = get();
    const outcome = await precis().librarySearch({ query, tag });
    // What was asked meanwhile has an answer of its own.
    if (get().query !== query || get().tag !== tag) return;
    answered = query;
    set(outcome.ok ? { hits: outcome.value, error: undefined } : { hits: undefined, error: outcome.error });
  }

  return {
    list: undefined,
    query: "",
    hits: undefined,
    tag: undefined,
    error: undefined,
    deleting: undefined,
    askDelete: (deleting) => set({ deleting }),
    async refresh() {
      const { tag } = get();
      const outcome = await precis().libraryList({ tag });
      if (get().tag !== tag) return;
      if (!outcome.ok) return set({ error: outcome.error });
      set({ list: outcome.value, error: undefined });
      // The last document that had it has lost it.
      if (tag !== undefined && outcome.value.total === 0) get().only(undefined);
    },
    only(tag) {
      set({ tag });
      void get().refresh();
      if (get().query.trim() !== "") void look();
    },
    search(query) {
      clearTimeout(pause);
      set(query.trim() === "" ? { query, hits: undefined } : { query });
      if (query.trim() !== "") pause = setTimeout(() => void look(), pauseMs);
    },
    async best() {
      clearTimeout(pause);
      if (get().query.trim() !== "" && answered !== get().query) await look();
      return get().hits?.[0]?.entry.path;
    },
    async remove(path) {
      const outcome = await precis().libraryRemove({ path });
      if (!outcome.ok) return set({ error: outcome.error });
      await get().refresh();
      if (get().hits) await look();
    },
  };
});

/** Every document that was ever opened here, and the search over their pages and summaries. */
import { create } from "zustand";
import type { LibraryEntry, LibraryHit, LibraryList, WireError } from "../../electron/contract.js";
import { precis } from "../precis.js";

export interface Tagged {
  readonly path: string;
  readonly title: string;
}

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
  /** Whose tags are shown to be changed. */
  readonly tagging: Tagged | undefined;
  refresh(): Promise<void>;
  askDelete(entry: LibraryEntry | undefined): void;
  changeTags(of: Tagged | undefined): void;
  only(tag: string | undefined): void;
  search(query: string): void;
  /** What fits the query best, as soon as it is known. */
  best(): Promise<LibraryHit | undefined>;
  /** Deletes a document's text and summaries for good. */
  remove(path: string): Promise<void>;
}

/** The search that goes on, if one does, and whether something is asked for that it does not look for. */
let looking: Promise<void> | undefined;
let asked = false;
/** The query that `hits` answer. */
let answered = "";

export const useLibrary = create<LibraryStore>((set, get) => {
  /** Looks for what is asked now, at once. While a search goes on, what is typed fast waits, and only its last is looked for. */
  function look(): Promise<void> {
    asked = true;
    looking ??= lookUntilAnswered();
    return looking;
  }

  async function lookUntilAnswered(): Promise<void> {
    while (asked) {
      asked = false;
      const { query, tag } = get();
      const outcome = await precis().librarySearch({ query, tag });
      if (asked || get().query !== query) continue;
      answered = query;
      set(outcome.ok ? { hits: outcome.value, error: undefined } : { hits: undefined, error: outcome.error });
    }
    looking = undefined;
  }

  return {
    list: undefined,
    query: "",
    hits: undefined,
    tag: undefined,
    error: undefined,
    deleting: undefined,
    tagging: undefined,
    askDelete: (deleting) => set({ deleting }),
    changeTags: (tagging) => set({ tagging }),
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
      set(query.trim() === "" ? { query, hits: undefined } : { query });
      if (query.trim() !== "") void look();
    },
    async best() {
      if (get().query.trim() !== "" && answered !== get().query) await (looking ?? look());
      return get().hits?.[0];
    },
    async remove(path) {
      const outcome = await precis().libraryRemove({ path });
      if (!outcome.ok) return set({ error: outcome.error });
      await get().refresh();
      if (get().hits) await look();
    },
  };
});

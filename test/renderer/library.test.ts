import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LibraryEntry, LibraryHit, Outcome, PrecisApi } from "../../electron/contract.js";
import { bridge, deferred, documentSummary, model, queueItem, queueState, storedRun, stubStorage } from "./support.js";

stubStorage();
const { deleteStored, openStored } = await import("../../renderer/actions.js");
const { useDocuments } = await import("../../renderer/stores/documents.js");
const { useLibrary } = await import("../../renderer/stores/library.js");
const { useModel } = await import("../../renderer/stores/model.js");
const { useRuns } = await import("../../renderer/stores/runs.js");

const entry = (path: string): LibraryEntry => ({
  path,
  title: path,
  unit: "page",
  pages: 1,
  opened: 1,
  summarised: true,
  tags: [],
});
const hit = (path: string): LibraryHit => ({ entry: entry(path), inSummary: false, page: 1, found: 1, snippet: [] });

beforeEach(() => {
  vi.useFakeTimers();
  useDocuments.setState({ documents: [], selectedId: undefined });
  useRuns.setState({ runs: {} });
  useLibrary.setState({ list: undefined, query: "", hits: undefined, tag: undefined, error: undefined });
  useModel.getState().forget();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the search", () => {
  it("asks at once, of what is typed meanwhile only for the last, and shows the answer to that", async () => {
    const answers: Record<string, (outcome: Outcome<LibraryHit[]>) => void> = {};
    const librarySearch = vi.fn<PrecisApi["librarySearch"]>(({ query }) => {
      const { promise, resolve } = deferred<Outcome<LibraryHit[]>>();
      answers[query] = resolve;
      return promise;
    });
    bridge({ librarySearch });
    const { search } = useLibrary.getState();
    for (const query of ["w", "wa", "wal", "wall"]) search(query);
    expect(librarySearch.mock.calls.map(([{ query }]) => query)).toEqual(["w"]);
    answers.w?.({ ok: true, value: [hit("/west.pdf")] });
    await vi.advanceTimersByTimeAsync(0);
    expect(useLibrary.getState().hits).toBeUndefined();
    answers.wall?.({ ok: true, value: [hit("/wall.pdf")] });
    await vi.advanceTimersByTimeAsync(0);
    expect(librarySearch.mock.calls.map(([{ query }]) => query)).toEqual(["w", "wall"]);
    expect(useLibrary.getState().hits?.map(({ entry: { path } }) => path)).toEqual(["/wall.pdf"]);
    search(" ");
    expect(useLibrary.getState().hits).toBeUndefined();
  });

  it("opens the best of what is typed, not of what was found before it", async () => {
    bridge({ librarySearch: async ({ query }) => ({ ok: true, value: [hit(`/${query}.pdf`)] }) });
    const { search, best } = useLibrary.getState();
    search("wal");
    await vi.advanceTimersByTimeAsync(0);
    search("wall");
    expect((await best())?.entry.path).toBe("/wall.pdf");
    search("");
    expect(await best()).toBeUndefined();
  });

  it("says why the library cannot be searched", async () => {
    const error = { code: "library-unreadable", message: "It is damaged." };
    bridge({ librarySearch: async () => ({ ok: false, error }) });
    useLibrary.getState().search("wall");
    await vi.advanceTimersByTimeAsync(0);
    expect(useLibrary.getState()).toMatchObject({ hits: undefined, error });
  });
});

describe("a tag", () => {
  it("restricts the list and the search, until no document has it", async () => {
    const asked: unknown[] = [];
    const list = { entries: [entry("/wall.pdf")], total: 1, tags: [{ tag: "lease", documents: 1 }] };
    let tagged = list;
    bridge({
      libraryList: async ({ tag }) => {
        asked.push(["list", tag]);
        return { ok: true, value: tag === undefined ? list : tagged };
      },
      librarySearch: async ({ query, tag }) => {
        asked.push([query, tag]);
        return { ok: true, value: [] };
      },
    });
    useLibrary.getState().search("wall");
    await vi.advanceTimersByTimeAsync(0);
    useLibrary.getState().only("lease");
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toEqual([
      ["wall", undefined],
      ["list", "lease"],
      ["wall", "lease"],
    ]);
    tagged = { ...list, entries: [], total: 0 };
    await useLibrary.getState().refresh();
    expect(useLibrary.getState().tag).toBeUndefined();
  });
});

describe("a document of the library", () => {
  const stored = storedRun("It settled.");

  it("is opened with its last summary, which a run started since does not lose to", async () => {
    const { promise, resolve } = deferred<void>();
    bridge({
      loadModel: async () => ({ ok: true, value: model }),
      openDocument: async ({ documentId }) => ({ ok: true, value: documentSummary(documentId) }),
      storedRun: async ({ path }) => {
        if (path === "/late.pdf") await promise;
        return { ok: true, value: stored };
      },
    });
    openStored("/harbour.pdf");
    await vi.advanceTimersByTimeAsync(0);
    const id = useDocuments.getState().selectedId ?? "";
    expect(useRuns.getState().runs[id]).toMatchObject({
      phase: "done",
      text: "It settled.",
      startedAt: 1_000,
      endedAt: 3_000,
    });

    openStored("/late.pdf");
    const late = useDocuments.getState().selectedId ?? "";
    useRuns.getState().follow(queueState([queueItem("/late.pdf", "running")]), [{ id: late, path: "/late.pdf" }]);
    resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(useRuns.getState().runs[late]?.result).toBeUndefined();
  });

  it("is closed when it is deleted for good, and leaves the lists", async () => {
    const libraryRemove = vi.fn<PrecisApi["libraryRemove"]>(async () => ({ ok: true, value: true }));
    bridge({
      loadModel: async () => ({ ok: true, value: model }),
      openDocument: async ({ documentId }) => ({ ok: true, value: documentSummary(documentId) }),
      storedRun: async () => ({ ok: true, value: undefined }),
      libraryList: async () => ({ ok: true, value: { entries: [], total: 0, tags: [] } }),
      libraryRemove,
    });
    openStored("/harbour.pdf");
    await vi.advanceTimersByTimeAsync(0);
    await deleteStored("/harbour.pdf");
    expect(libraryRemove).toHaveBeenCalledWith({ path: "/harbour.pdf" });
    expect(useDocuments.getState().documents).toEqual([]);
    expect(useLibrary.getState().list).toEqual({ entries: [], total: 0, tags: [] });
  });
});

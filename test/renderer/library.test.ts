import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LibraryEntry, LibraryHit, Outcome, PrecisApi } from "../../electron/contract.js";
import { bridge, deferred, documentSummary, model, stubStorage, summaryResult } from "./support.js";

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
});
const hit = (path: string): LibraryHit => ({ entry: entry(path), inSummary: false, page: 1, found: 1, snippet: [] });

beforeEach(() => {
  vi.useFakeTimers();
  useDocuments.setState({ documents: [], selectedId: undefined });
  useRuns.setState({ runs: {} });
  useLibrary.setState({ list: undefined, query: "", hits: undefined, error: undefined });
  useModel.getState().forget();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the search", () => {
  it("asks once for what is typed fast, and shows the answer to the last query only", async () => {
    const answers: Record<string, (outcome: Outcome<LibraryHit[]>) => void> = {};
    const librarySearch = vi.fn<PrecisApi["librarySearch"]>(({ query }) => {
      const { promise, resolve } = deferred<Outcome<LibraryHit[]>>();
      answers[query] = resolve;
      return promise;
    });
    bridge({ librarySearch });
    const { search } = useLibrary.getState();
    for (const query of ["w", "wa", "wal"]) search(query);
    await vi.advanceTimersByTimeAsync(100);
    search("wall");
    await vi.advanceTimersByTimeAsync(100);
    expect(librarySearch.mock.calls.map(([{ query }]) => query)).toEqual(["wal", "wall"]);
    answers.wall?.({ ok: true, value: [hit("/wall.pdf")] });
    answers.wal?.({ ok: true, value: [hit("/walnut.pdf")] });
    await vi.advanceTimersByTimeAsync(0);
    expect(useLibrary.getState().hits?.map(({ entry: { path } }) => path)).toEqual(["/wall.pdf"]);
    search(" ");
    expect(useLibrary.getState().hits).toBeUndefined();
  });

  it("opens the best of what is typed, not of what was found before it", async () => {
    bridge({ librarySearch: async ({ query }) => ({ ok: true, value: [hit(`/${query}.pdf`)] }) });
    const { search, best } = useLibrary.getState();
    search("wal");
    await vi.advanceTimersByTimeAsync(100);
    search("wall");
    expect(await best()).toBe("/wall.pdf");
    search("");
    expect(await best()).toBeUndefined();
  });

  it("says why the library cannot be searched", async () => {
    const error = { code: "library-unreadable", message: "It is damaged." };
    bridge({ librarySearch: async () => ({ ok: false, error }) });
    useLibrary.getState().search("wall");
    await vi.advanceTimersByTimeAsync(100);
    expect(useLibrary.getState()).toMatchObject({ hits: undefined, error });
  });
});

describe("a document of the library", () => {
  const stored = {
    started: 1_000,
    ended: 3_000,
    options: { budget: "25%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const,
    result: summaryResult("It settled."),
  };

  it("is opened with its last summary, which a run started since does not lose to", async () => {
    const { promise, resolve } = deferred<void>();
    bridge({
      loadModel: async () => ({ ok: true, value: model }),
      openDocument: async ({ documentId }) => ({ ok: true, value: documentSummary(documentId) }),
      summarize: () => new Promise(() => {}),
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
    useRuns.getState().start(late);
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
      libraryList: async () => ({ ok: true, value: { entries: [], total: 0 } }),
      libraryRemove,
    });
    openStored("/harbour.pdf");
    await vi.advanceTimersByTimeAsync(0);
    await deleteStored("/harbour.pdf");
    expect(libraryRemove).toHaveBeenCalledWith({ path: "/harbour.pdf" });
    expect(useDocuments.getState().documents).toEqual([]);
    expect(useLibrary.getState().list).toEqual({ entries: [], total: 0 });
  });
});

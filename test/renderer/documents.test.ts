import { beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandInput, DocumentSummary, Outcome, PrecisApi } from "../../electron/contract.js";
import { bridge, deferred, documentSummary, model, queueItem, queueState, storedRun, stubStorage } from "./support.js";

stubStorage();
const { chooseScanLanguages, openFound, startSelected } = await import("../../renderer/actions.js");
const { chosenDocuments, useDocuments } = await import("../../renderer/stores/documents.js");
const { useModel } = await import("../../renderer/stores/model.js");
const { usePages } = await import("../../renderer/stores/pages.js");
const { useRuns } = await import("../../renderer/stores/runs.js");
const { unaskedLossMs } = await import("../../renderer/stores/queue.js");
const { useSettings } = await import("../../renderer/stores/settings.js");

type OpenDocument = PrecisApi["openDocument"];
const opened: OpenDocument = async ({ documentId }) => ({ ok: true, value: documentSummary(documentId) });
const loaded: PrecisApi["loadModel"] = async () => ({ ok: true, value: model });
const failure = (code: string) => ({ ok: false, error: { code, message: code } }) as const;

beforeEach(() => {
  useDocuments.setState({ documents: [], selectedId: undefined, alsoIds: [] });
  useRuns.setState({ runs: {} });
  useModel.getState().forget();
});

describe("documents", () => {
  const states = () => useDocuments.getState().documents.map(({ name, state }) => `${name} ${state}`);

  it("opens several files at once, each with its own state, and selects the first", async () => {
    bridge({
      loadModel: loaded,
      openDocument: async (input) => (input.path === "/b.pdf" ? failure("pdf-damaged") : opened(input)),
    });
    useDocuments.getState().open(["/a.pdf", "/b.pdf", "/a.pdf"]);
    expect(states()).toEqual(["a.pdf opening", "b.pdf opening"]);
    await vi.waitFor(() => expect(states()).toEqual(["a.pdf ready", "b.pdf failed"]));
    const { documents, selectedId } = useDocuments.getState();
    expect(selectedId).toBe(documents[0]?.id);
    expect(documents[1]?.error?.code).toBe("pdf-damaged");
  });

  it("only selects a file that is open already", async () => {
    const openDocument = vi.fn(opened);
    bridge({ loadModel: loaded, openDocument });
    useDocuments.getState().open(["/a.pdf", "/b.pdf"]);
    await vi.waitFor(() => expect(states()).toEqual(["a.pdf ready", "b.pdf ready"]));
    useDocuments.getState().open(["/b.pdf"]);
    expect(useDocuments.getState().selectedId).toBe(useDocuments.getState().documents[1]?.id);
    expect(openDocument).toHaveBeenCalledTimes(2);
  });

  it("says the model's error when there is no model, and tries both again", async () => {
    let there = false;
    bridge({ loadModel: async (input) => (there ? loaded(input) : failure("model-missing")), openDocument: opened });
    useDocuments.getState().open(["/a.pdf"]);
    await vi.waitFor(() => expect(useDocuments.getState().documents[0]?.error?.code).toBe("model-missing"));
    there = true;
    await useDocuments.getState().reopen(useDocuments.getState().selectedId ?? "");
    expect(states()).toEqual(["a.pdf ready"]);
  });

  it("selects the neighbour of a document that is closed", () => {
    bridge({ loadModel: loaded, openDocument: opened });
    const { open, close } = useDocuments.getState();
    open(["/a.pdf", "/b.pdf", "/c.pdf"]);
    const [a, b, c] = useDocuments.getState().documents.map((entry) => entry.id);
    close(a ?? "");
    expect(useDocuments.getState().selectedId).toBe(b);
    close(b ?? "");
    close(c ?? "");
    expect(useDocuments.getState().selectedId).toBeUndefined();
  });
});

describe("the pane of a narrow window", () => {
  const side = () => usePages.getState().side;
  const settled = () => vi.waitFor(() => expect(useDocuments.getState().documents.at(-1)?.state).not.toBe("opening"));

  it("shows a document's pages when it is opened, and the summary once that is started", async () => {
    bridge({ loadModel: loaded, openDocument: opened });
    useDocuments.getState().open(["/a.pdf"]);
    expect(side()).toBe("document");
    await settled();
    expect(side()).toBe("document");
    startSelected();
    expect(side()).toBe("summary");
  });

  it("shows why one was not opened, and what there is of a summary", async () => {
    const stored: PrecisApi["storedRun"] = async ({ path }) => ({
      ok: true,
      value: path === "/old.pdf" ? storedRun("It settled.") : undefined,
    });
    const openDocument: OpenDocument = async (input) =>
      input.path === "/bad.pdf" ? failure("pdf-damaged") : opened(input);
    bridge({ loadModel: loaded, openDocument, storedRun: stored });
    const { open, select } = useDocuments.getState();
    open(["/new.pdf"]);
    open(["/bad.pdf"]);
    await settled();
    expect(side()).toBe("summary");
    select(useDocuments.getState().documents[0]?.id ?? "");
    expect(side()).toBe("document");
    open(["/old.pdf"]);
    await vi.waitFor(() => expect(side()).toBe("summary"));
  });

  it("shows the question whether to cancel", () => {
    bridge({ loadModel: loaded, openDocument: opened });
    useDocuments.getState().open(["/a.pdf"]);
    const [document] = useDocuments.getState().documents;
    const item = queueItem("/a.pdf", "running", { started: Date.now() - 2 * unaskedLossMs });
    useRuns.getState().follow(queueState([item]), [document as NonNullable<typeof document>]);
    expect(side()).toBe("document");
    useRuns.getState().cancel(document?.id ?? "");
    expect(side()).toBe("summary");
  });

  it("stays with the page that a citation leads to", async () => {
    bridge({
      loadModel: loaded,
      openDocument: opened,
      storedRun: async () => ({ ok: true, value: storedRun("It settled.") }),
    });
    usePages.getState().goTo(3, "It settled.", "/cited.pdf");
    await settled();
    await vi.waitFor(() => expect(Object.values(useRuns.getState().runs)).toHaveLength(1));
    expect(side()).toBe("document");
  });
});

describe("what was found in the library", () => {
  const entry = {
    path: "/wall.pdf",
    title: "Wall",
    unit: "page",
    pages: 9,
    opened: 0,
    summarised: true,
    tags: [] as string[],
  } as const;
  const snippet = [
    { text: "the ", found: false },
    { text: "quay wall", found: true },
  ];

  it("leads to its page, and is looked for there", () => {
    bridge({ loadModel: loaded, openDocument: opened });
    openFound({ entry, inSummary: false, page: 8, found: 2, snippet });
    const { selectedId } = useDocuments.getState();
    expect(usePages.getState().target).toMatchObject({ documentId: selectedId, page: 8 });
    expect(usePages.getState().sought).toEqual({ documentId: selectedId, words: "quay wall" });
    expect(usePages.getState().finding).toBeGreaterThan(0);
    usePages.getState().closeFind();
  });

  it("opens the document where only its summary has it", () => {
    bridge({ loadModel: loaded, openDocument: opened });
    openFound({ entry, inSummary: true, found: 0, snippet });
    expect(useDocuments.getState().documents).toHaveLength(1);
    expect(usePages.getState().finding).toBe(0);
  });
});

describe("scanned pages", () => {
  const only = () => useDocuments.getState().documents[0];
  /** An opening that the test ends itself. */
  function opening() {
    const asked: CommandInput<"openDocument">[] = [];
    const ends: ((outcome: Outcome<DocumentSummary>) => void)[] = [];
    const cancel = vi.fn<PrecisApi["cancel"]>(async () => ({ ok: true, value: undefined }));
    bridge({
      loadModel: loaded,
      cancel,
      openDocument: (input) => {
        const { promise, resolve } = deferred<Outcome<DocumentSummary>>();
        asked.push(input);
        ends.push(resolve);
        return promise;
      },
    });
    useDocuments.getState().open(["/a.pdf"]);
    return { asked, ends, cancel };
  }
  const scans = (done: number) =>
    ({ stage: "opening", fraction: done / 40, elapsedMs: 1, scans: { done, total: 40 } }) as const;

  it("count while they are recognised, and stop when that is cancelled, for good", async () => {
    const { asked, ends, cancel } = opening();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const { runId = "" } = asked[0] ?? {};
    useDocuments.getState().progressed(runId, scans(11));
    expect(only()?.progress?.scans).toEqual({ done: 11, total: 40 });
    useDocuments.getState().cancelOpening(only()?.id ?? "");
    expect(cancel).toHaveBeenCalledWith({ runId });
    expect(only()?.state).toBe("cancelled");
    ends[0]?.(failure("cancelled"));
    useDocuments.getState().progressed(runId, scans(12));
    await vi.waitFor(() => expect(only()).toMatchObject({ state: "cancelled", error: undefined }));
    void useDocuments.getState().reopen(only()?.id ?? "");
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    ends[1]?.({ ok: true, value: documentSummary() });
    await vi.waitFor(() => expect(only()?.state).toBe("ready"));
  });

  it("are no longer recognised once their document is closed", async () => {
    const { asked, cancel } = opening();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    useDocuments.getState().close(only()?.id ?? "");
    expect(cancel).toHaveBeenCalledWith({ runId: asked[0]?.runId });
  });

  it("are read anew in other languages; documents without such pages stay as they are", async () => {
    const asked: CommandInput<"openDocument">[] = [];
    bridge({
      loadModel: loaded,
      openDocument: async (input) => {
        asked.push(input);
        const value = documentSummary(input.documentId);
        const ocr = [{ page: 12, confidence: 0.9 }];
        return {
          ok: true,
          value: input.path === "/scan.pdf" ? { ...value, coverage: { ...value.coverage, ocr } } : value,
        };
      },
    });
    useDocuments.getState().open(["/scan.pdf", "/text.pdf"]);
    await vi.waitFor(() =>
      expect(useDocuments.getState().documents.map(({ state }) => state)).toEqual(["ready", "ready"]),
    );
    expect(asked[0]?.recognition).toEqual({ languages: "eng" });
    chooseScanLanguages(["deu", "eng"], "/data");
    await vi.waitFor(() => expect(asked).toHaveLength(3));
    expect(asked[2]).toMatchObject({ path: "/scan.pdf", recognition: { languages: "deu+eng", folder: "/data" } });
  });
});

describe("documents chosen together", () => {
  const names = () => chosenDocuments(useDocuments.getState()).map(({ name }) => name);
  const idOf = (name: string) => useDocuments.getState().documents.find((entry) => entry.name === name)?.id ?? "";

  beforeEach(() => {
    bridge({ loadModel: loaded, openDocument: opened });
    useDocuments.getState().open(["/a.pdf", "/b.pdf", "/c.pdf"]);
  });

  it("are the selected one first, the others as they stand in the list", () => {
    const { select, toggle } = useDocuments.getState();
    select(idOf("b.pdf"));
    toggle(idOf("c.pdf"));
    toggle(idOf("a.pdf"));
    expect(names()).toEqual(["b.pdf", "a.pdf", "c.pdf"]);
    toggle(idOf("b.pdf"));
    expect(names()).toEqual(["c.pdf", "a.pdf"]);
    toggle(idOf("a.pdf"));
    toggle(idOf("c.pdf"));
    expect(names()).toEqual(["c.pdf"]);
  });

  it("are one again when another is selected, and lose what is closed", () => {
    const { select, toggle, close } = useDocuments.getState();
    toggle(idOf("b.pdf"));
    toggle(idOf("c.pdf"));
    close(idOf("a.pdf"));
    expect(names()).toEqual(["b.pdf", "c.pdf"]);
    close(idOf("c.pdf"));
    expect(names()).toEqual(["b.pdf"]);
    toggle(idOf("b.pdf"));
    select(idOf("b.pdf"));
    expect(names()).toEqual(["b.pdf"]);
  });

  it("are started as one summary or each on its own, once all of them are open", async () => {
    const asked: CommandInput<"queue">[] = [];
    bridge({
      loadModel: loaded,
      openDocument: opened,
      queue: async (input) => {
        asked.push(input);
        return { ok: true, value: undefined };
      },
    });
    await vi.waitFor(() =>
      expect(useDocuments.getState().documents.map(({ state }) => state)).toEqual(["ready", "ready", "ready"]),
    );
    useDocuments.getState().toggle(idOf("c.pdf"));
    useSettings.getState().choose({ together: true });
    startSelected();
    useSettings.getState().choose({ together: false });
    startSelected();
    const items = asked.map((request) => (request.what === "add" ? request.items : []));
    expect(items[0]).toEqual([{ id: expect.any(String), path: "/a.pdf", further: ["/c.pdf"] }]);
    expect(items[1]?.map(({ path, further }) => [path, further])).toEqual([
      ["/a.pdf", undefined],
      ["/c.pdf", undefined],
    ]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandInput, DocumentSummary, Outcome, PrecisApi, SummaryResult } from "../../electron/contract.js";
import { bridge, deferred, documentSummary, model, stubStorage, summaryResult } from "./support.js";

stubStorage();
const { chooseScanLanguages } = await import("../../renderer/actions.js");
const { useDocuments } = await import("../../renderer/stores/documents.js");
const { useModel } = await import("../../renderer/stores/model.js");
const { unaskedLossMs, useRuns } = await import("../../renderer/stores/runs.js");
const { runOptions, useSettings } = await import("../../renderer/stores/settings.js");

type OpenDocument = PrecisApi["openDocument"];
const opened: OpenDocument = async ({ documentId }) => ({ ok: true, value: documentSummary(documentId) });
const loaded: PrecisApi["loadModel"] = async () => ({ ok: true, value: model });
const failure = (code: string) => ({ ok: false, error: { code, message: code } }) as const;

beforeEach(() => {
  useDocuments.setState({ documents: [], selectedId: undefined });
  useRuns.setState({ runs: {} });
  useModel.getState().forget();
});
afterEach(() => {
  vi.useRealTimers();
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

describe("the model", () => {
  it("is loaded once for callers at the same time, and again once forgotten", async () => {
    const loadModel = vi.fn(loaded);
    bridge({ loadModel });
    const { ready, forget } = useModel.getState();
    await Promise.all([ready(), ready()]);
    expect(loadModel).toHaveBeenCalledOnce();
    forget();
    expect(useModel.getState().state).toBe("loading");
    await ready();
    expect(loadModel).toHaveBeenCalledTimes(2);
    expect(useModel.getState().state).toBe("ready");
  });
});

describe("runs", () => {
  /** A bridge whose summaries the test finishes itself. */
  function summaries() {
    const asked: CommandInput<"summarize">[] = [];
    const ends: ((outcome: Outcome<SummaryResult>) => void)[] = [];
    const cancel = vi.fn<PrecisApi["cancel"]>(async () => ({ ok: true, value: undefined }));
    bridge({
      cancel,
      summarize: (input) => {
        const { promise, resolve } = deferred<Outcome<SummaryResult>>();
        asked.push(input);
        ends.push(resolve);
        return promise;
      },
    });
    return { asked, ends, cancel };
  }
  const phase = (id: string) => useRuns.getState().runs[id]?.phase;

  it("go one at a time, in the order in which they were started", async () => {
    const { asked, ends } = summaries();
    const { start } = useRuns.getState();
    start("a");
    start("b");
    start("b");
    expect([phase("a"), phase("b"), asked.length]).toEqual(["reading", "waiting", 1]);
    ends[0]?.({ ok: true, value: summaryResult("A") });
    await vi.waitFor(() => expect(phase("b")).toBe("reading"));
    expect([phase("a"), asked.length]).toEqual(["done", 2]);
    expect(useRuns.getState().runs.a?.text).toBe("A");
  });

  it("gather text and progress by run id, and ignore those of runs that are over", async () => {
    const { asked, ends } = summaries();
    const { start, wrote, progressed } = useRuns.getState();
    start("a");
    const runId = asked[0]?.runId ?? "";
    progressed(runId, { stage: "reading", fraction: 0.5, elapsedMs: 1 });
    expect(useRuns.getState().runs.a?.progress?.fraction).toBe(0.5);
    wrote(runId, "One ");
    wrote("another", "Two ");
    wrote(runId, "three");
    expect(useRuns.getState().runs.a).toMatchObject({ phase: "writing", text: "One three" });
    ends[0]?.(failure("cancelled"));
    await vi.waitFor(() => expect(phase("a")).toBe("cancelled"));
    wrote(runId, " late");
    expect(useRuns.getState().runs.a?.text).toBe("One three");
  });

  it("are cancelled at once when little is lost, and asked for once when it is more than a minute", () => {
    vi.useFakeTimers();
    const { cancel: sent } = summaries();
    const { start, cancel } = useRuns.getState();
    start("quick");
    cancel("quick");
    expect(sent).toHaveBeenCalledOnce();
    useRuns.setState({ runs: {} });
    start("slow");
    vi.advanceTimersByTime(unaskedLossMs + 1);
    cancel("slow");
    expect(useRuns.getState().runs.slow?.confirming).toBe(true);
    expect(sent).toHaveBeenCalledOnce();
    cancel("slow");
    expect(useRuns.getState().runs.slow).toMatchObject({ confirming: false, stopping: true });
    expect(sent).toHaveBeenCalledTimes(2);
  });

  it("that wait leave the queue without asking the worker", () => {
    const { asked, cancel: sent } = summaries();
    const { start, cancel } = useRuns.getState();
    start("a");
    start("b");
    cancel("b");
    expect([phase("b"), asked.length]).toEqual(["cancelled", 1]);
    expect(sent).not.toHaveBeenCalled();
  });

  it("keep their error's words, and let the next run begin", async () => {
    const { ends } = summaries();
    const { start } = useRuns.getState();
    start("a");
    start("b");
    ends[0]?.(failure("worker-died"));
    await vi.waitFor(() => expect(phase("b")).toBe("reading"));
    expect(useRuns.getState().runs.a).toMatchObject({ phase: "failed", error: { code: "worker-died" } });
  });
});

describe("settings", () => {
  const settings = () => useSettings.getState();
  const initial = settings();
  beforeEach(() => {
    bridge({});
    useSettings.setState(initial);
  });

  it("become a run's options: nothing that was not chosen, everything with the full cache", () => {
    settings().setShare(6.9);
    expect(runOptions(settings())).toEqual({
      budget: "6.9%",
      policy: "dynamickv",
      kvType: "f16",
      style: "paragraph",
      length: "medium",
      seed: 1,
      temperature: 0,
    });
    settings().choose({ policy: "full", language: "German", style: "bullets", focus: " Money? ", threads: 3 });
    settings().choose({ kvType: "q8_0", groupLayers: 4, seed: 9 });
    expect(runOptions(settings())).toMatchObject({
      budget: "100%",
      language: "German",
      style: "bullets",
      focus: "Money?",
      threads: 3,
      kvType: "q8_0",
      groupLayers: 4,
      seed: 9,
    });
  });

  it("are kept by the main process, but for what one summary dwells on", () => {
    const changeSettings = vi.fn<PrecisApi["changeSettings"]>(async () => failure("internal"));
    bridge({ changeSettings });
    settings().setShare(13.37);
    settings().choose({ focus: "Money?", style: "executive" });
    settings().choose({ focus: "" });
    expect(changeSettings.mock.calls).toEqual([[{ share: 13.4 }], [{ style: "executive" }]]);
  });
});

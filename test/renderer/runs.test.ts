import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandInput, PrecisApi } from "../../electron/contract.js";
import { bridge, model, queueItem, queueState, storedRun, stubStorage } from "./support.js";

stubStorage();
const { useDocuments } = await import("../../renderer/stores/documents.js");
const { useModel } = await import("../../renderer/stores/model.js");
const { useRuns } = await import("../../renderer/stores/runs.js");
const { unaskedLossMs } = await import("../../renderer/stores/queue.js");

const loaded: PrecisApi["loadModel"] = async () => ({ ok: true, value: model });

beforeEach(() => {
  useDocuments.setState({ documents: [], selectedId: undefined, alsoIds: [] });
  useRuns.setState({ runs: {} });
  useModel.getState().forget();
});
afterEach(() => {
  vi.useRealTimers();
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
  const shown = [
    { id: "doc-a", path: "/a" },
    { id: "doc-b", path: "/b" },
  ];
  const follow = (...given: Parameters<typeof queueState>) => useRuns.getState().follow(queueState(...given), shown);
  const runOf = (id: string) => useRuns.getState().runs[id];
  /** A bridge that notes what is asked of the queue, with the library's runs. */
  function asked(storedRuns: Record<string, string> = {}) {
    const requests: CommandInput<"queue">[] = [];
    bridge({
      queue: async (request) => {
        requests.push(request);
        return { ok: true, value: undefined };
      },
      storedRun: async ({ path }) => ({ ok: true, value: storedRun(storedRuns[path] ?? path) }),
    });
    return requests;
  }

  it("are what the queue does with the documents of the window, up to their summaries", async () => {
    asked({ "/a": "A settled." });
    follow([queueItem("/a", "running", { started: 5 }), queueItem("/b", "waiting"), queueItem("/other", "waiting")]);
    expect([runOf("doc-a")?.phase, runOf("doc-b")?.phase]).toEqual(["reading", "waiting"]);
    expect(Object.keys(useRuns.getState().runs)).toHaveLength(2);
    useRuns.getState().progressed("a", { stage: "reading", fraction: 0.5, elapsedMs: 1 });
    follow([queueItem("/a", "done"), queueItem("/b", "running")]);
    await vi.waitFor(() => expect(runOf("doc-a")).toMatchObject({ phase: "done", text: "A settled.", endedAt: 3_000 }));
    expect(runOf("doc-b")?.phase).toBe("reading");
  });

  it("gather text and progress by run id, and ignore those of runs that are over", () => {
    asked();
    const { wrote, progressed } = useRuns.getState();
    follow([queueItem("/a", "running")]);
    progressed("a", { stage: "reading", fraction: 0.5, elapsedMs: 1 });
    expect(runOf("doc-a")?.progress?.fraction).toBe(0.5);
    wrote("a", "One ");
    wrote("another", "Two ");
    wrote("a", "three");
    follow([queueItem("/a", "running"), queueItem("/b", "waiting")]);
    expect(runOf("doc-a")).toMatchObject({ phase: "writing", text: "One three" });
    follow([queueItem("/b", "running")]);
    expect(runOf("doc-a")?.phase).toBe("cancelled");
    wrote("a", " late");
    expect(runOf("doc-a")?.text).toBe("One three");
  });

  it("show what was written before the window was there", () => {
    asked();
    const state = queueState([queueItem("/a", "running")]);
    const running = { id: "a", text: "It settled", stopping: false };
    useRuns.getState().follow({ ...state, running }, shown);
    expect(runOf("doc-a")).toMatchObject({ phase: "writing", text: "It settled" });
  });

  it("are cancelled at once when little is lost, and asked for once when it is more than a minute", () => {
    vi.useFakeTimers();
    const requests = asked();
    const { cancel } = useRuns.getState();
    follow([queueItem("/a", "running", { started: Date.now() })]);
    cancel("doc-a");
    expect(requests).toEqual([{ what: "cancel", id: "a" }]);
    follow([queueItem("/b", "running", { started: Date.now() })]);
    vi.advanceTimersByTime(unaskedLossMs + 1);
    cancel("doc-b");
    expect(runOf("doc-b")?.confirming).toBe(true);
    expect(requests).toHaveLength(1);
    cancel("doc-b");
    expect(runOf("doc-b")).toMatchObject({ confirming: false, stopping: true });
    expect(requests[1]).toEqual({ what: "cancel", id: "b" });
  });

  it("that wait are taken out without a question, and that are held say so", () => {
    vi.useFakeTimers();
    const requests = asked();
    follow([queueItem("/a", "running"), queueItem("/b", "waiting")]);
    vi.advanceTimersByTime(unaskedLossMs + 1);
    useRuns.getState().cancel("doc-b");
    expect(requests).toEqual([{ what: "cancel", id: "b" }]);
    follow([queueItem("/a", "held")]);
    expect([runOf("doc-a")?.phase, runOf("doc-b")?.phase]).toEqual(["held", "cancelled"]);
    follow([queueItem("/a", "waiting")]);
    expect(runOf("doc-a")?.phase).toBe("waiting");
  });

  it("keep their error's words, and begin anew with another id", () => {
    asked();
    const error = { code: "worker-died", message: "It stopped." };
    follow([queueItem("/a", "running")]);
    follow([queueItem("/a", "failed", { error, ended: 9 }), queueItem("/b", "running")]);
    expect(runOf("doc-a")).toMatchObject({ phase: "failed", error, endedAt: 9 });
    follow([queueItem("/a", "waiting", { id: "a2" }), queueItem("/b", "running")]);
    expect(runOf("doc-a")).toMatchObject({ runId: "a2", phase: "waiting", error: undefined });
  });

  it("of the library stay when the queue holds their document", async () => {
    asked({ "/a": "Earlier." });
    await useRuns.getState().restore("doc-a", "/a");
    follow([queueItem("/a", "held", { options: undefined })]);
    expect(runOf("doc-a")).toMatchObject({ phase: "done", text: "Earlier." });
  });
});

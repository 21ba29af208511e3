import { beforeEach, describe, expect, it } from "vitest";
import type { CommandInput, Outcome, QueueState } from "../../electron/contract.js";
import { queueWords, stepTo } from "../../renderer/view/queue.js";
import { bridge, deferred, documentSummary, model, queueItem, queueState, stubStorage } from "./support.js";

stubStorage();
const { closeDocument } = await import("../../renderer/actions.js");
const { openFiles } = await import("../../renderer/open.js");
const { useDocuments } = await import("../../renderer/stores/documents.js");
const { useModel } = await import("../../renderer/stores/model.js");
const { rowsOf, useQueue } = await import("../../renderer/stores/queue.js");

const requests: CommandInput<"queue">[] = [];
beforeEach(() => {
  requests.length = 0;
  useDocuments.setState({ documents: [], selectedId: undefined });
  useQueue.setState({ items: [], running: undefined, unsaved: undefined, error: undefined });
  useModel.getState().forget();
  bridge({
    loadModel: async () => ({ ok: true, value: model }),
    openDocument: async ({ documentId }) => ({ ok: true, value: documentSummary(documentId) }),
    queue: async (request) => {
      requests.push(request);
      return { ok: true, value: undefined };
    },
  });
});

it("is as the main process last said, though an older answer comes later", async () => {
  const answer = deferred<Outcome<QueueState>>();
  bridge({ queueState: () => answer.promise });
  const refreshed = useQueue.getState().refresh();
  useQueue.getState().changed(queueState([queueItem("/a.pdf", "waiting")]));
  answer.resolve({ ok: true, value: queueState([]) });
  await refreshed;
  expect(useQueue.getState().items).toHaveLength(1);
  bridge({ queueState: async () => ({ ok: true, value: queueState([]) }) });
  await useQueue.getState().refresh();
  expect(useQueue.getState().items).toEqual([]);
});

describe("files opened at once", () => {
  it("are queued without choices, to be started when these are made", () => {
    openFiles(["/a.pdf", "/b.pdf", "/a.pdf"]);
    expect(requests).toMatchObject([{ what: "add", items: [{ path: "/a.pdf" }, { path: "/b.pdf" }] }]);
    expect(requests[0]).toMatchObject({ options: undefined, recognition: { languages: "eng" } });
    expect(useDocuments.getState().documents).toHaveLength(2);
  });

  it("follow with the choices of now where the queue goes on", () => {
    useQueue.setState(queueState([queueItem("/x.pdf", "running")]));
    openFiles(["/a.pdf", "/b.pdf"]);
    expect(requests[0]).toMatchObject({ options: { budget: "25%" } });
  });

  it("are not queued when it is one only", () => {
    openFiles(["/a.pdf"]);
    expect(requests).toEqual([]);
  });
});

it("loses a document that is closed before its turn, and keeps one that had it", () => {
  useDocuments.getState().open(["/a.pdf", "/b.pdf"]);
  useQueue.setState(queueState([queueItem("/a.pdf", "waiting"), queueItem("/b.pdf", "failed")]));
  for (const { id } of useDocuments.getState().documents) closeDocument(id);
  expect(requests).toEqual([{ what: "cancel", id: "a.pdf" }]);
});

describe("rows", () => {
  const rows = [
    queueItem("/a", "running"),
    queueItem("/b", "waiting"),
    queueItem("/c", "held"),
    queueItem("/d", "held"),
  ];

  it("show what runs first and leave out what is done", () => {
    const [a, b, c] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];
    const items = [queueItem("/z", "done"), b, a, c];
    expect(rowsOf(queueState(items)).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("leave one that is alone to the documents, unless it is held", () => {
    expect(rowsOf(queueState([queueItem("/a", "running")]))).toEqual([]);
    expect(rowsOf(queueState([queueItem("/a", "failed")]))).toEqual([]);
    expect(rowsOf(queueState([queueItem("/a", "held")]))).toHaveLength(1);
    expect(rowsOf(queueState([queueItem("/z", "done"), queueItem("/a", "running")]))).toHaveLength(1);
  });

  it.each([
    ["a", 1, "stays"],
    ["b", -1, "stays"],
    ["b", 1, "d"],
    ["c", 1, undefined],
    ["c", -1, "b"],
    ["d", 1, "stays"],
  ] as const)("moves %s by %i", (id, step, before) => expect(stepTo(rows, id, step)).toBe(before));

  it("say how far each is", () => {
    const running = (progress: object) => ({ id: "a", text: "", stopping: false, ...progress });
    const at = (fraction: number, remainingMs?: number) =>
      queueWords(
        queueItem("/a", "running"),
        running({ progress: { stage: "reading", fraction, elapsedMs: 1, remainingMs } }),
      );
    expect(at(0.407)).toBe("Reading, 40 %");
    expect(at(0.5, 720_000)).toBe("Reading, 50 %, about 12 min left");
    expect(queueWords(queueItem("/a", "running"), running({ stopping: true }))).toBe("Stopping…");
    expect(queueWords(queueItem("/a", "held", { interrupted: true }), undefined)).toMatch(/when Precis ended/);
    expect(queueWords(queueItem("/a", "held", { options: undefined }), undefined)).toBe("Not started");
    const error = { code: "file-damaged", message: "It is damaged." };
    expect(queueWords(queueItem("/a", "failed", { error }), undefined)).toBe("It is damaged.");
  });
});

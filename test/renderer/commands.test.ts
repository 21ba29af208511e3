import { beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandInput, LibraryList } from "../../electron/contract.js";
import { bridge, queueItem, queueState, stubStorage } from "./support.js";

stubStorage();
vi.stubGlobal("navigator", { platform: "Linux x86_64", language: "en" });
const { commandsNow } = await import("../../renderer/commands.js");
const { useDocuments } = await import("../../renderer/stores/documents.js");
const { useLibrary } = await import("../../renderer/stores/library.js");
const { useQueue } = await import("../../renderer/stores/queue.js");

const names = () => commandsNow().map(({ name }) => name);
const run = (wanted: string) =>
  commandsNow()
    .find(({ name }) => name === wanted)
    ?.run();
const list: LibraryList = { entries: [], total: 0, tags: [{ tag: "lease", documents: 2 }] };
const requests: CommandInput<"queue">[] = [];

beforeEach(() => {
  requests.length = 0;
  bridge({
    libraryList: async () => ({ ok: true, value: { ...list, total: 2 } }),
    queue: async (request) => {
      requests.push(request);
      return { ok: true, value: undefined };
    },
  });
  useDocuments.setState({ documents: [], selectedId: undefined });
  useLibrary.setState({ list, tag: undefined, tagging: undefined });
  useQueue.getState().changed(queueState([]));
});

describe("the palette's commands", () => {
  it("show a tag's documents, and all again", () => {
    expect(names()).not.toContain("Show all documents");
    run("Show what is tagged “lease”");
    expect(useLibrary.getState().tag).toBe("lease");
    expect(names()).not.toContain("Show what is tagged “lease”");
    run("Show all documents");
    expect(useLibrary.getState().tag).toBeUndefined();
  });

  it("open the tags of the document that is shown", () => {
    useDocuments.getState().open(["/harbour.pdf"]);
    run("Tags of “harbour.pdf”");
    expect(useLibrary.getState().tagging).toEqual({ path: "/harbour.pdf", title: "harbour.pdf" });
  });

  it("start, pause and clear the queue once it is listed, which is asked as its own buttons ask", () => {
    expect(names().filter((name) => name.startsWith("Queue"))).toEqual([]);
    useQueue.getState().changed(queueState([queueItem("/a.pdf", "held", { options: undefined })]));
    expect(names()).toEqual(expect.arrayContaining(["Queue: Start all", "Queue: Clear"]));
    useQueue.getState().changed(queueState([queueItem("/a.pdf", "waiting"), queueItem("/b.pdf", "waiting")]));
    run("Queue: Pause");
    expect(requests).toEqual([{ what: "hold", id: undefined }]);
    run("Queue: Clear");
    expect(useQueue.getState().asked).toEqual({ what: "cancel" });
    expect(requests).toHaveLength(1);
    run("Queue: Clear");
    expect(requests[1]).toEqual({ what: "cancel", id: undefined });
  });
});

it("asks of the queue no longer what has come to an end meanwhile", () => {
  const { changed, act } = useQueue.getState();
  changed(queueState([queueItem("/a.pdf", "running", { started: 0 }), queueItem("/b.pdf", "waiting")]));
  act({ what: "cancel", id: "a.pdf" });
  changed(queueState([queueItem("/a.pdf", "running", { started: 0 }), queueItem("/b.pdf", "waiting")]));
  expect(useQueue.getState().asked).toEqual({ what: "cancel", id: "a.pdf" });
  changed(queueState([queueItem("/a.pdf", "done"), queueItem("/b.pdf", "running", { started: Date.now() })]));
  expect(useQueue.getState().asked).toBeUndefined();
});

import { describe, expect, it, vi } from "vitest";
import { cancelled, PrecisError } from "../../core/errors.js";
import type { LibraryApi } from "../../core/library/requests.js";
import { suggestedName } from "../../electron/batch.js";
import { channelOf } from "../../electron/bridge.js";
import {
  commandNames,
  type DocumentSummary,
  type EventName,
  type StoredRun,
  type SummaryResult,
} from "../../electron/contract.js";
import { firstSettings } from "../../electron/core.js";
import { OpenDocuments } from "../../electron/documents.js";
import { answer, createHandlers, type IpcParts, registerIpc } from "../../electron/ipc.js";
import { origin } from "../../electron/origin.js";
import type { Call } from "../../electron/summarizer.js";

const ours = { senderFrame: { url: `${origin}/index.html`, parent: null } };
const unexpected = (): never => {
  throw new Error("not expected here");
};
const noLibrary: LibraryApi = {
  list: unexpected,
  search: unexpected,
  lastRun: unexpected,
  removeAnswer: unexpected,
  remove: unexpected,
  tag: unexpected,
  runs: unexpected,
  storedRun: unexpected,
  queue: unexpected,
  saveQueue: unexpected,
};
const result = { text: "It settled.", document: { path: "/a/harbour.pdf" } } as SummaryResult;

const machine = { totalBytes: 16 * 2 ** 30, availableBytes: 6 * 2 ** 30 };

/** Parts of which a test replaces what it is about; what it does not expect to be called throws. */
function parts(
  replaced: Partial<Omit<IpcParts, "summarizer" | "documents">> & { summarizer?: Partial<IpcParts["summarizer"]> } = {},
) {
  const sent: [EventName, unknown][] = [];
  const summarizer = {
    loadModel: unexpected,
    open: unexpected,
    pageTexts: unexpected,
    close: unexpected,
    summarize: unexpected,
    forecast: unexpected,
    ask: unexpected,
    ...replaced.summarizer,
  };
  const whole: IpcParts = {
    documents: new OpenDocuments(summarizer),
    library: noLibrary,
    storage: unexpected,
    queue: { state: unexpected, perform: unexpected, lastRun: () => undefined, forget: async () => {} },
    takeFiles: unexpected,
    sample: "/sample.pdf",
    machine: () => machine,
    chooseFiles: unexpected,
    chooseFolder: unexpected,
    chooseModelFile: unexpected,
    models: {
      list: unexpected,
      download: unexpected,
      verify: unexpected,
      pause: unexpected,
      discard: unexpected,
      add: unexpected,
      delete: unexpected,
    },
    settings: { current: firstSettings, notice: undefined },
    changeSettings: unexpected,
    pdfPart: unexpected,
    pdfData: unexpected,
    scanLanguages: unexpected,
    chooseTarget: unexpected,
    writeSummary: unexpected,
    summaryToCopy: unexpected,
    printSummary: unexpected,
    showLog: unexpected,
    send: (name, data) => sent.push([name, data]),
    ...replaced,
    summarizer,
  };
  return { handlers: createHandlers(whole), sent };
}

const options = { budget: "25%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const;

describe("the sender check", () => {
  const { handlers } = parts({ takeFiles: () => [] });

  it("answers our own page", async () => {
    expect(await answer(handlers, "hello", ours, undefined)).toEqual({
      ok: true,
      value: { files: [], sample: "/sample.pdf", machine, settings: firstSettings, settingsNotice: undefined },
    });
  });

  it.each([
    ["another site", { url: "https://example.org/", parent: null }],
    ["a look-alike origin", { url: "precis://window.evil/index.html", parent: null }],
    ["a file", { url: "file:///tmp/index.html", parent: null }],
    ["an embedded frame of ours", { url: `${origin}/index.html`, parent: {} }],
    ["a frame that is gone", null],
  ])("refuses %s", async (_who, senderFrame) => {
    const outcome = await answer(handlers, "hello", { senderFrame }, undefined);
    expect(outcome).toMatchObject({ ok: false, error: { code: "usage" } });
  });
});

describe("the form check", () => {
  it.each([
    ["no run id", { documentId: "d", path: "/a.pdf" }],
    ["an empty path", { runId: "r", documentId: "d", path: "" }],
    ["a path of another type", { runId: "r", documentId: "d", path: 7 }],
    ["nothing", undefined],
  ])("refuses openDocument with %s, without asking the worker", async (_what, input) => {
    const open = vi.fn();
    const { handlers } = parts({ summarizer: { open } });
    expect(await answer(handlers, "openDocument", ours, input)).toMatchObject({ ok: false, error: { code: "usage" } });
    expect(open).not.toHaveBeenCalled();
  });

  it("refuses settings that there are not, and changes nothing", async () => {
    const changeSettings = vi.fn();
    const { handlers } = parts({ changeSettings });
    for (const input of [{ theme: "purple" }, { zoom: 40 }, { mirror: "file:///etc" }]) {
      const outcome = await answer(handlers, "changeSettings", ours, input);
      expect(outcome).toMatchObject({ ok: false, error: { code: "usage" } });
    }
    expect(changeSettings).not.toHaveBeenCalled();
  });

  it("refuses unknown policies", async () => {
    const { handlers } = parts();
    const input = {
      what: "add",
      items: [{ id: "r", path: "/a.pdf" }],
      options: { ...options, policy: "all-of-it" },
      recognition: {},
    };
    expect(await answer(handlers, "queue", ours, input)).toMatchObject({ ok: false, error: { code: "usage" } });
  });
});

it("opens a document with the languages that its scanned pages are in", async () => {
  const open = vi.fn(async () => ({}) as DocumentSummary);
  const { handlers } = parts({ summarizer: { open } });
  const recognition = { languages: "eng+deu", folder: "/data" };
  await answer(handlers, "openDocument", ours, { runId: "r", documentId: "d", path: "/a.pdf", recognition });
  expect(open).toHaveBeenCalledWith("d", "/a.pdf", recognition, expect.anything());
});

const question = { ...options, question: "How much?" };
const asking = { documentId: "d", options: question, from: "memory" };

describe("a long call", () => {
  it("sends what the worker reports under the run's own id", async () => {
    const progress = { stage: "reading", fraction: 0.5, elapsedMs: 10 } as const;
    const ask = async (_id: string, _answerId: string, _options: unknown, _from: unknown, call: Call) => {
      call.onProgress(progress);
      call.onText("It ");
      return result;
    };
    const { handlers, sent } = parts({ summarizer: { ask } });
    const outcome = await answer(handlers, "ask", ours, { ...asking, runId: "r1" });
    expect(outcome).toEqual({ ok: true, value: result });
    expect(sent).toEqual([
      ["progress", { runId: "r1", progress }],
      ["text", { runId: "r1", text: "It " }],
    ]);
  });

  it("is cancelled by its id, and only by its own", async () => {
    const ask = (_id: string, _answerId: string, _options: unknown, _from: unknown, { signal }: Call) =>
      new Promise<SummaryResult>((_, reject) => signal.addEventListener("abort", () => reject(cancelled())));
    const { handlers } = parts({ summarizer: { ask } });
    const running = answer(handlers, "ask", ours, { ...asking, runId: "r1" });
    const settled = vi.fn();
    void running.then(settled);
    await answer(handlers, "cancel", ours, { runId: "another" });
    expect(settled).not.toHaveBeenCalled();
    await answer(handlers, "cancel", ours, { runId: "r1" });
    expect(await running).toMatchObject({ ok: false, error: { code: "cancelled" } });
  });

  it("that fails crosses as words, without a stack", async () => {
    const ask = async () => {
      throw new PrecisError("out-of-memory", "There was no room.", "Set less.");
    };
    const { handlers } = parts({ summarizer: { ask } });
    expect(await answer(handlers, "ask", ours, { ...asking, runId: "r" })).toEqual({
      ok: false,
      error: { code: "out-of-memory", message: "There was no room.", next: "Set less." },
    });
  });
});

describe("a question", () => {
  it("goes to the worker with what it is to be answered from, and leaves the summary that can be saved", async () => {
    const answered = { ...result, text: "41 cm." };
    const asked: unknown[] = [];
    const { handlers } = parts({
      summarizer: {
        ask: async (...[documentId, answerId, { question }, from]) => {
          asked.push([documentId, answerId, question, from]);
          return answered;
        },
      },
    });
    const input = { ...asking, runId: "r" };
    expect(await answer(handlers, "ask", ours, input)).toEqual({ ok: true, value: answered });
    expect(asked).toEqual([["d", "r", "How much?", "memory"]]);
    const save = await answer(handlers, "exportSummary", ours, { documentId: "d", format: "md" });
    expect(save).toMatchObject({ ok: false, error: { code: "usage" } });
  });

  it.each([
    ["no words", { ...options, question: " " }, "memory"],
    ["no question", options, "memory"],
    ["another source", { ...options, question: "How much?" }, "the web"],
  ])("with %s is refused", async (_what, given, from) => {
    const { handlers } = parts();
    const input = { runId: "r", documentId: "d", options: given, from };
    expect(await answer(handlers, "ask", ours, input)).toMatchObject({ ok: false, error: { code: "usage" } });
  });
});

const stored: StoredRun = { started: 1, ended: 2, options, result, answers: [] };

describe("a finished summary", () => {
  const finished = async (target: string | undefined) => {
    const written: unknown[] = [];
    const suggestions: string[] = [];
    const { handlers } = parts({
      summarizer: { close: async () => {} },
      library: { ...noLibrary, lastRun: async () => stored },
      chooseTarget: async (suggestion) => {
        suggestions.push(suggestion);
        return target;
      },
      writeSummary: async (...saved) => void written.push(saved),
      summaryToCopy: async ({ result: { text } }) => ({ html: `<p>${text}</p>`, text }),
      printSummary: async (printed) => written.push(printed) > 0,
    });
    await answer(handlers, "storedRun", ours, { documentId: "d", path: "/a/harbour.pdf" });
    return { handlers, written, suggestions };
  };

  it.each(["pdf", "docx", "html", "md", "json"])("is written as %s where the user said", async (format) => {
    const { handlers, written, suggestions } = await finished("/out/x");
    const outcome = await answer(handlers, "exportSummary", ours, { documentId: "d", format });
    expect(outcome).toEqual({ ok: true, value: "/out/x" });
    expect(suggestions).toEqual([`harbour summary.${format}`]);
    expect(written).toEqual([["/out/x", format, stored]]);
  });

  it("is not written when the dialog is dismissed, nor in a format that there is not", async () => {
    const { handlers, written } = await finished(undefined);
    const dismissed = await answer(handlers, "exportSummary", ours, { documentId: "d", format: "md" });
    expect(dismissed).toEqual({ ok: true, value: undefined });
    expect(await answer(handlers, "exportSummary", ours, { documentId: "d", format: "exe" })).toMatchObject({
      ok: false,
    });
    expect(written).toEqual([]);
  });

  it("is copied and printed as it was made", async () => {
    const { handlers, written } = await finished(undefined);
    expect(await answer(handlers, "summaryToCopy", ours, { documentId: "d" })).toEqual({
      ok: true,
      value: { html: "<p>It settled.</p>", text: "It settled." },
    });
    expect(await answer(handlers, "printSummary", ours, { documentId: "d" })).toEqual({ ok: true, value: true });
    expect(written).toEqual([stored]);
  });

  it.each(["exportSummary", "summaryToCopy", "printSummary"] as const)(
    "is missing for %s once its document is closed",
    async (name) => {
      const { handlers, written } = await finished("/out/x.md");
      await answer(handlers, "closeDocument", ours, { documentId: "d" });
      const outcome = await answer(handlers, name, ours, { documentId: "d", format: "md" });
      expect(outcome).toMatchObject({ ok: false, error: { code: "usage" } });
      expect(written).toEqual([]);
    },
  );
});

describe("what was asked about a summary", () => {
  const earlier = { id: "earlier", asked: 5, question: "Who pays?", from: "document" as const, result };
  const opened = async (removeAnswer: LibraryApi["removeAnswer"] = unexpected) => {
    const written: unknown[] = [];
    const { handlers } = parts({
      summarizer: { ask: async () => ({ ...result, text: "41 cm." }) },
      library: { ...noLibrary, lastRun: async () => ({ ...stored, answers: [earlier] }), removeAnswer },
      chooseTarget: async () => "/out/x.md",
      writeSummary: async (_path, _format, { answers }) =>
        void written.push(answers.map(({ question, result }) => [question, result.text])),
    });
    await answer(handlers, "storedRun", ours, { documentId: "d", path: "/a/harbour.pdf" });
    await answer(handlers, "ask", ours, { ...asking, runId: "now" });
    return { handlers, written };
  };
  const save = { documentId: "d", format: "md" };
  const both = [
    ["Who pays?", "It settled."],
    ["How much?", "41 cm."],
  ];

  it("earlier and now is saved with it", async () => {
    const { handlers, written } = await opened();
    await answer(handlers, "exportSummary", ours, save);
    expect(written).toEqual([both]);
  });

  it("goes where it is removed, and stays where the library cannot", async () => {
    const { handlers, written } = await opened(async (id) => {
      if (id === "earlier") return true;
      throw new PrecisError("library-unreadable", "The disk is full.");
    });
    const removed = await answer(handlers, "removeAnswer", ours, { documentId: "d", answerId: "now" });
    expect(removed).toMatchObject({ ok: false, error: { code: "library-unreadable" } });
    await answer(handlers, "exportSummary", ours, save);
    await answer(handlers, "removeAnswer", ours, { documentId: "d", answerId: "earlier" });
    await answer(handlers, "exportSummary", ours, save);
    expect(written).toEqual([both, both.slice(1)]);
  });

  it("is told of a document that was summarised since the start, as far as the library could take that", async () => {
    const input = { documentId: "d", path: "/a/harbour.pdf" };
    const queue = { state: unexpected, perform: unexpected, lastRun: () => stored, forget: unexpected };
    const known = parts({ queue, library: { ...noLibrary, lastRun: async () => ({ ...stored, answers: [earlier] }) } });
    expect(await answer(known.handlers, "storedRun", ours, input)).toMatchObject({ value: { answers: [earlier] } });
    const damaged = async () => {
      throw new PrecisError("library-unreadable", "It is damaged.");
    };
    const unknown = parts({ queue, library: { ...noLibrary, lastRun: damaged } });
    expect(await answer(unknown.handlers, "storedRun", ours, input)).toEqual({ ok: true, value: stored });
  });
});

describe("the library", () => {
  it("is asked for a tag's documents, and for what a tag is put on", async () => {
    const asked: unknown[] = [];
    const { handlers } = parts({
      library: {
        ...noLibrary,
        list: async (limit, tag) => {
          asked.push([limit, tag]);
          return { entries: [], total: 0, tags: [] };
        },
        tag: async (path, change) => {
          asked.push([path, change]);
          return ["lease"];
        },
      },
    });
    expect(await answer(handlers, "libraryList", ours, { tag: "lease" })).toMatchObject({ ok: true });
    const tagged = await answer(handlers, "libraryTag", ours, { path: "/a.pdf", add: " lease " });
    expect(tagged).toEqual({ ok: true, value: ["lease"] });
    expect(asked).toEqual([
      [50, "lease"],
      ["/a.pdf", { add: "lease" }],
    ]);
    expect(await answer(handlers, "libraryTag", ours, { path: "/a.pdf", add: " " })).toMatchObject({ ok: false });
  });

  it("gives back a document's last run, which can be exported like a new one", async () => {
    const copied = { html: "", text: "" };
    const { handlers } = parts({
      library: { ...noLibrary, lastRun: async () => stored },
      summaryToCopy: async (summary) => ({ ...copied, text: summary.result.text }),
    });
    const input = { documentId: "d", path: "/a/harbour.pdf" };
    expect(await answer(handlers, "storedRun", ours, input)).toEqual({ ok: true, value: stored });
    expect(await answer(handlers, "summaryToCopy", ours, { documentId: "d" })).toEqual({
      ok: true,
      value: { ...copied, text: result.text },
    });
  });

  it("says in words why it cannot be searched", async () => {
    const search = async () => {
      throw new PrecisError("library-unreadable", "The library is damaged.", "Move it away.");
    };
    const { handlers } = parts({ library: { ...noLibrary, search } });
    expect(await answer(handlers, "librarySearch", ours, { query: "wall" })).toEqual({
      ok: false,
      error: { code: "library-unreadable", message: "The library is damaged.", next: "Move it away." },
    });
  });
});

describe("the queue", () => {
  it("is asked for what the window wants of it, and has the newest run of a document", async () => {
    const perform = vi.fn(async () => {});
    const newer = { ...stored, started: 3, ended: 4, result: { ...result, text: "It sank." } };
    const { handlers } = parts({
      library: { ...noLibrary, lastRun: async () => stored },
      queue: { state: unexpected, perform, lastRun: () => newer, forget: unexpected },
      summaryToCopy: async ({ result: { text } }) => ({ html: "", text }),
    });
    expect(await answer(handlers, "queue", ours, { what: "hold", id: "i" })).toEqual({ ok: true, value: undefined });
    expect(perform).toHaveBeenCalledWith({ what: "hold", id: "i" });
    const input = { documentId: "d", path: "/a/harbour.pdf" };
    expect(await answer(handlers, "storedRun", ours, input)).toEqual({ ok: true, value: newer });
    const copy = await answer(handlers, "summaryToCopy", ours, { documentId: "d" });
    expect(copy).toMatchObject({ value: { text: "It sank." } });
  });

  it("forgets a document before the library deletes it", async () => {
    const order: string[] = [];
    const { handlers } = parts({
      queue: {
        state: unexpected,
        perform: unexpected,
        lastRun: unexpected,
        forget: async (path) => void order.push(`queue ${path}`),
      },
      library: {
        ...noLibrary,
        remove: async (path) => order.push(`library ${path}`) > 0,
      },
    });
    expect(await answer(handlers, "libraryRemove", ours, { path: "/a.pdf" })).toEqual({ ok: true, value: true });
    expect(order).toEqual(["queue /a.pdf", "library /a.pdf"]);
  });
});

it("registers a handler for every command of the contract", () => {
  const channels: string[] = [];
  registerIpc({ handle: (channel) => channels.push(channel) }, parts().handlers);
  expect(channels).toEqual(commandNames.map(channelOf));
});

it.each([
  ["/home/a/Harbour report.v2.pdf", "Harbour report.v2 summary.md"],
  ["C:\\papers\\minutes.PDF", "minutes summary.md"],
  ["/home/a/.pdf", "Document summary.md"],
])("suggests a name for %s", (path, name) => expect(suggestedName(path, "md")).toBe(name));

import { describe, expect, it, vi } from "vitest";
import { cancelled, PrecisError } from "../../core/errors.js";
import type { DocumentSummary } from "../../electron/contract.js";
import { OpenDocuments } from "../../electron/documents.js";
import type { Call } from "../../electron/summarizer.js";

const call = (signal = new AbortController().signal): Call => ({ signal, onProgress: () => {}, onText: () => {} });
const item = { path: "/a.pdf", ownId: "queued", recognition: { languages: "eng" } };

/** A worker whose openings the test ends. */
function worker() {
  const openings: { id: string; done(): void; fail(): void }[] = [];
  const close = vi.fn(async () => {});
  const documents = new OpenDocuments({
    open: (id) =>
      new Promise<DocumentSummary>((resolve, reject) => {
        openings.push({
          id,
          done: () => resolve({} as DocumentSummary),
          fail: () => reject(new PrecisError("file-damaged", "It is damaged.")),
        });
      }),
    close,
  });
  return { documents, openings, close };
}

describe("a document that the queue reads", () => {
  it("is the window's, once that is open, and stays open until it is read", async () => {
    const { documents, openings, close } = worker();
    void documents.show("shown", "/a.pdf", undefined, call());
    let end = () => {};
    const work = vi.fn(() => new Promise<void>((resolve) => (end = resolve)));
    const reading = documents.read(item, call(), work);
    expect(work).not.toHaveBeenCalled();
    openings[0]?.done();
    await vi.waitFor(() => expect(work).toHaveBeenCalledWith("shown"));
    await documents.close("shown");
    expect(close).not.toHaveBeenCalled();
    end();
    await reading;
    expect(close.mock.calls).toEqual([["shown"]]);
    expect(openings).toHaveLength(1);
  });

  it("stays open for the window when it is read", async () => {
    const { documents, openings, close } = worker();
    void documents.show("shown", "/a.pdf", undefined, call());
    openings[0]?.done();
    await documents.read(item, call(), async () => {});
    expect(close).not.toHaveBeenCalled();
    await documents.closeAll();
    expect(close.mock.calls).toEqual([["shown"]]);
  });

  it.each([
    ["the window does not have it", () => {}],
    ["the window could not open it", (openings: { fail(): void }[]) => openings[0]?.fail()],
  ])("is opened for it alone when %s", async (_why, before) => {
    const { documents, openings, close } = worker();
    if (_why.includes("could not")) documents.show("shown", "/a.pdf", undefined, call()).catch(() => {});
    const reading = documents.read(item, call(), async (documentId) => documentId);
    before(openings);
    await vi.waitFor(() => expect(openings.at(-1)?.id).toBe("queued"));
    openings.at(-1)?.done();
    expect(await reading).toBe("queued");
    expect(close.mock.calls).toEqual([["queued"]]);
  });

  it("is not waited for any longer once its run is cancelled", async () => {
    const { documents } = worker();
    void documents.show("shown", "/a.pdf", undefined, call());
    const controller = new AbortController();
    const reading = documents.read(item, call(controller.signal), async () => {});
    controller.abort();
    await expect(reading).rejects.toEqual(cancelled());
  });
});

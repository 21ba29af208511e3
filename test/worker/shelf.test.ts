import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { textPage } from "../../core/documents/document.js";
import { CacheStore } from "../../core/engine/cache-store.js";
import { PrecisError } from "../../core/errors.js";
import { Library } from "../../core/library/library.js";
import { libraryOver } from "../../core/library/requests.js";
import { WorkerClient } from "../../core/worker/client.js";
import { serve } from "../../core/worker/server.js";
import { fakeEngine } from "../support/fake-engine.js";

const options = { budget: "25%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "precis-shelf-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A client of a server whose documents are of one page with these words. */
function joined(words: string, openLibrary?: () => Library) {
  let toServer: (message: unknown) => void = () => {};
  let toClient: (message: unknown) => void = () => {};
  serve(
    {
      postMessage: (reply) => toClient(structuredClone(reply)),
      onMessage: (listener) => {
        toServer = listener;
      },
    },
    {
      findModel: async () => ({ id: "m", path: "/m" }),
      loadEngine: async () => fakeEngine({ answer: "The breakwater settled." }),
      inspectModel: () => Promise.reject(new Error("not expected here")),
      openDocument: async (path) => ({
        path,
        title: "Harbour",
        kind: "text",
        unit: "section",
        pages: [textPage(1, words)],
        warnings: [],
      }),
      openLibrary,
      caches: new CacheStore(folder),
      log: () => {},
      onShutdown: () => {},
    },
  );
  const client = new WorkerClient({
    postMessage: (request) => toServer(structuredClone(request)),
    onMessage: (listener) => {
      toClient = listener;
    },
  });
  return { client, library: libraryOver((request) => client.library(request)) };
}
const words = "dredging ".repeat(200);

describe("the worker's library", () => {
  it("has what was opened and summarised, until it is deleted", async () => {
    const { client, library } = joined(words, () => Library.open(":memory:"));
    await client.loadModel();
    await client.open("d", "/harbour.txt");
    const result = await client.summarize("d", options);
    expect(result.warnings.join()).not.toContain("library");
    expect(await library.list(5)).toMatchObject({ total: 1, entries: [{ path: "/harbour.txt", summarised: true }] });
    expect(await library.search("dredg", 5)).toMatchObject([{ page: 1, inSummary: false }]);
    expect(await library.search("breakwater", 5)).toMatchObject([{ inSummary: true }]);
    expect((await library.lastRun("/harbour.txt"))?.result.text).toBe(result.text);
    expect(await library.lastRun("/other.txt")).toBeUndefined();
    await writeFile(join(folder, "0123.kv"), "what a reading kept");
    expect(await library.remove("/harbour.txt")).toBe(true);
    expect(await readdir(folder)).toEqual([]);
    expect(await library.search("dredg", 5)).toEqual([]);
  });

  it("is never in the way of a summary: what could not be kept is a warning, a search says why", async () => {
    const { client, library } = joined(words, () => {
      throw new PrecisError("library-unreadable", "The library is damaged.", "Move it away.");
    });
    await client.loadModel();
    const warning = "This is not in the library now. The library is damaged. Move it away.";
    expect((await client.open("d", "/harbour.txt")).warnings).toEqual([warning]);
    expect((await client.summarize("d", options)).warnings).toContain(warning);
    await expect(library.search("dredg", 5)).rejects.toMatchObject({ code: "library-unreadable" });
  });

  it("takes counted bytes beside the caches, which can be cleared without it", async () => {
    const { client, library } = joined(words, () => Library.open(":memory:"));
    await client.loadModel();
    await client.open("d", "/harbour.txt");
    await client.summarize("d", options);
    await writeFile(join(folder, "0123.kv"), "what a reading kept");
    const before = await client.storage();
    expect(before.documents).toBeGreaterThan(0);
    expect(before.runs).toBeGreaterThan(0);
    expect(before.caches).toBeGreaterThanOrEqual("what a reading kept".length);
    expect(await client.storage("caches")).toEqual({ ...before, caches: 0 });
    expect((await library.list(5)).total).toBe(1);
  });

  it("is not missed where there is none", async () => {
    const { client, library } = joined(words);
    await client.loadModel();
    expect((await client.open("d", "/harbour.txt")).warnings).toEqual([]);
    await expect(library.list(5)).rejects.toMatchObject({ code: "usage" });
  });
});

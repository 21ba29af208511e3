import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { textPage } from "../../core/documents/document.js";
import { CacheStore } from "../../core/engine/cache-store.js";
import { PrecisError } from "../../core/errors.js";
import { WorkerClient } from "../../core/worker/client.js";
import type { Reply } from "../../core/worker/protocol.js";
import { type ServerDeps, serve } from "../../core/worker/server.js";
import { type FakeEngine, fakeEngine } from "../support/fake-engine.js";

const options = { budget: "25%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const;

const facts = {
  architecture: "llama",
  contextLength: 8192,
  bytes: 100,
  shape: {
    layers: 2,
    fullLayers: 2,
    queryHeads: 4,
    kvHeads: 2,
    keySize: 64,
    valueSize: 64,
    embeddingSize: 256,
    feedForwardSize: 512,
    vocabularySize: 1000,
  },
};

/** A server and its client joined without a thread, and what passed between them. */
function joined(deps: Partial<ServerDeps> = {}) {
  const replies: Reply[] = [];
  const logged: unknown[] = [];
  const engines: FakeEngine[] = [];
  let ended = false;
  let toServer: (message: unknown) => void = () => {};
  let toClient: (message: unknown) => void = () => {};
  serve(
    {
      postMessage: (reply) => {
        replies.push(reply);
        toClient(reply);
      },
      onMessage: (listener) => {
        toServer = listener;
      },
    },
    {
      findModel: async (wanted = "default") => ({ id: wanted, path: `/${wanted}` }),
      loadEngine: async (path) => {
        const engine = fakeEngine();
        engines.push(engine);
        return Object.assign(engine, { model: { ...engine.model, path } });
      },
      openDocument: async (path) => ({
        path,
        title: path,
        kind: "text",
        unit: "section",
        pages: [textPage(1, "word ".repeat(200).trim())],
        warnings: [],
      }),
      log: (error) => logged.push(error),
      inspectModel: async () => facts,
      onShutdown: () => {
        ended = true;
      },
      ...deps,
    },
  );
  const client = new WorkerClient({
    postMessage: (request) => toServer(request),
    onMessage: (listener) => {
      toClient = listener;
    },
  });
  return { client, replies, logged, engines, send: (message: unknown) => toServer(message), hasEnded: () => ended };
}

describe("the server", () => {
  test("keeps a loaded model and disposes it for another one", async () => {
    const { client, engines } = joined();
    await client.loadModel("a");
    await client.loadModel("a");
    expect(engines).toHaveLength(1);
    expect((await client.loadModel("b")).path).toBe("/b");
    expect(engines.map(({ disposed }) => disposed)).toEqual([true, false]);
    await client.loadModel("b", {}, 4);
    await client.loadModel("b", {}, 4);
    expect(engines.map(({ disposed }) => disposed)).toEqual([true, true, false]);
  });

  test("says what a model's file is, and why it is none, while the model is busy", async () => {
    const { client } = joined({
      loadEngine: () => new Promise(() => {}),
      inspectModel: async (path) => {
        if (path === "/half.gguf") throw new PrecisError("model-damaged", "It is not whole.");
        return facts;
      },
    });
    void client.loadModel();
    expect(await client.inspectModel("/a.gguf")).toEqual(facts);
    await expect(client.inspectModel("/half.gguf")).rejects.toMatchObject({ code: "model-damaged" });
  });

  test("drops saved caches beyond a limit that is set while it runs", async () => {
    const folder = mkdtempSync(join(tmpdir(), "precis-server-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { client } = joined({ caches: new CacheStore(folder) });
    await client.loadModel();
    await client.open("a", "/a.txt");
    await client.summarize("a", options);
    expect(readdirSync(folder)).toHaveLength(1);
    await client.limitCaches(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("answers a question from what the summary's reading kept, and reads again where that is asked for", async () => {
    const folder = mkdtempSync(join(tmpdir(), "precis-server-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { client, engines } = joined({ caches: new CacheStore(folder) });
    await client.loadModel();
    await client.open("a", "/a.txt");
    const read = () => engines[0]?.seen.budgetEntries.length;
    expect((await client.summarize("a", options)).savedCache).toBeUndefined();
    expect((await client.summarize("a", options)).savedCache).toBeUndefined();
    expect(read(), "a summary reads, whatever is saved").toBe(2);
    const question = { ...options, question: "How much?" };
    expect((await client.ask("a", "one", question, "memory")).savedCache).toBe("same");
    expect(read()).toBe(2);
    expect((await client.ask("a", "two", question, "document")).savedCache).toBeUndefined();
    expect(read()).toBe(3);
    expect(readdirSync(folder), "what was kept for the summary stays").toHaveLength(1);
    await expect(client.ask("a", "three", { ...options, question: " " }, "memory")).rejects.toMatchObject({
      code: "usage",
    });
    await expect(client.ask("b", "four", question, "memory")).rejects.toThrow("not open");
  });

  test("makes one summary of several open documents, and refuses one that is not open", async () => {
    const { client } = joined();
    await client.loadModel();
    await client.open("a", "/a.txt");
    await client.open("b", "/b.txt");
    const result = await client.summarize("a", options, {}, ["b"]);
    expect([result.document, ...result.furtherDocuments].map(({ path }) => path)).toEqual(["/a.txt", "/b.txt"]);
    await expect(client.summarize("a", options, {}, ["c"])).rejects.toMatchObject({ code: "usage" });
  });

  test("forecasts how a document will be read, from one trial, and says why it cannot be", async () => {
    const { client, engines } = joined();
    await client.loadModel();
    await client.open("a", "/a.txt");
    const read = () => engines[0]?.seen.budgetEntries.length;
    const whole = await client.forecast("a", options);
    expect(whole).toMatchObject({ parts: 1, warnings: [] });
    expect(whole.why).toBeUndefined();
    expect(whole.durationMs).toBeGreaterThan(0);
    expect(whole.memory.availableBytes).toBeGreaterThan(0);
    expect(whole.memory.totalBytes).toBeGreaterThan(whole.memory.availableBytes);
    expect(read(), "a trial, nothing else").toBe(1);
    await client.open("b", "/b.txt");
    const together = await client.forecast("a", options, {}, ["b"]);
    expect(together).toMatchObject({ parts: 2, why: "several documents are summarised together" });
    expect(read()).toBe(1);
    const refused = await client.forecast("a", { ...options, budget: "3" });
    expect(refused).toMatchObject({ parts: 0, refusal: { code: "budget-too-small" } });
  });

  test("opens what was asked for while the model was still loading", async () => {
    const { client } = joined();
    const [, document] = await Promise.all([client.loadModel(), client.open("a", "/a.txt")]);
    expect(document.tokens).toBe(200);
  });

  test("opens with the languages asked for, counts scanned pages, and says how each page was read", async () => {
    const recognition = { languages: "deu", folder: "/data" };
    const asked: unknown[] = [];
    const { client, replies } = joined({
      openDocument: async (path, { onProgress, recognition }) => {
        asked.push(recognition);
        onProgress?.(0, 2);
        onProgress?.(1, 2);
        const pages = [
          textPage(1, "word"),
          { ...textPage(2, "word"), reading: { how: "ocr", confidence: 0.9 } as const },
        ];
        return { path, title: path, kind: "pdf", unit: "page", pages, warnings: [] };
      },
    });
    await client.loadModel();
    const { coverage } = await client.open("a", "/a.pdf", {}, recognition);
    expect(asked).toEqual([recognition]);
    expect(coverage).toEqual({ unit: "page", text: [1], ocr: [{ page: 2, confidence: 0.9 }], empty: [], failed: [] });
    const last = replies.filter((reply) => reply.kind === "progress").at(-1);
    expect(last?.progress).toMatchObject({ stage: "opening", fraction: 0.5, scans: { done: 1, total: 2 } });
    expect(last?.progress.remainingMs).toBe(last?.progress.elapsedMs);
  });

  test("gives out what was read of some pages, as far as there are any", async () => {
    const pages = [1, 2, 3].map((number) => textPage(number, `page ${number}`));
    const { client } = joined({
      openDocument: async (path) => ({ path, title: path, kind: "text", unit: "page", pages, warnings: [] }),
    });
    await client.loadModel();
    await client.open("d", "/a.txt");
    expect(await client.pageTexts("d", 2, 50)).toEqual([
      { number: 2, text: "page 2" },
      { number: 3, text: "page 3" },
    ]);
    await expect(client.pageTexts("closed", 1, 1)).rejects.toMatchObject({ code: "usage" });
  });

  test("logs the cause of an error that nobody foresaw, and only of such a one", async () => {
    const cause = new TypeError("x is undefined");
    const { client, logged } = joined({
      openDocument: async () => {
        throw cause;
      },
    });
    await client.loadModel();
    await expect(client.open("a", "/a.txt")).rejects.toMatchObject({ code: "internal" });
    await expect(client.summarize("a", {} as never)).rejects.toMatchObject({ code: "usage" });
    expect(logged).toEqual([cause]);
  });

  test("does not mistake a second request of the same id for the first", async () => {
    const { replies, send, engines } = joined();
    send({ id: 1, kind: "load-model" });
    send({ id: 1, kind: "load-model", model: "other" });
    await expect.poll(() => replies.length).toBe(2);
    expect(replies[0]).toMatchObject({ id: -1, kind: "failed", error: { code: "usage" } });
    expect(replies[1]).toMatchObject({ id: 1, kind: "done", result: { path: "/default" } });
    expect(engines).toHaveLength(1);
  });

  test("disposes the model before it says that it has shut down, and takes nothing after", async () => {
    const { client, engines, hasEnded } = joined();
    await client.loadModel();
    await client.shutdown();
    expect(engines[0]?.disposed).toBe(true);
    expect(hasEnded()).toBe(true);
    await expect(client.loadModel()).rejects.toMatchObject({ code: "usage" });
  });
});

describe("the client", () => {
  test("refuses an answer that does not keep the contract", async () => {
    let toClient: (message: unknown) => void = () => {};
    const client = new WorkerClient({
      postMessage: ({ id }) => toClient({ id, kind: "done", result: { id: "m", layers: "many" } }),
      onMessage: (listener) => {
        toClient = listener;
      },
    });
    await expect(client.loadModel()).rejects.toMatchObject({ code: "internal" });
  });

  test("ignores messages that answer nothing", async () => {
    const { client, send } = joined();
    send({ id: 999, kind: "cancel", target: 5 });
    send("nonsense");
    expect((await client.loadModel()).id).toBe("fake");
  });
});

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { PrecisError } from "../../core/errors.js";
import type { RunOptions } from "../../core/summarize/options.js";
import type { Progress } from "../../core/worker/protocol.js";
import { WorkerSupervisor } from "../../core/worker/supervisor.js";

/** Bundled as the app's worker is. */
const folder = mkdtempSync(join(tmpdir(), "precis-worker-"));
const entry = join(folder, "worker.mjs");
const workerOptions = { stderr: true };
const options: RunOptions = { budget: "25%", policy: "dynamickv", length: "short", seed: 0, temperature: 0 };

let deaths: { error: PrecisError; restarted: boolean }[];
let supervisor: WorkerSupervisor;

beforeAll(async () => {
  const entryPoints = [fileURLToPath(new URL("../support/fake-worker.ts", import.meta.url))];
  await build({ entryPoints, outfile: entry, bundle: true, platform: "node", format: "esm", target: "node20" });
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(() => {
  deaths = [];
  supervisor = new WorkerSupervisor({
    entry,
    workerOptions,
    shutdownMs: 2_000,
    onDeath: (error, restarted) => deaths.push({ error, restarted }),
  });
});

afterEach(async () => {
  await supervisor.shutdown();
});

describe("a worker", () => {
  test("loads, opens, summarises with events, and ends cleanly", async () => {
    const { client } = supervisor;
    const model = await client.loadModel();
    expect(model).toMatchObject({ id: "fake", layers: 30, kvHeads: 3, embeddingSize: 576 });
    const document = await client.open("a", "report");
    expect(document).toMatchObject({ documentId: "a", pages: 1, tokens: 501 });
    expect(document.promptTokens).toBeGreaterThan(10);
    const seen: Progress[] = [];
    let text = "";
    const result = await client.summarize("a", options, {
      onProgress: (progress) => seen.push(progress),
      onText: (piece) => {
        text += piece;
      },
    });
    expect(result.text).toBe(text);
    expect(seen.map(({ stage }) => stage)).toContain("reading");
    expect(seen.at(-1)?.stage).toBe("writing");
    expect(await supervisor.shutdown()).toBe(true);
    expect(deaths).toEqual([]);
    await expect(client.open("b", "late")).rejects.toMatchObject({ code: "worker-died" });
  });

  test("joins text that comes faster than a window paints", async () => {
    const { client } = supervisor;
    await client.loadModel();
    await client.open("a", "many");
    let events = 0;
    let text = "";
    const result = await client.summarize("a", options, {
      onText: (piece) => {
        events += 1;
        text += piece;
      },
    });
    expect(text.trim()).toBe(result.text);
    expect(events).toBeLessThan(50);
  });

  test("passes typed errors on, with what to do next", async () => {
    const { client } = supervisor;
    await client.loadModel();
    await expect(client.open("a", "missing")).rejects.toMatchObject({
      code: "file-missing",
      message: "There is no such file.",
      next: "Check the path.",
    });
    await expect(client.open("a", "broken")).rejects.toMatchObject({ code: "internal" });
    await expect(client.summarize("a", options)).rejects.toMatchObject({ code: "usage" });
    await client.open("a", "report");
    await client.close("a");
    await expect(client.summarize("a", options)).rejects.toMatchObject({ code: "usage" });
  });

  test("needs a model first", async () => {
    await expect(supervisor.client.open("a", "report")).rejects.toMatchObject({ code: "model-missing" });
  });

  test("cancels while reading and goes on with the next request", async () => {
    const { client } = supervisor;
    await client.loadModel();
    await client.open("slow", "slow");
    const controller = new AbortController();
    const reading = client.summarize("slow", options, {
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    const started = performance.now();
    await expect(reading).rejects.toMatchObject({ code: "cancelled" });
    expect(performance.now() - started).toBeLessThan(1_000);
    await client.open("a", "report");
    await expect(client.summarize("a", options)).resolves.toMatchObject({ policy: "dynamickv" });
  });

  test("opens documents and cancels what waits while it reads", async () => {
    const { client } = supervisor;
    await client.loadModel();
    await client.open("slow", "slow");
    const first = new AbortController();
    const second = new AbortController();
    let firstEnded = false;
    const reading = client.summarize("slow", options, { signal: first.signal }).catch((error: PrecisError) => {
      firstEnded = true;
      return error.code;
    });
    const waiting = client.summarize("slow", options, { signal: second.signal });
    await client.open("b", "another");
    second.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    expect(firstEnded).toBe(false);
    first.abort();
    expect(await reading).toBe("cancelled");
  });

  test("rejects what was cancelled before it was sent", async () => {
    const run = supervisor.client.loadModel(undefined, { signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
  });

  test("cancels a running request to shut down", async () => {
    const { client } = supervisor;
    await client.loadModel();
    await client.open("slow", "slow");
    const reading = client.summarize("slow", options).catch((error: PrecisError) => error.code);
    await sleep(50);
    expect(await supervisor.shutdown()).toBe(true);
    expect(await reading).toBe("cancelled");
  });
});

describe("the supervisor", () => {
  test.each(["crash", "exit"])("reports a worker that dies by %s and starts a new one", async (path) => {
    const { client } = supervisor;
    await client.loadModel();
    await client.open("a", path);
    await expect(client.summarize("a", options)).rejects.toMatchObject({
      code: "worker-died",
      message: expect.stringContaining(path === "crash" ? "a native fault" : "exit code 7"),
    });
    expect(deaths).toMatchObject([{ error: { code: "worker-died" }, restarted: true }]);
    expect(supervisor.client).not.toBe(client);
    await supervisor.client.loadModel();
    await supervisor.client.open("a", "report");
    await expect(supervisor.client.summarize("a", options)).resolves.toMatchObject({ policy: "dynamickv" });
  });

  test("stops starting a worker that dies at once, each time", async () => {
    const found: boolean[] = [];
    const dying = await new Promise<WorkerSupervisor>((resolve) => {
      const made: WorkerSupervisor = new WorkerSupervisor({
        entry: new URL("data:text/javascript,throw new Error('no such library')"),
        onDeath: (_, restarted) => {
          found.push(restarted);
          if (!restarted) resolve(made);
        },
      });
    });
    expect(found).toEqual([true, true, true, false]);
    await expect(dying.client.loadModel()).rejects.toMatchObject({
      code: "worker-died",
      message: expect.stringContaining("no such library"),
    });
    await dying.shutdown();
  });

  test("ends a worker by force that does not end by itself", async () => {
    const stuck = new WorkerSupervisor({ entry, workerOptions, shutdownMs: 200 });
    await stuck.client.loadModel("stuck");
    expect(await stuck.shutdown()).toBe(false);
  });
});

describe("messages that are no requests", () => {
  test("are answered with an error each, and the worker goes on", async () => {
    const worker = new Worker(entry, workerOptions);
    const ask = async (message: unknown) => {
      worker.postMessage(message);
      const [reply] = await once(worker, "message");
      return reply as unknown;
    };
    const refused = (id: number) => ({ id, kind: "failed", error: { code: "usage" } });
    expect(await ask("hello")).toMatchObject(refused(-1));
    expect(await ask(null)).toMatchObject(refused(-1));
    expect(await ask({ id: 4, kind: "format-disk" })).toMatchObject(refused(4));
    expect(await ask({ id: 5, kind: "open", documentId: 3, path: "x" })).toMatchObject(refused(5));
    expect(await ask({ id: "6", kind: "shutdown" })).toMatchObject(refused(-1));
    const tooLong = { ...options, question: "?".repeat(5_000) };
    expect(await ask({ id: 7, kind: "summarize", documentId: "a", options: tooLong })).toMatchObject(refused(7));
    expect(await ask({ id: 8, kind: "cancel", target: 99 })).toEqual({ id: 8, kind: "done", result: undefined });
    expect(await ask({ id: 9, kind: "shutdown" })).toMatchObject({ id: 9, kind: "done" });
    expect(await once(worker, "exit")).toEqual([0]);
  });
});

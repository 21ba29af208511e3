import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { catalogue, catalogueModel } from "../../core/models/catalogue.js";
import type { ModelActivity } from "../../electron/contract.js";
import { Models } from "../../electron/models.js";
import { type HubServer, hubServer, modelBytes } from "../models/hub-server.js";

const id = "qwen2.5-1.5b-instruct";
const model = catalogueModel(id)!;
let cache: string;
let hub: HubServer;
let chosen: string;
let told: (ModelActivity | undefined)[];
let models: Models;

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), "precis-window-models-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]) vi.stubEnv(name, "");
  hub = await hubServer((model.source as { repository: string }).repository, model.file, modelBytes(1_000_000));
  chosen = "";
  told = [];
  models = new Models({
    network: () => ({ mirror: hub.url }),
    inspect: async () => ({ architecture: "llama", contextLength: 512, bytes: 24, shape: model.shape }),
    chosen: () => chosen,
    loaded: () => undefined,
    changed: (changed, activity) => changed === id && told.push(activity),
    availableBytes: () => 8 * 2 ** 30,
  });
});
afterEach(async () => {
  await models.stop();
  await hub.close();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

const listed = async (wanted = id) => (await models.list()).find((one) => one.id === wanted);
const ended = () =>
  vi.waitFor(() => expect(["downloading", "verifying"]).not.toContain(told.at(-1)?.kind), { timeout: 5_000 });

describe("the window's models", () => {
  it("are the catalogue's, each with what this machine can read with it and which is chosen", async () => {
    const all = await models.list();
    expect(all.map((one) => one.id)).toEqual(catalogue.models.map((one) => one.id));
    expect(all.filter((one) => one.chosen).map((one) => one.id)).toEqual([catalogue.default]);
    for (const { reads, contextLength } of all) expect(reads.tokens).toBeLessThan(contextLength);
    expect(await listed()).toMatchObject({ state: "missing", exact: false, reads: { limit: "context" } });
  });

  it("are downloaded, checked and deleted, and tell how it goes", async () => {
    models.download(id);
    await ended();
    expect(told[0]).toMatchObject({ kind: "downloading", stage: "connecting" });
    expect(told.at(-1)).toBeUndefined();
    expect(await listed()).toMatchObject({ state: "ready", exact: true, bytes: 1_000_000 });
    models.verify(id);
    await ended();
    expect(told.at(-1)).toEqual({ kind: "verified" });
    chosen = id;
    await expect(models.delete(id)).rejects.toMatchObject({ code: "model-in-use" });
    chosen = "";
    expect(await models.delete(id)).toMatch(/free again/);
    expect(await listed()).toMatchObject({ state: "missing" });
  });

  it("keep what has come when a download is paused, and nothing when it is cancelled", async () => {
    hub.pauseMs = 20;
    models.download(id);
    await vi.waitFor(() => expect(told.at(-1)).toMatchObject({ stage: "receiving" }));
    await expect(models.delete(id)).rejects.toMatchObject({ code: "model-in-use" });
    await models.pause(id);
    expect(await listed()).toMatchObject({ state: "begun", activity: undefined });
    models.download(id);
    await models.discard(id);
    expect(await listed()).toMatchObject({ state: "missing", receivedBytes: 0 });
  });

  it("say why a download failed", async () => {
    hub.failing = { text: "/api/", status: 404 };
    models.download(id);
    await ended();
    expect(await listed()).toMatchObject({ activity: { kind: "failed", error: { code: "download-missing" } } });
  });

  it("take a file of the user's, which can be chosen and taken out again", async () => {
    const path = join(cache, "own.gguf");
    writeFileSync(path, modelBytes(64));
    expect(await models.add(path)).toBe("own");
    chosen = "own";
    expect(await listed("own")).toMatchObject({ chosen: true, kind: "added" });
    chosen = "";
    expect(await models.delete("own")).toMatch(/no longer in the list/);
  });
});

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { catalogue, catalogueSchema } from "../../core/models/catalogue.js";
import { findModel, verifyModel } from "../../core/models/models.js";
import { cacheFolder } from "../../core/models/paths.js";
import { cacheFolder as setupCacheFolder } from "../../scripts/setup/paths.mjs";

const model = catalogue.models[0]!;
const realModel = join(cacheFolder(), "models", model.file);
let cache: string;

/** A header of GGUF version 3 with these counts. */
function ggufHeader(tensors: bigint, entries: bigint): Buffer {
  const header = Buffer.alloc(24);
  header.write("GGUF", "latin1");
  header.writeUInt32LE(3, 4);
  header.writeBigUInt64LE(tensors, 8);
  header.writeBigUInt64LE(entries, 16);
  return header;
}

/** A file of the catalogue model's size that starts as GGUF but holds nothing else. */
function writeHollowModel(bytes = model.bytes): string {
  const path = join(cache, "precis", "models", model.file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, ggufHeader(272n, 33n));
  truncateSync(path, bytes);
  return path;
}

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "precis-models-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

describe("findModel", () => {
  it("finds the default model when nothing is named, and by its id", async () => {
    const path = writeHollowModel();
    expect(await findModel()).toEqual({ id: model.id, path });
    expect(await findModel(model.id)).toEqual({ id: model.id, path });
  });

  it("takes any GGUF file by its path and names it after the file", async () => {
    const path = join(cache, "Other.Q8_0.gguf");
    writeFileSync(path, ggufHeader(1n, 1n));
    expect(await findModel(path)).toEqual({ id: "Other.Q8_0", path });
  });

  it("says that the default model is missing and how to get it", async () => {
    await expect(findModel()).rejects.toMatchObject({
      code: "model-missing",
      next: expect.stringMatching(/npm run setup/),
    });
  });

  it("lists the known models when a name is none of them", async () => {
    const promise = findModel("no-such-model");
    await expect(promise).rejects.toMatchObject({ code: "model-missing", next: expect.stringContaining(model.id) });
  });

  it("does not take a partial file for a whole one", async () => {
    writeHollowModel(model.bytes - 1);
    await expect(findModel()).rejects.toMatchObject({
      code: "model-damaged",
      message: expect.stringMatching(/incomplete/),
    });
  });

  it.each([
    ["GGU"],
    ["PK\u0003\u0004 zip"],
    [""],
    ["GGUF\u0003\0\0\0garbage garbage garbage"],
    [ggufHeader(1n << 40n, 33n)],
    [ggufHeader(272n, 1n << 40n)],
  ])("refuses a file that starts with %j", async (content) => {
    const path = join(cache, "x.gguf");
    writeFileSync(path, content);
    await expect(findModel(path)).rejects.toMatchObject({ code: "model-damaged" });
  });

  it("refuses a folder", async () => {
    await expect(findModel(cache)).rejects.toMatchObject({ code: "model-missing" });
  });
});

describe("verifyModel", () => {
  it("finds a file damaged whose size is right", async () => {
    writeHollowModel();
    await expect(verifyModel()).rejects.toMatchObject({
      code: "model-damaged",
      message: expect.stringMatching(/sha256/),
    });
  });

  it("accepts the real model and reports progress up to the end", async () => {
    mkdirSync(join(cache, "precis", "models"), { recursive: true });
    symlinkSync(realModel, join(cache, "precis", "models", model.file));
    const fractions: number[] = [];
    const found = await verifyModel(model.id, { onProgress: (fraction) => fractions.push(fraction) });
    expect(found.id).toBe(model.id);
    expect(fractions.at(-1)).toBe(1);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it("stops when it is cancelled", async () => {
    writeHollowModel();
    const controller = new AbortController();
    const promise = verifyModel(model.id, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(promise).rejects.toMatchObject({ code: "cancelled" });
  });

  it("knows no checksum for a file that is not of the catalogue", async () => {
    await expect(verifyModel("x.gguf")).rejects.toMatchObject({ code: "usage" });
  });
});

describe("the catalogue", () => {
  it("refuses two models of one id and a default that is not there", () => {
    expect(catalogueSchema.safeParse({ ...catalogue, models: [model, model] }).success).toBe(false);
    expect(catalogueSchema.safeParse({ ...catalogue, default: "other" }).success).toBe(false);
  });
});

describe("the cache folder", () => {
  it.each([
    [{ XDG_CACHE_HOME: "/x" }, "linux"],
    [{}, "linux"],
    [{}, "darwin"],
    [{ LOCALAPPDATA: "C:\\Local" }, "win32"],
    [{}, "win32"],
  ] as [NodeJS.ProcessEnv, NodeJS.Platform][])("is the same for set-up and app (%j, %s)", (env, platform) => {
    expect(cacheFolder(env, platform)).toBe(setupCacheFolder(env, platform));
  });
});

import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PrecisError } from "../../core/errors.js";
import { addModel } from "../../core/models/added.js";
import { catalogue, catalogueSchema, guessedBytes } from "../../core/models/catalogue.js";
import { deleteModel, findModel, listModels, verifyModel } from "../../core/models/models.js";
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
function writeHollowModel(bytes = model.bytes!): string {
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
    writeHollowModel(model.bytes! - 1);
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
  it("refuses two models of one id or one file, and a default that is not there", () => {
    expect(catalogueSchema.safeParse({ ...catalogue, models: [model, model] }).success).toBe(false);
    expect(catalogueSchema.safeParse({ ...catalogue, models: [model, { ...model, id: "other" }] }).success).toBe(false);
    expect(catalogueSchema.safeParse({ ...catalogue, default: "other" }).success).toBe(false);
  });

  it("takes a size only with its sha256, and no package without both", () => {
    const { sha256: _, ...sized } = model;
    const { bytes: __, ...bare } = sized;
    for (const wrong of [sized, bare]) {
      expect(catalogueSchema.safeParse({ ...catalogue, models: [wrong] }).success).toBe(false);
    }
  });

  it("guesses a size near the true one", () => {
    expect(guessedBytes(model) / model.bytes!).toBeGreaterThan(0.85);
    expect(guessedBytes(model) / model.bytes!).toBeLessThan(1.15);
  });
});

describe("models that the user adds", () => {
  const facts = { architecture: "llama", name: "Tiny", contextLength: 512, bytes: 24, shape: model.shape };
  const own = (name: string) => {
    const path = join(cache, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, ggufHeader(1n, 1n));
    return path;
  };

  it("stand in the list under their file's name, are found by it, and stay where they are when they leave it", async () => {
    const path = own("Tiny.Q8_0.gguf");
    const added = await addModel(path, async () => facts);
    expect(added).toMatchObject({ id: "Tiny.Q8_0", path });
    expect(await findModel("Tiny.Q8_0")).toEqual({ id: "Tiny.Q8_0", path });
    expect((await listModels()).at(-1)).toMatchObject({ id: "Tiny.Q8_0", name: "Tiny", kind: "added", state: "ready" });
    expect(await deleteModel("Tiny.Q8_0")).toMatch(/its file stays/);
    expect(existsSync(path)).toBe(true);
    expect((await listModels()).some(({ kind }) => kind === "added")).toBe(false);
  });

  it("have different ids when they share a name, and one when they are added twice", async () => {
    const [one, two] = [own("one/tiny.gguf"), own("two/tiny.gguf")];
    const ids = [];
    for (const path of [one, two, one]) ids.push((await addModel(path, async () => facts)).id);
    expect(ids.slice(0, 2)).toEqual(["tiny", "tiny-2"]);
    expect(await listModels()).toHaveLength(catalogue.models.length + 2);
  });

  it("must be GGUF files, and what the reader refuses is refused", async () => {
    const zip = join(cache, "a.gguf");
    writeFileSync(zip, "PK\u0003\u0004 and so on, for as long as a header is");
    await expect(addModel(zip, async () => facts)).rejects.toMatchObject({ code: "model-damaged" });
    const refusal = new PrecisError("model-damaged", "It breaks off.");
    await expect(addModel(own("b.gguf"), () => Promise.reject(refusal))).rejects.toBe(refusal);
    expect(await listModels()).toHaveLength(catalogue.models.length);
  });

  it("say in the list when their file is gone", async () => {
    const path = own("gone.gguf");
    await addModel(path, async () => facts);
    rmSync(path);
    expect((await listModels()).at(-1)).toMatchObject({ id: "gone", state: "damaged", problem: expect.any(String) });
  });
});

describe("deleting", () => {
  it("frees the disk, but not of the model that is in use", async () => {
    const path = writeHollowModel();
    await expect(deleteModel(model.id, path)).rejects.toMatchObject({ code: "model-in-use" });
    expect(existsSync(path)).toBe(true);
    expect(await deleteModel(model.id)).toMatch(/93\.8 MiB are free again/);
    expect(existsSync(path)).toBe(false);
    await expect(deleteModel("no-such-model")).rejects.toMatchObject({ code: "usage" });
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

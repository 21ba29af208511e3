import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fullKvBytes } from "../../core/estimate/estimate.js";
import { cachedModel, modelFileName, shapedModel } from "./shapes.js";

const folder = mkdtempSync(join(tmpdir(), "precis-shapes-"));
afterAll(() => rmSync(folder, { recursive: true }));

const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");

/** Metadata numbers (type u32) of a GGUF file, found by name. */
function u32(file: Buffer, key: string): number {
  const at = file.indexOf(key) + key.length;
  expect(file.readUInt32LE(at), key).toBe(4);
  return file.readUInt32LE(at + 4);
}

describe("models of real shapes", () => {
  it("write the shape they are named for, with as many layers as asked", () => {
    const path = cachedModel("smollm2-like", { layers: 2 }, folder);
    const file = readFileSync(path);
    expect(file.toString("latin1", 0, 4)).toBe("GGUF");
    expect(u32(file, "llama.block_count")).toBe(2);
    expect(u32(file, "llama.embedding_length")).toBe(576);
    expect(u32(file, "llama.attention.head_count")).toBe(9);
    expect(u32(file, "llama.attention.head_count_kv")).toBe(3);
    expect(u32(file, "llama.attention.key_length")).toBe(64);
    expect(u32(file, "llama.context_length")).toBeGreaterThan(32_768);
  });

  it("are written once, and leave nothing half-written", () => {
    const path = cachedModel("smollm2-like", { layers: 2 }, folder);
    utimesSync(path, 1, 1);
    expect(cachedModel("smollm2-like", { layers: 2 }, folder)).toBe(path);
    expect(statSync(path).mtimeMs).toBe(1000);
    expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  it("have the same bytes for the same seed, and others for another", () => {
    const one = digest(cachedModel("smollm2-like", { layers: 1 }, folder));
    const again = mkdtempSync(join(folder, "again-"));
    expect(digest(cachedModel("smollm2-like", { layers: 1 }, again))).toBe(one);
    expect(digest(cachedModel("smollm2-like", { layers: 1, seed: 2 }, again))).not.toBe(one);
  });

  it("have file names that differ with everything that changes the bytes", () => {
    const names = [{}, { layers: 4 }, { fullFeedForward: true }, { seed: 2 }].map((options) =>
      modelFileName("llama-3.1-8b-like", shapedModel("llama-3.1-8b-like", options)),
    );
    expect(new Set(names).size).toBe(names.length);
  });

  it("have the KV cache of the model they stand for: 4 GiB at 32k for the 8B one", () => {
    const { layers, kvHeads, headSize } = shapedModel("llama-3.1-8b-like");
    const shape = { fullLayers: layers, kvHeads, keySize: headSize, valueSize: headSize };
    expect(fullKvBytes(shape, 32_768)).toBe(4 * 2 ** 30);
  });

  it("have rows that q4_0 can pack", () => {
    for (const name of ["smollm2-like", "llama-3.2-1b-like", "qwen3-4b-like", "llama-3.1-8b-like"] as const) {
      for (const fullFeedForward of [false, true]) {
        const { feedForward, embedding } = shapedModel(name, { fullFeedForward });
        expect([feedForward % 32, embedding % 32]).toEqual([0, 0]);
      }
    }
  });
});

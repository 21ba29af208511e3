import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { inspectModel } from "../../core/engine/inspect.js";
import { type RandomModel, writeRandomModel } from "../support/gguf.js";

const model: RandomModel = {
  architecture: "qwen3",
  layers: 2,
  embedding: 64,
  feedForward: 128,
  queryHeads: 4,
  kvHeads: 2,
  headSize: 32,
  context: 4096,
  weights: "f16",
  seed: 1,
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-inspect-"));
  path = join(folder, "tiny.gguf");
  writeRandomModel(path, model);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a model's file says its shape without being loaded", async () => {
  expect(await inspectModel(path)).toEqual({
    architecture: "qwen3",
    name: "random qwen3",
    licence: undefined,
    contextLength: 4096,
    bytes: statSync(path).size,
    shape: {
      layers: 2,
      fullLayers: 2,
      queryHeads: 4,
      kvHeads: 2,
      keySize: 32,
      valueSize: 32,
      embeddingSize: 64,
      feedForwardSize: 128,
      vocabularySize: 260,
    },
  });
});

test.each([
  ["in its last tensor", (bytes: number) => bytes - 1000],
  ["in the middle", (bytes: number) => bytes / 2],
  ["in its list of contents", () => 600],
])("a file that ends %s is not whole", async (_where, cut) => {
  truncateSync(path, Math.floor(cut(statSync(path).size)));
  await expect(inspectModel(path)).rejects.toMatchObject({
    code: "model-damaged",
    message: expect.stringMatching(/not whole/),
  });
});

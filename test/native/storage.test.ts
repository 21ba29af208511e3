import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPolicy } from "../../core/compression/registry.js";
import { entryBytes } from "../../core/engine/kv.js";
import type { Engine } from "../../core/engine/types.js";
import {
  keepEverything,
  largestDifference,
  loadDefaultEngine,
  openSession,
  promptOf,
  stockLogits,
  textTokens,
} from "./support.js";

let engine: Engine;
beforeAll(async () => {
  engine = await loadDefaultEngine();
});
afterAll(async () => await engine?.dispose());

/** Mean Kullback-Leibler divergence, in nats, of rows of logits q from rows p, [rows x vocabulary] each. */
function divergence(p: Float32Array, q: Float32Array, rows: number): number {
  const size = p.length / rows;
  const probabilities = (logits: Float32Array, row: number) => {
    const part = logits.subarray(row * size, (row + 1) * size);
    const most = part.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const weights = Float64Array.from(part, (value) => Math.exp(value - most));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  };
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const [a, b] = [probabilities(p, row), probabilities(q, row)];
    total += a.reduce((sum, value, i) => sum + (value > 0 ? value * Math.log(value / (b[i] as number)) : 0), 0);
  }
  return total / rows;
}

describe("how KV entries and hidden states are stored", () => {
  for (const kvType of ["q8_0", "q4_0"] as const) {
    it(`keeps the whole cache in ${kvType} bit by bit as stock llama.cpp does`, async () => {
      const all = textTokens(engine, 308);
      const [prompt, following] = [all.slice(0, 300), all.slice(300)];
      const stock = stockLogits(engine, prompt, following, kvType);
      const session = await openSession(engine);
      const { kv } = await session.read(promptOf(prompt), { policy: createPolicy("full"), budgetEntries: 0, kvType });
      const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
      await session.dispose();
      expect(largestDifference(logits, stock)).toBe(0);
      expect(kv.retainedBytes).toBe((kv.fullBytes * entryBytes(engine.model, kvType)) / entryBytes(engine.model));
    });
  }

  it("keeps 3.5 times the entries in q4_0 for the same bytes, and answers near the f16 cache", async () => {
    const all = textTokens(engine, 520);
    const [prompt, following] = [all.slice(0, 500), all.slice(500)];
    const rows = following.length + 1;
    const entries = Math.floor(0.25 * 500) * engine.model.layers;
    const read = async (kvType: "f16" | "q8_0" | "q4_0", budgetEntries: number) => {
      const session = await openSession(engine);
      const { kv } = await session.read(promptOf(prompt), { policy: createPolicy("dynamickv"), budgetEntries, kvType });
      const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
      await session.dispose();
      expect(kv.retainedBytes).toBe(budgetEntries * engine.model.kvHeads * entryBytes(engine.model, kvType));
      return { bytes: kv.retainedBytes, logits };
    };
    const f16 = await read("f16", entries);
    // the same entries: what differs is their storage alone
    expect(divergence(f16.logits, (await read("q8_0", entries)).logits, rows)).toBeLessThan(0.02);
    expect(divergence(f16.logits, (await read("q4_0", entries)).logits, rows)).toBeLessThan(0.2);
    const more = Math.floor((entries * 64) / 18);
    expect(more / entries).toBeGreaterThan(3.5);
    expect((await read("q4_0", more)).bytes).toBeLessThanOrEqual(f16.bytes);
  });

  it("gives stock llama.cpp's logits with every group size while hidden states wait in f32", async () => {
    const all = textTokens(engine, 304);
    const [prompt, following] = [all.slice(0, 300), all.slice(300)];
    const stock = stockLogits(engine, prompt, following);
    for (const groupLayers of [4, 7, 30]) {
      const session = await openSession(engine);
      await session.read(promptOf(prompt), {
        policy: keepEverything,
        budgetEntries: 0,
        hiddenType: "f32",
        groupLayers,
      });
      const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
      await session.dispose();
      expect(largestDifference(logits, stock), `groups of ${groupLayers}`).toBe(0);
    }
  });

  it("halves the hidden states in f16 at no more than the cost of a q8_0 cache", async () => {
    const all = textTokens(engine, 620);
    const [prompt, following] = [all.slice(0, 600), all.slice(600)];
    const read = async (hiddenType: "f16" | "f32") => {
      const session = await openSession(engine);
      const { kv } = await session.read(promptOf(prompt), { policy: keepEverything, budgetEntries: 0, hiddenType });
      const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
      await session.dispose();
      return { peak: kv.peakBytes, logits };
    };
    const [exact, half] = [await read("f32"), await read("f16")];
    const stock = stockLogits(engine, prompt, following);
    const rows = following.length + 1;
    expect(largestDifference(exact.logits, stock)).toBe(0);
    const q8 = divergence(stock, stockLogits(engine, prompt, following, "q8_0"), rows);
    expect(divergence(stock, half.logits, rows)).toBeLessThan(2 * q8);
    expect(exact.peak - half.peak).toBe(600 * 2 * engine.model.embeddingSize);
  });
});

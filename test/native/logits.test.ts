import { describe, expect, it } from "vitest";
import type { Policy } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { Engine } from "../../core/engine/types.js";
import { cachedModel } from "../support/shapes.js";
import {
  keepEverything,
  largestDifference,
  loadDefaultEngine,
  openSession,
  promptOf,
  stockLogits,
  textTokens,
} from "./support.js";

async function ours(engine: Engine, policy: Policy, prompt: Uint32Array, following: Uint32Array) {
  const session = await openSession(engine);
  try {
    await session.read(promptOf(prompt), { policy, budgetEntries: 0, hiddenType: "f32" });
    return [session.logits(), await session.feed(following)] as const;
  } finally {
    await session.dispose();
  }
}

const fewLayers = () => loadEngine(cachedModel("smollm2-like", { layers: 4 }), "of 4 layers with random weights");

describe("logits against stock llama.cpp with the same batches", () => {
  // what many tokens could break, they break in four layers too, and the whole model takes a minute a reading
  for (const [tokens, load] of [
    [50, loadDefaultEngine],
    [1000, loadDefaultEngine],
    [6000, fewLayers],
  ] as const) {
    it(`are bit-identical after ${tokens} tokens and 8 more`, async () => {
      const engine = await load();
      const all = textTokens(engine, tokens + 8);
      const [prompt, following] = [all.slice(0, tokens), all.slice(tokens)];
      const stock = stockLogits(engine, prompt, following);
      const vocabulary = stock.length / (1 + following.length);
      for (const policy of [createPolicy("full"), keepEverything]) {
        const [first, rest] = await ours(engine, policy, prompt, following);
        expect(largestDifference(first, stock.slice(0, vocabulary)), `${policy.name}, prompt`).toBe(0);
        expect(largestDifference(rest, stock.slice(vocabulary)), `${policy.name}, decoding`).toBe(0);
      }
      await engine.dispose();
    });
  }
});

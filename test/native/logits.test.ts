import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Policy } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
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

async function ours(policy: Policy, prompt: Uint32Array, following: Uint32Array): Promise<Float32Array[]> {
  const session = await openSession(engine);
  try {
    await session.read(promptOf(prompt), { policy, budgetEntries: 0, hiddenType: "f32" });
    const first = session.logits();
    return [first, await session.feed(following)];
  } finally {
    await session.dispose();
  }
}

describe("logits against stock llama.cpp with the same batches", () => {
  // reading plainly is what stock does: at 6,000 tokens, a minute a reading, only reading by layers is in doubt
  for (const [tokens, policies] of [
    [50, [createPolicy("full"), keepEverything]],
    [1000, [createPolicy("full"), keepEverything]],
    [6000, [keepEverything]],
  ] as const) {
    const names = policies.map(({ name }) => name).join(" and ");
    it(`are bit-identical after ${tokens} tokens and 8 more: ${names}`, async () => {
      const all = textTokens(engine, tokens + 8);
      const [prompt, following] = [all.slice(0, tokens), all.slice(tokens)];
      const stock = stockLogits(engine, prompt, following);
      const vocabulary = stock.length / (1 + following.length);
      for (const policy of policies) {
        const [first, rest] = (await ours(policy, prompt, following)) as [Float32Array, Float32Array];
        expect(largestDifference(first, stock.slice(0, vocabulary)), `${policy.name}, prompt`).toBe(0);
        expect(largestDifference(rest, stock.slice(vocabulary)), `${policy.name}, decoding`).toBe(0);
      }
    }, 600_000);
  }
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LayerScores, Policy, ReadingShape } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import type { Engine, Sampling } from "../../core/engine/types.js";
import { parseBudget } from "../../core/estimate/estimate.js";
import { keepEverything, loadDefaultEngine, openSession, promptOf, textTokens } from "./support.js";

const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 };

let engine: Engine;
beforeAll(async () => {
  engine = await loadDefaultEngine();
});
afterAll(async () => await engine?.dispose());

/** keepEverything that also hands out the scores it was given. */
function watching(scores: LayerScores[], reduction: "mean" | "max"): Policy {
  return {
    ...keepEverything,
    reduction,
    begin: (shape: ReadingShape) => {
      const run = keepEverything.begin(shape);
      return {
        onGroup: (group) => {
          scores.push(...group);
          return run.onGroup(group);
        },
      };
    },
  };
}

describe("retention", () => {
  it("holds exactly the budget, byte for byte as the native side counts", async () => {
    const { layers, kvHeads, keySize, valueSize } = engine.model;
    // 1.7 % must hold the window and the tokens that are always kept
    const asked = [
      ["50%", 0.5, 600],
      ["6.9%", 0.069, 600],
      ["1.7%", 0.017, 1300],
      ["128", 128 / 600, 600],
      ["512", 512 / 600, 600],
    ] as const;
    for (const [text, share, tokens] of asked) {
      const prompt = promptOf(textTokens(engine, tokens));
      const full = tokens * layers * kvHeads * 2 * (keySize + valueSize);
      const bytes = share * full;
      const budget = parseBudget(text, engine.model, prompt.tokens.length);
      const session = await openSession(engine);
      const { kv } = await session.read(prompt, {
        policy: createPolicy("dynamickv"),
        budgetEntries: budget.entriesTotal,
      });
      await session.dispose();
      expect(kv.fullBytes).toBe(full);
      expect(kv.retainedBytes, text).toBe(budget.entriesTotal * kvHeads * 2 * (keySize + valueSize));
      expect(kv.retainedBytes / bytes, text).toBeGreaterThan(0.99);
      expect(kv.retainedBytes, text).toBeLessThanOrEqual(bytes);
      expect(kv.layers.reduce((sum, layer) => sum + layer.bytes, 0)).toBe(kv.retainedBytes);
      expect(kv.peakBytes).toBeGreaterThan(kv.retainedBytes);
    }
  });

  it("gives memory back to the system when it drops what it held", async () => {
    const { layers } = engine.model;
    const prompt = promptOf(textTokens(engine, 2500));
    let rssFull = 0;
    // everything is held until the last layer is read, and then a tenth of it
    const policy: Policy = {
      ...keepEverything,
      begin: (shape: ReadingShape) => {
        const run = keepEverything.begin(shape);
        const few = Uint32Array.from({ length: 234 }, (_, position) => position);
        const positions = Array.from({ length: shape.kvHeads }, () => few);
        return {
          onGroup: (group) => {
            if (group.at(-1)?.layer !== layers - 1) return run.onGroup(group);
            rssFull = process.memoryUsage().rss;
            return Array.from({ length: layers }, (_, layer) => ({ layer, positions }));
          },
        };
      },
    };
    const session = await openSession(engine);
    const { kv } = await session.read(prompt, { policy, budgetEntries: 0 });
    const { rss } = process.memoryUsage();
    await session.dispose();
    expect(kv.retainedBytes).toBe(kv.fullBytes / 10);
    // the rest: the decoding graph's buffers and what V8's heap grew by meanwhile, a few MB
    expect(rssFull - rss).toBeGreaterThan(0.8 * (kv.fullBytes - kv.retainedBytes));
  });

  it("scores are the window's attention: they sum to one per query over all positions, and heads differ", async () => {
    const window = 16;
    const prompt = promptOf(textTokens(engine, 700), window);
    const mean: LayerScores[] = [];
    const max: LayerScores[] = [];
    for (const [policy] of [[watching(mean, "mean")], [watching(max, "max")]] as const) {
      const session = await openSession(engine);
      await session.read(prompt, { policy, budgetEntries: 0 });
      await session.dispose();
    }
    expect(mean.map(({ layer }) => layer)).toEqual(Array.from({ length: engine.model.layers }, (_, layer) => layer));
    const before = 700 - window;
    for (const [index, { scores }] of mean.entries()) {
      expect(scores.length).toBe(engine.model.kvHeads * before);
      for (let head = 0; head < engine.model.kvHeads; head++) {
        const sum = scores.slice(head * before, (head + 1) * before).reduce((a, b) => a + b, 0);
        // the rest of each query's attention goes to the window itself
        expect(sum).toBeGreaterThan(0);
        expect(sum).toBeLessThanOrEqual(window * 1.001);
      }
      const most = max[index] as LayerScores;
      expect(scores.every((value, i) => (most.scores[i] as number) >= value - 1e-5)).toBe(true);
    }
    expect(mean[3]?.scores.slice(0, before)).not.toEqual(mean[3]?.scores.slice(before, 2 * before));
  });

  it("scores a window that straddles two batches as it scores one inside a batch", async () => {
    // 520 tokens: the last batch holds 8 of the window's 16; the scores must still cover 16 queries
    const scores: LayerScores[] = [];
    const session = await openSession(engine);
    await session.read(promptOf(textTokens(engine, 520), 16), { policy: watching(scores, "mean"), budgetEntries: 0 });
    await session.dispose();
    const before = 504;
    // in the first layers little attention stays inside the window, so the sums come close to the number of queries
    const sums = scores.map(({ scores: s }) => s.slice(0, before).reduce((a, b) => a + b, 0));
    expect(Math.max(...sums)).toBeGreaterThan(8.5);
    expect(Math.max(...sums)).toBeLessThanOrEqual(16.02);
  });

  it("writes the same text as without compression when everything is retained", async () => {
    const prompt = promptOf(textTokens(engine, 600));
    const texts: string[] = [];
    for (const policy of [createPolicy("full"), keepEverything]) {
      const session = await openSession(engine);
      await session.read(prompt, { policy, budgetEntries: 0, hiddenType: "f32" });
      let streamed = "";
      const { text } = await session.generate({
        sampling: greedy,
        maxTokens: 120,
        onText: (part) => (streamed += part),
      });
      await session.dispose();
      expect(streamed).toBe(text);
      texts.push(text);
    }
    expect(texts[0]?.length).toBeGreaterThan(100);
    expect(texts[1]).toBe(texts[0]);
  });

  it("repeats itself with a seed, and differs with another", async () => {
    const session = await openSession(engine);
    const warm = { ...greedy, temperature: 1, topK: 40, topP: 0.95, minP: 0.05, repeatPenalty: 1.1 };
    const texts: string[] = [];
    for (const seed of [7, 7, 8]) {
      await session.read(promptOf(textTokens(engine, 300)), { policy: createPolicy("full"), budgetEntries: 0 });
      texts.push((await session.generate({ sampling: { ...warm, seed }, maxTokens: 40 })).text);
    }
    await session.dispose();
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
  });
});

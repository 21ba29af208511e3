/** Fast reading: only some positions go on to later layers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LayerScores, Policy } from "../../core/compression/policy.js";
import { type Propagation, propagation } from "../../core/compression/propagation.js";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { Engine, Prompt, ReadOptions, Sampling } from "../../core/engine/types.js";
import { someTokens, writeRandomModel } from "../support/gguf.js";
import {
  keepEverything,
  largestDifference,
  loadDefaultEngine,
  openSession,
  promptOf,
  textTokens,
  tinyModel,
} from "./support.js";

const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 };
const folder = mkdtempSync(join(tmpdir(), "precis-models-"));

let engine: Engine;
beforeAll(async () => {
  engine = await loadDefaultEngine();
});
afterAll(async () => {
  await engine?.dispose();
  rmSync(folder, { recursive: true });
});

/** Passes on what it is told: by the number of layers read before, positions before the window. */
function passing(lists: Readonly<Record<number, readonly number[] | undefined>>): Propagation {
  return {
    name: "told",
    expectedTokens: ({ layers, tokens }) => new Array<number>(layers).fill(tokens),
    mostTokens: ({ layers, tokens }) => new Array<number>(layers).fill(tokens),
    begin: () => ({
      onGroup(group) {
        const list = lists[(group.at(-1) as LayerScores).layer + 1];
        return list && Uint32Array.from(list);
      },
    }),
  };
}

/** Keeps all that a layer has read, and shows what it was shown. */
function keepingAll(seen: LayerScores[] = [], needs: Policy["needs"] = undefined): Policy {
  return {
    ...keepEverything,
    needs,
    begin: ({ kvHeads, tokens, window }) => ({
      onGroup: (group) =>
        group.map((scores) => {
          seen.push(scores);
          const all = scores.positions ?? Uint32Array.from({ length: tokens - window }, (_, position) => position);
          return { layer: scores.layer, positions: Array.from({ length: kvHeads }, () => all) };
        }),
    }),
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, position) => position);

async function logitsOf(prompt: Prompt, following: Uint32Array, options: Partial<ReadOptions>) {
  const session = await openSession(engine);
  try {
    await session.read(prompt, { policy: keepEverything, budgetEntries: 0, ...options });
    return [session.logits(), await session.feed(following)] as const;
  } finally {
    await session.dispose();
  }
}

describe("passing on only some positions", () => {
  it("is bit-identical with thorough reading where all are passed on, at one cut or several", async () => {
    const tokens = textTokens(engine, 604);
    const [prompt, following] = [promptOf(tokens.slice(0, 600)), tokens.slice(600)];
    const all = upTo(600 - 16);
    for (const [hiddenType, lists] of [
      ["f32", { 10: all }],
      ["f16", { 2: all, 3: all, 29: all }],
    ] as const) {
      const thorough = await logitsOf(prompt, following, { hiddenType });
      const fast = await logitsOf(prompt, following, { hiddenType, propagation: passing(lists) });
      expect(largestDifference(fast[0], thorough[0])).toBe(0);
      expect(largestDifference(fast[1], thorough[1])).toBe(0);
    }
  });

  it("lets the rest attend to each other from where they truly stand", async () => {
    // of one query head for each KV head and one query, so that attention can be compared
    const shape = { ...tinyModel, architecture: "llama", kvHeads: tinyModel.queryHeads } as const;
    const path = join(folder, "llama.gguf");
    writeRandomModel(path, shape);
    const tiny = await loadEngine(path, "tiny");
    const tokens = someTokens(1200);
    const before = tokens.length - 1;
    const first = upTo(before).filter((position) => position < 4 || position % 3 === 1 || position > 1150);
    const second = first.filter((position) => position < 4 || position % 2 === 0);
    const read = async (propagation?: Propagation) => {
      const seen: LayerScores[] = [];
      const session = await openSession(tiny);
      const policy = keepingAll(seen, ["keys"]);
      await session.read(promptOf(tokens, 1), { policy, budgetEntries: 0, hiddenType: "f32", propagation });
      await session.dispose();
      return seen;
    };
    /** What comes to a layer right after a cut is what came there without; only there are fewer to attend to. */
    const compare = (seen: LayerScores[], without: LayerScores[], layer: number, came: number[], passed: number[]) => {
      const [of, whole] = [seen[layer] as LayerScores, without[layer] as LayerScores];
      expect([...(of.positions ?? [])]).toEqual(passed);
      const row = (values: Float32Array | undefined, index: number, size: number) =>
        (values as Float32Array).subarray(index * size, (index + 1) * size);
      for (let head = 0; head < shape.kvHeads; head++) {
        const ratios = passed.map((position, i) => {
          const [place, now] = [head * came.length + came.indexOf(position), head * passed.length + i];
          const keys = [row(of.keys, now, shape.headSize), row(whole.keys, place, shape.headSize)] as const;
          expect(largestDifference(...keys)).toBeLessThan(1e-3);
          return (of.scores[now] as number) / (whole.scores[place] as number);
        });
        expect(Math.min(...ratios)).toBeGreaterThan(1.1);
        expect(Math.max(...ratios) / Math.min(...ratios)).toBeLessThan(1.001);
      }
    };
    const thorough = await read();
    const once = await read(passing({ 5: first }));
    compare(once, thorough, 5, upTo(before), first);
    compare(await read(passing({ 5: first, 9: second })), once, 9, first, second);
    await tiny.dispose();
  });

  it("keeps of later layers what they have read, holds no more than before, and counts true positions", async () => {
    const prompt = promptOf(textTokens(engine, 1000));
    const { layers, fullLayers } = engine.model;
    const budgetEntries = 0.5 * 1000 * layers;
    const read = async (options: Partial<ReadOptions>) => {
      const kept: Uint32Array[][] = [];
      const session = await openSession(engine);
      const onKept = (positions: readonly Uint32Array[]) => kept.push([...positions]);
      const progress: number[] = [];
      const onProgress = ({ fraction }: { fraction: number }) => progress.push(fraction);
      const policy = createPolicy("dynamickv");
      const reading = await session.read(prompt, { policy, budgetEntries, onKept, onProgress, ...options });
      const ended = await session.generate({ sampling: greedy, maxTokens: 4 });
      await session.dispose();
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      return { ...reading, kept, text: ended.text };
    };
    const passed = upTo(984).filter((position) => position < 4 || position % 7 === 0 || position > 950);
    const fast = await read({ propagation: passing({ 10: passed }) });
    const thorough = await read({});
    expect(fast.kv.peakBytes).toBeLessThanOrEqual(thorough.kv.peakBytes);
    expect(fast.kept).toHaveLength(fullLayers);
    for (const list of fast.kept.slice(10).flat()) for (const position of list) expect(passed).toContain(position);
    const early = fast.kept.slice(0, 10).flat();
    expect(Math.max(...early.map((list) => list.length))).toBeGreaterThan(passed.length);
    expect(fast.kv.layers.slice(10).every(({ tokens }) => tokens <= passed.length + 16)).toBe(true);
    expect(fast.text).not.toBe("");
  });

  it("is refused for what has not come that far, and for models whose layers need the neighbours", async () => {
    const prompt = promptOf(textTokens(engine, 300));
    const read = async (of: Engine, propagation: Propagation) => {
      const session = await openSession(of);
      const options = { policy: createPolicy("snapkv"), budgetEntries: 100 * of.model.layers, propagation };
      await session.read(prompt, options).finally(() => session.dispose());
    };
    await expect(read(engine, passing({ 2: upTo(100), 4: upTo(101) }))).rejects.toThrow(/has not gone through/);
    const path = join(folder, "gemma3.gguf");
    writeRandomModel(path, { ...tinyModel, architecture: "gemma3" });
    const sliding = await loadEngine(path, "gemma3");
    await expect(read(sliding, propagation())).rejects.toMatchObject({
      code: "model-unsupported",
      message: expect.stringMatching(/sliding/),
    });
    await sliding.dispose();
  });
});

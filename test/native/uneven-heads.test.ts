import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Policy } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { KvType } from "../../core/engine/kv.js";
import type { DocumentSession } from "../../core/engine/session.js";
import type { Engine } from "../../core/engine/types.js";
import { type RandomModel, readTensor, someTokens, writeRandomModel } from "../support/gguf.js";
import { attention, firstLayer, norm, project, rotate } from "./first-layer.js";
import { keepEverything, largestDifference, openSession, promptOf, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-models-"));
afterAll(() => rmSync(folder, { recursive: true }));

const window = 16;
const tokens = someTokens(300);
const before = tokens.length - window;
const following = Uint32Array.of(40, 90, 140, 190);

async function load(model: RandomModel): Promise<{ engine: Engine; path: string }> {
  const path = join(folder, `${model.layers}.gguf`);
  writeRandomModel(path, model);
  return { engine: await loadEngine(path, `${model.layers} layers`), path };
}

/** Every n-th position. */
const every = (n: number) => Uint32Array.from({ length: Math.ceil(before / n) }, (_, index) => index * n);

/** Cuts each layer to the first lists as it comes, and to each of the others after the last layer. */
function keeping(...plans: (readonly Uint32Array[])[]): Policy {
  return {
    ...keepEverything,
    reduction: undefined,
    begin: ({ layers }) => ({
      onGroup: (group) =>
        group.flatMap(({ layer }) => {
          const [first = [], ...later] = plans;
          if (layer < layers - 1 || later.length === 0) return [{ layer, positions: first }];
          const all = Array.from({ length: layers }, (_, index) => index);
          return [
            { layer, positions: first },
            ...later.flatMap((positions) => all.map((one) => ({ layer: one, positions }))),
          ];
        }),
    }),
  };
}

async function read(engine: Engine, policy: Policy, kvType: KvType = "f16"): Promise<DocumentSession> {
  const session = await openSession(engine);
  await session.read(promptOf(tokens, window), { policy, budgetEntries: 0, hiddenType: "f32", kvType });
  return session;
}

async function written(engine: Engine, policy: Policy, kvType?: KvType): Promise<Float32Array> {
  const session = await read(engine, policy, kvType);
  const logits = await session.feed(following);
  await session.dispose();
  return logits;
}

/** Logits after the first token that follows the prompt, of a model of one layer whose KV heads see these positions. */
function reference(path: string, model: RandomModel, seen: readonly Uint32Array[]): Float32Array {
  const { architecture, queryHeads, kvHeads, headSize } = model;
  const tensor = (name: string) => readTensor(path, model, `${name}.weight`);
  const { inputs, queries, keys, values } = firstLayer(path, model, Uint32Array.of(...tokens, following[0] as number));
  const at = tokens.length;
  const recent = Array.from({ length: window + 1 }, (_, index) => before + index);
  const heads = Array.from({ length: queryHeads }, (_, head) => {
    const kvHead = Math.floor((head * kvHeads) / queryHeads);
    const positions = [...(seen[kvHead] as Uint32Array), ...recent];
    const query = rotate(queries[head]?.[at] as Float64Array, at, architecture);
    const weights = attention(
      query,
      positions.map((position) => keys[kvHead]?.[position] as Float64Array),
    );
    return Float32Array.from({ length: headSize }, (_, d) =>
      positions.reduce((sum, p, i) => sum + (weights[i] as number) * (values[kvHead]?.[p]?.[d] as number), 0),
    );
  });
  const add = (a: Float32Array, b: Float32Array) => a.map((value, i) => value + (b[i] as number));
  const joined = Float32Array.from(heads.flatMap((head) => [...head]));
  const attended = add(inputs[at] as Float32Array, project(joined, tensor("blk.0.attn_output")));
  const gate = project(norm(attended), tensor("blk.0.ffn_gate"));
  const up = project(norm(attended), tensor("blk.0.ffn_up"));
  const down = project(
    up.map((value, i) => (value * (gate[i] as number)) / (1 + Math.exp(-(gate[i] as number)))),
    tensor("blk.0.ffn_down"),
  );
  return project(norm(add(attended, down)), tensor("output"));
}

describe("KV heads that keep different numbers of entries", () => {
  it("each see what they keep, as the weights of a model of one layer say", async () => {
    const model = { ...tinyModel, architecture: "llama", layers: 1 } as const;
    const { engine, path } = await load(model);
    const lists = [every(2), every(7)];
    const logits = (await written(engine, keeping(lists))).slice(0, 260);
    // llama.cpp multiplies in f16
    const size = logits.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    expect(largestDifference(logits, reference(path, model, lists))).toBeLessThan(0.02 * size);
    // and that is sharp enough to tell whether the heads were mixed up, or cut to the shorter list
    for (const wrong of [lists.toReversed(), [every(14), every(7)]]) {
      expect(largestDifference(logits, reference(path, model, wrong))).toBeGreaterThan(0.05 * size);
    }
    await engine.dispose();
  });

  it("are cut, joined and told apart again without a trace, count in bytes, and can be saved", async () => {
    const { engine } = await load({ ...tinyModel, architecture: "qwen2", layers: 3 });
    const { kvHeads, keySize, valueSize } = engine.model;
    const [even, uneven, fewer, equal] = [
      [every(1), every(1)],
      [every(2), every(3)],
      [every(4), every(6)],
      [every(12), every(12).map((position) => position)],
    ] as const;
    for (const kvType of ["f16", "q8_0"] as const) {
      const straight = await written(engine, keeping(fewer), kvType);
      // a second time quantised is the same blocks again
      for (const detour of [keeping(uneven, fewer), keeping(even, uneven, fewer)]) {
        expect(largestDifference(await written(engine, detour, kvType), straight), kvType).toBe(0);
      }
      const joined = await written(engine, keeping(equal), kvType);
      expect(largestDifference(await written(engine, keeping(fewer, equal), kvType), joined), kvType).toBe(0);
      expect(largestDifference(joined, straight)).toBeGreaterThan(0);
    }

    const session = await read(engine, keeping(fewer));
    const file = join(folder, "uneven.cache");
    await session.save(file, "uneven");
    const logits = await session.feed(following);
    await session.dispose();
    const resumed = await openSession(engine);
    const { kv } = await resumed.resume(promptOf(tokens, window), file, "uneven", {});
    expect(largestDifference(await resumed.feed(following), logits)).toBe(0);
    await resumed.dispose();
    const entries = 3 * ((every(4).length + every(6).length) / kvHeads + window);
    expect(kv.retainedBytes).toBe(entries * kvHeads * 2 * (keySize + valueSize));
    await engine.dispose();
  });

  it("are what ada-kv makes, which then writes as long as it likes", async () => {
    const { engine } = await load({ ...tinyModel, architecture: "gemma3", layers: 12 });
    const session = await openSession(engine);
    await session.read(promptOf(tokens, window), {
      policy: createPolicy("ada-kv"),
      budgetEntries: 60 * engine.model.fullLayers,
    });
    const long = await session.feed(Uint32Array.from({ length: 300 }, (_, index) => 3 + (index % 200)));
    expect(long.every(Number.isFinite)).toBe(true);
    await session.dispose();
    await engine.dispose();
  });
});

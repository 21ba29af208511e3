import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LayerScores, Policy } from "../../core/compression/policy.js";
import { createPolicy, policyNames } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { KvType } from "../../core/engine/kv.js";
import type { Engine } from "../../core/engine/types.js";
import { type RandomModel, someTokens, writeRandomModel } from "../support/gguf.js";
import { attention, dot, firstLayer, rotate } from "./first-layer.js";
import { keepEverything, largestDifference, openSession, promptOf, stockLogits, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-models-"));
afterAll(() => rmSync(folder, { recursive: true }));

const window = 16;
/** Two batches, and the window lies in both. */
const tokens = someTokens(520);
const before = tokens.length - window;

/** Asks for everything, keeps everything, and remembers what it saw. */
function watching(seen: LayerScores[]): Policy {
  return {
    ...keepEverything,
    reduction: "mean",
    needs: ["variances", "entropy", "valueNorms", "keys", "expectedLogits"],
    begin: (shape) => {
      const run = keepEverything.begin(shape);
      return {
        onGroup: (group) => {
          seen.push(...group);
          return run.onGroup(group);
        },
      };
    },
  };
}

async function observe(engine: Engine, kvType: KvType = "f16") {
  const seen: LayerScores[] = [];
  const session = await openSession(engine);
  await session.read(promptOf(tokens, window), {
    policy: watching(seen),
    budgetEntries: 0,
    hiddenType: "f32",
    kvType,
    groupLayers: 5,
  });
  const logits = session.logits();
  await session.dispose();
  return { seen: seen as Required<LayerScores>[], logits };
}

/** What there is to observe of the first layer, straight from the model's weights and the papers' formulas. */
function wantedOf(path: string, model: RandomModel): Required<Omit<LayerScores, "layer" | "positions">> {
  const { architecture, headSize, kvHeads, queryHeads } = model;
  const { queries, keys, values } = firstLayer(path, model, tokens);
  const group = queryHeads / kvHeads;
  const scores = new Float32Array(kvHeads * before);
  const variances = new Float32Array(kvHeads * before);
  const expectedLogits = new Float32Array(queryHeads * before);
  let entropy = 0;
  for (const [head, rows] of queries.entries()) {
    const kvHead = Math.floor(head / group);
    const of = keys[kvHead] as Float64Array[];
    const probabilities = Array.from({ length: window }, (_, query) => {
      const at = before + query;
      const turned = rotate(rows[at] as Float64Array, at, architecture);
      return attention(turned, of.slice(0, at + 1)).slice(0, before);
    });
    for (let i = 0; i < before; i++) {
      const column = probabilities.map((row) => row[i] as number);
      const mean = column.reduce((a, b) => a + b, 0) / window;
      const squares = column.reduce((sum, p) => sum + (p - mean) ** 2, 0);
      const at = kvHead * before + i;
      scores[at] = (scores[at] as number) + (mean * window) / group;
      variances[at] = (variances[at] as number) + squares / (window - 1) / group;
      entropy -= column.reduce((sum, p) => sum + p * Math.log(p), 0);
    }

    // The four first tokens' queries do not count; of the others every fourth of each batch does. 512 positions follow the prompt.
    const counted = [rows.slice(4, 512), rows.slice(512)].flatMap((batch) => everyFourth(batch));
    const meanOf = (vectors: Float64Array[]) =>
      Float64Array.from({ length: headSize }, (_, d) => vectors.reduce((sum, v) => sum + (v[d] as number), 0)).map(
        (sum) => sum / vectors.length,
      );
    const future = Array.from({ length: 512 }, (_, t) => tokens.length + t);
    const turn = (vector: Float64Array) => meanOf(future.map((at) => rotate(vector, at, architecture)));
    const mean = meanOf(counted);
    const turnedMean = turn(mean);
    // The mean rotation is linear: what it makes of each unit vector tells what it makes of all.
    const columns = Array.from({ length: headSize }, (_, d) => {
      const unit = new Float64Array(headSize);
      unit[d] = 1;
      return turn(unit);
    });
    const deviations = counted.map((query) => {
      const out = new Float64Array(headSize);
      for (let d = 0; d < headSize; d++) {
        const off = (query[d] as number) - (mean[d] as number);
        for (let e = 0; e < headSize; e++) out[e] = (out[e] as number) + off * (columns[d]?.[e] as number);
      }
      return out;
    });
    for (let i = 0; i < before; i++) {
      const key = of[i] as Float64Array;
      const spread = deviations.reduce((sum, off) => sum + dot(off, key) ** 2, 0) / counted.length;
      expectedLogits[head * before + i] = dot(turnedMean, key) / Math.sqrt(headSize) + spread / headSize / 2;
    }
  }
  return {
    scores,
    variances,
    entropy,
    valueNorms: Float32Array.from(
      values.flatMap((rows) => rows.slice(0, before).map((row) => Math.sqrt(dot(row, row)))),
    ),
    keys: Float32Array.from(keys.flatMap((rows) => rows.slice(0, before).flatMap((row) => [...row]))),
    expectedLogits,
  };
}

/** Of a batch's queries those that count: as many as a multiple of eight, when there are more than that. */
function everyFourth(queries: Float64Array[]): Float64Array[] {
  const every = queries.filter((_, index) => index % 4 === 0);
  return every.slice(0, every.length > 8 ? every.length - (every.length % 8) : every.length);
}

/** Largest difference relative to the largest value. */
function relative(a: Float32Array, b: Float32Array): number {
  return largestDifference(a, b) / b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
}

const arrays = ["scores", "variances", "valueNorms", "keys", "expectedLogits"] as const;
/** llama.cpp multiplies in f16 and holds keys and values in f16; of the queries' covariance a hundredth is left out. */
const offBy = (name: (typeof arrays)[number]) => (name === "expectedLogits" ? 0.02 : 0.01);

describe("what is observed of a layer", () => {
  for (const architecture of ["llama", "qwen2"] as const) {
    it(`is what the weights of a model of architecture ${architecture} say, and does not change what is read`, async () => {
      const path = join(folder, `${architecture}.gguf`);
      const model = { ...tinyModel, architecture };
      writeRandomModel(path, model);
      const engine = await loadEngine(path, architecture);
      const { seen, logits } = await observe(engine);
      expect(largestDifference(logits, stockLogits(engine, tokens, new Uint32Array(0)))).toBe(0);
      expect(seen.map(({ layer }) => layer)).toEqual(Array.from({ length: 12 }, (_, layer) => layer));

      const [first] = seen as [Required<LayerScores>];
      const wanted = wantedOf(path, model);
      for (const name of arrays) expect(relative(first[name], wanted[name]), name).toBeLessThan(offBy(name));
      expect(Math.abs(first.entropy / wanted.entropy - 1)).toBeLessThan(0.001);

      // q8_0 and q4_0 are for what is kept; what is looked at stays f16, though in a basis of its own
      const turned = (await observe(engine, "q8_0")).seen[0] as Required<LayerScores>;
      for (const name of arrays.filter((one) => one !== "keys")) {
        expect(relative(turned[name], wanted[name]), name).toBeLessThan(offBy(name));
      }
      await engine.dispose();
    });
  }

  it("serves every policy, and each holds its budget", async () => {
    const path = join(folder, "all.gguf");
    writeRandomModel(path, { ...tinyModel, architecture: "llama" });
    const engine = await loadEngine(path, "all");
    const { kvHeads, layers, keySize, valueSize } = engine.model;
    // more batches than the queries of four tell enough of
    const long = Uint32Array.from({ length: 2600 }, (_, index) => tokens[index % tokens.length] as number);
    for (const name of policyNames.filter((one) => !createPolicy(one).keepsAll)) {
      const session = await openSession(engine);
      const policy = createPolicy(name);
      const { kv } = await session.read(promptOf(policy.needs?.includes("expectedLogits") ? long : tokens, window), {
        policy,
        budgetEntries: 100 * layers,
      });
      expect(kv.retainedBytes, name).toBe(100 * layers * kvHeads * 2 * (keySize + valueSize));
      expect((await session.feed(Uint32Array.of(5))).every(Number.isFinite), name).toBe(true);
      await session.dispose();
    }
    await engine.dispose();
  });

  it("finds room for all there is to observe of all layers at once", async () => {
    const path = join(folder, "wide.gguf");
    // so many queries for a key that one KV head is scored at a time, in parts of two lengths
    const model = { ...tinyModel, architecture: "llama" as const, layers: 30, queryHeads: 32, kvHeads: 2 };
    writeRandomModel(path, model);
    const engine = await loadEngine(path, "wide");
    const long = Uint32Array.from({ length: 1200 }, (_, index) => tokens[index % tokens.length] as number);
    const seen: LayerScores[] = [];
    const session = await openSession(engine);
    await session.read(promptOf(long, 62), { policy: watching(seen), budgetEntries: 0, groupLayers: 30 });
    expect(seen.length).toBe(30);
    await session.dispose();
    await engine.dispose();
  });

  it("finds room for a batch of observed queries that go through six at a time", async () => {
    const path = join(folder, "long.gguf");
    const model = { ...tinyModel, architecture: "llama" as const, layers: 1, queryHeads: 64, kvHeads: 4 };
    writeRandomModel(path, model);
    const engine = await loadEngine(path, "long");
    const long = Uint32Array.from({ length: 40 * 512 }, (_, index) => tokens[index % tokens.length] as number);
    const seen: LayerScores[] = [];
    const session = await openSession(engine);
    await session.read(promptOf(long, 512), { policy: watching(seen), budgetEntries: 0 });
    expect(seen.length).toBe(1);
    await session.dispose();
    await engine.dispose();
  });
});

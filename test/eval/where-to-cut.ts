/**
 * `npx tsx test/eval/where-to-cut.ts [--cases N]`: which layers' attention knows where the answer stands, what tells them
 * from others while a document is read, and how wide pooling must be. On the needles of the tuning split; what
 * core/compression/propagation.ts goes by.
 */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pool } from "../../core/compression/pooling.js";
import { selectTop } from "../../core/compression/select.js";
import { loadEngine } from "../../core/engine/engine.js";
import { runtimeFolder } from "../../core/engine/native.js";
import type { DocumentSession } from "../../core/engine/session.js";
import { findModel } from "../../core/models/models.js";
import { buildPrompt } from "../../core/summarize/prompt.js";
import { table } from "../bench/report.js";
import { needle } from "./needle/needle.js";
import { Readings } from "./readings.js";
import { ours } from "./variants.js";

const { cases: wanted } = parseArgs({ options: { cases: { type: "string", default: "16" } } }).values;
const share = 0.1;
const kernels = [1, 7, 15, 31, 63];
const kernel = 31;

const { path, id } = await findModel();
const { key: runtime } = JSON.parse(readFileSync(join(runtimeFolder(false), "precis.json"), "utf8"));
const engine = await loadEngine(path, id);
const session = (await engine.createSession()) as DocumentSession;
const desk = {
  session,
  folder: join(fileURLToPath(new URL("../../", import.meta.url)), "out", "eval", "readings"),
  identity: JSON.stringify({ model: basename(path), runtime, gpuLayers: engine.model.gpuLayers }),
  before: (what: string) => console.error(what),
};
const measure = (text: string) => engine.tokenize(text).length;
const setting = { split: "tuning", size: "usual", lengths: [2048], documents: [], measure } as const;

/** By layer, sums over the cases. */
const { layers } = engine.model;
const zeros = () => new Array<number>(layers).fill(0);
const found = new Map(kernels.map((width) => [width, zeros()]));
const held = zeros();
const same = zeros();
let counted = 0;
const add = (sums: number[], layer: number, value: number) => {
  sums[layer] = (sums[layer] as number) + value;
};

for (const one of needle.cases(setting).slice(0, Number(wanted))) {
  const prompt = buildPrompt(engine, one.document, one.options);
  const before = prompt.tokens.length - prompt.windowTokens;
  const answer = placeOf(prompt.tokens.subarray(0, before), one.facts[0] ?? []);
  if (!answer) continue;
  counted++;
  const scores = await new Readings(desk, prompt).scores(ours, async () => new Uint32Array(0));
  let last: Set<number> | undefined;
  for (const [layer, { scores: rows }] of scores.entries()) {
    for (const width of kernels) {
      const worth = worthOf(rows, before, prompt.headTokens, width);
      const best = selectTop(worth, Math.ceil(share * worth.length));
      const places = new Set(best);
      const all = answer.every((position) => places.has(position - prompt.headTokens));
      add(found.get(width) as number[], layer, all ? 1 : 0);
      if (width !== kernel) continue;
      const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);
      add(held, layer, sum(Float32Array.from(best, (place) => worth[place] as number)) / sum(worth));
      const shared = last ? [...places].filter((place) => last?.has(place)).length : 0;
      add(same, layer, shared / places.size);
      last = places;
    }
  }
}
console.log(
  table(
    ["layer", ...kernels.map((width) => `found, ${width} wide`), "held by the best tenth", "same as the layer before"],
    Array.from({ length: layers }, (_, layer) => [
      String(layer + 1),
      ...kernels.map((width) => `${found.get(width)?.[layer]} of ${counted}`),
      ((held[layer] as number) / counted).toFixed(2),
      ((same[layer] as number) / counted).toFixed(2),
    ]),
  ),
);
await session.dispose();
await engine.dispose();

/** Where one of an answer's spellings stands, token by token. */
function placeOf(tokens: Uint32Array, spellings: readonly string[]): number[] | undefined {
  for (const spelling of spellings) {
    const words = engine.tokenize(` ${spelling}`);
    for (let start = 0; start + words.length <= tokens.length; start++) {
      if (words.every((word, i) => tokens[start + i] === word)) return Array.from(words, (_, i) => start + i);
    }
  }
  return undefined;
}

/** f32 [positions after the head]: pooled, as the KV head counts it that counts it most. */
function worthOf(scores: Float32Array, before: number, head: number, width: number): Float32Array {
  const worth = new Float32Array(before - head);
  for (let from = 0; from < scores.length; from += before) {
    const row = pool(scores.subarray(from + head, from + before), { kind: "average", kernel: width });
    for (let i = 0; i < row.length; i++) worth[i] = Math.max(worth[i] as number, row[i] as number);
  }
  return worth;
}

/**
 * What each policy costs beside reading: `npx tsx test/compression/bench.ts [tokens]`, 8,192 unless said otherwise.
 * - Reading: by the default model, with nothing asked for.
 * - Observing: what reading with all that a policy asks for takes longer than those right before and after it that ask for
 *   nothing take on average, by a random model with two layers like the default model's, median of 21: it costs as much in
 *   each layer. Reading does not: a last layer's attention is mostly left out.
 * - Choosing: all its layers' choices from random scores, on one thread, best of five rounds, with 25 and 6.9 % kept.
 * - Writing: what a token takes when KV heads keep equally many entries, and when they do not, by the same model.
 * Takes about seven minutes on two cores and wants a quiet machine.
 */
import type { LayerScores, Policy } from "../../core/compression/policy.js";
import { createPolicy, policyNames } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { DocumentSession } from "../../core/engine/session.js";
import { readingShape } from "../../core/engine/shape.js";
import type { Engine } from "../../core/engine/types.js";
import { findModel } from "../../core/models/models.js";
import { median } from "../bench/summary.js";
import { someTokens } from "../support/gguf.js";
import { cachedModel, shapes } from "../support/shapes.js";
import { random } from "./arbitraries.js";

const tokens = Number(process.argv[2] ?? 8192);
const window = 48;
const fewLayers = 2;
const shape = shapes["smollm2-like"];
const policies = policyNames.map((name) => createPolicy(name)).filter((policy) => !policy.keepsAll);

const engine = await loadEngine(
  cachedModel("smollm2-like", { layers: fewLayers, fullFeedForward: true }),
  "few layers",
);
const prompt = {
  tokens: someTokens(tokens),
  headTokens: 4,
  windowTokens: window,
};

/** Milliseconds for reading the document, choosing left out. */
async function readingTime(of: Engine, policy: Policy, layers: number): Promise<number> {
  const session = await of.createSession();
  const { timings } = await session.read(prompt, { policy, budgetEntries: Math.floor(0.069 * tokens * layers) });
  await session.dispose();
  return timings.prefillMs;
}

/** Milliseconds through the default model with nothing observed. */
async function plainTime(): Promise<number> {
  const { path, id } = await findModel();
  const whole = await loadEngine(path, id);
  const ms = await readingTime(whole, createPolicy("streaming-llm"), shape.layers);
  await whole.dispose();
  return ms;
}

/** Milliseconds that each kind of observing takes longer in the few layers than the readings around it take without. */
async function observingTimes(): Promise<Map<string, number>> {
  const plain = createPolicy("streaming-llm");
  const kinds = new Map(
    policies.filter(({ name }) => name !== plain.name).map((policy) => [observing(policy), policy]),
  );
  const longer = new Map([...kinds.keys()].map((what) => [what, [] as number[]]));
  let before = await readingTime(engine, plain, fewLayers);
  for (let round = 0; round < 21; round++) {
    for (const [what, policy] of kinds) {
      const observed = await readingTime(engine, policy, fewLayers);
      const after = await readingTime(engine, plain, fewLayers);
      longer.get(what)?.push(observed - (before + after) / 2);
      before = after;
    }
  }
  return new Map([...longer].map(([what, differences]) => [what, median(differences)]));
}

/** Milliseconds for one token and layer, best of three rounds of 64 tokens. */
async function writingTime(policy: Policy, share: number): Promise<number> {
  const session = (await engine.createSession()) as DocumentSession;
  await session.read(prompt, { policy, budgetEntries: Math.floor(share * tokens * fewLayers) });
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const started = performance.now();
    await session.feed(prompt.tokens.slice(0, 64));
    best = Math.min(best, (performance.now() - started) / 64 / fewLayers);
  }
  await session.dispose();
  return best;
}

const observing = ({ reduction, needs = [] }: Policy) => [reduction ?? "nothing", ...needs].join(" + ");

/** Random numbers in the shapes of a real reading; the time of a choice does not depend on them. */
function observedLayers(): Required<Omit<LayerScores, "positions">>[] {
  const next = random(1);
  const rows = shape.kvHeads * (tokens - window);
  const drawn = (columns: number) => Float32Array.from({ length: rows * columns }, () => next() ** 8 - 1e-3);
  const shared = {
    variances: drawn(1),
    entropy: 100,
    valueNorms: drawn(1),
    keys: drawn(shape.headSize),
    expectedLogits: drawn(shape.queryHeads / shape.kvHeads),
  };
  return Array.from({ length: shape.layers }, (_, layer) => ({ layer, scores: drawn(1), ...shared }));
}

/** Milliseconds of processor time for all layers. */
function choosingTime(policy: Policy, share: number): number {
  const { layers, kvHeads } = shape;
  const budget = Math.floor(share * tokens * layers);
  const of = readingShape({ fullLayers: layers, kvHeads }, { tokens, headTokens: 4, windowTokens: window }, budget);
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round++) {
    const run = policy.begin(of);
    const started = process.cpuUsage();
    for (const layer of observed) run.onGroup([policy.reduction ? layer : { ...layer, scores: new Float32Array(0) }]);
    const { user, system } = process.cpuUsage(started);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

const plain = await plainTime();
const times = await observingTimes();
const observed = observedLayers();
const percent = (ms: number) => `${((100 * ms) / plain).toFixed(2)} %`;
console.log(`Reading ${tokens} tokens by the default model: ${(plain / 1000).toFixed(1)} s\n`);
console.log("| policy | observes | observing | choosing, 25 % | choosing, 6.9 % | together, 6.9 % |");
console.log("| --- | --- | ---: | ---: | ---: | ---: |");
for (const policy of policies) {
  const observingMs = (times.get(observing(policy)) ?? 0) * (shape.layers / fewLayers);
  const [more, less] = [choosingTime(policy, 0.25), choosingTime(policy, 0.069)];
  const cells = [percent(observingMs), `${more.toFixed(0)} ms`, `${less.toFixed(0)} ms`, percent(observingMs + less)];
  console.log(`| ${policy.name} | ${observing(policy)} | ${cells.join(" | ")} |`);
}

console.log("\nWriting a token, per layer:\n");
console.log("| kept | heads keep equally many (snapkv) | they do not (ada-kv) |");
console.log("| ---: | ---: | ---: |");
for (const share of [0.5, 0.25, 0.069]) {
  const [even, uneven] = [
    await writingTime(createPolicy("snapkv"), share),
    await writingTime(createPolicy("ada-kv"), share),
  ];
  const ratio = `${uneven.toFixed(2)} ms, ${(uneven / even).toFixed(2)}x`;
  console.log(`| ${100 * share} % | ${even.toFixed(2)} ms | ${ratio} |`);
}
await engine.dispose();

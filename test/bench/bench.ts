/** `npm run bench`: memory and speed beside stock node-llama-cpp. Options and figures: docs/bench/README.md. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runtimeFolder } from "../../core/engine/native.js";
import { formatBytes, formatDuration } from "../../core/format.js";
import { findModel } from "../../core/models/models.js";
import { cachedModel, modelFileName, shapedModel } from "../support/shapes.js";
import { type Case, caseId, modelLayers, parseLength, selectCases } from "./cases.js";
import { chart } from "./chart.js";
import { demonstrateLimit } from "./limit.js";
import { load, machine, today } from "./machine.js";
import type { Outcome } from "./one.js";
import { charts, page } from "./report.js";
import { runOne, workFolder } from "./run.js";
import { type Conditions, Store } from "./store.js";
import { type Measured, summarize } from "./summary.js";

const usage = `npm run bench -- [--long] [--shapes] [--rounds N] [--decode N] [--model NAME] [--lengths 1k,2k,…]
                 [--only stock,dynamickv-6.9,…] [--fresh] [--out FOLDER]
npm run bench -- --limit [--tokens N] [--layers N] [--memory MiB] [--out FOLDER]`;

class UsageError extends Error {}

const root = fileURLToPath(new URL("../../", import.meta.url));

function options() {
  try {
    const { values } = parseArgs({
      options: {
        long: { type: "boolean", default: false },
        shapes: { type: "boolean", default: false },
        rounds: { type: "string", default: "3" },
        decode: { type: "string", default: "100" },
        model: { type: "string" },
        lengths: { type: "string" },
        only: { type: "string" },
        fresh: { type: "boolean", default: false },
        out: { type: "string", default: join(root, "docs", "bench") },
        limit: { type: "boolean", default: false },
        tokens: { type: "string", default: "32k" },
        layers: { type: "string", default: "8" },
        memory: { type: "string" },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function whole(text: string, option: string, least: number): number {
  if (!/^\d{1,7}$/.test(text) || Number(text) < least) {
    throw new UsageError(`--${option} takes a whole number of ${least} at least.`);
  }
  return Number(text);
}

async function bench(values: ReturnType<typeof options>): Promise<void> {
  const rounds = whole(values.rounds, "rounds", 1);
  // the speed is taken after the first token
  const decode = whole(values.decode, "decode", 2);
  const only = values.only?.split(",").map((name) => name.trim());
  const all = selectCases({ long: true, shapes: true, rounds });
  const { long, shapes, model } = values;
  const wanted = selectCases({
    long,
    shapes,
    rounds,
    model,
    lengths: values.lengths?.split(",").map(parseLength),
    only,
  });

  const busy = load();
  if (busy > 0.5) console.error(`Other programs are at work (load ${busy.toFixed(1)}): times will not be worth much.`);
  const store = new Store<Outcome>(join(workFolder, "cases"));
  if (values.fresh) store.clear();
  const { key: runtime } = JSON.parse(readFileSync(join(runtimeFolder(false), "precis.json"), "utf8"));
  const byDefault = await findModel();
  const modelOf = ({ model }: Case) =>
    model === "default" ? byDefault : { path: cachedModel(model, { layers: modelLayers[model] }), id: model };
  const fileOf = ({ model }: Case) =>
    model === "default"
      ? basename(byDefault.path)
      : modelFileName(model, shapedModel(model, { layers: modelLayers[model] }));
  const conditions = (one: Case): Conditions => ({ machine, runtime, file: fileOf(one), decode });

  for (const [index, one] of wanted.entries()) {
    const name = `${index + 1}/${wanted.length} ${one.side.label}, ${one.tokens} tokens, ${one.model}, round ${one.round}`;
    if (store.load(caseId(one), conditions(one))) {
      console.error(`${name}: measured before`);
      continue;
    }
    console.error(`${name} …`);
    const since = performance.now();
    const run = await runOne({ model: modelOf(one), side: one.side, tokens: one.tokens, decode });
    if ("failure" in run) throw new Error(`${name} ${run.failure}`);
    store.save(caseId(one), conditions(one), run.outcome);
    console.error(`  ${inShort(run.outcome)} (${formatDuration(performance.now() - since)})`);
  }

  mkdirSync(values.out, { recursive: true });
  for (const set of new Set(wanted.map((one) => one.set))) {
    // every case that is there, so that measuring a few of them again loses none of the others
    const cases = all.filter((one) => one.set === set);
    const measured: Measured[] = cases.flatMap((one) => {
      const outcome = store.load(caseId(one), conditions(one));
      return outcome ? [{ one, outcome }] : [];
    });
    const summary = summarize(measured);
    const facts = { machine: `${machine}, ${today}`, decode, rounds, measured: measured.length, of: cases.length };
    const text = page(set, summary, facts);
    writeFileSync(join(values.out, `${set}.md`), text);
    writeFileSync(join(values.out, `${set}.json`), `${JSON.stringify({ ...facts, ...summary }, undefined, 2)}\n`);
    for (const { file, chart: content } of charts(summary)) writeFileSync(join(values.out, file), chart(content));
    console.log(text);
  }
}

function inShort(outcome: Outcome): string {
  if ("impossible" in outcome) return outcome.impossible;
  const { firstTokenMs, decodeTokensPerSecond, kvPeakBytes, rssPeakBytes } = outcome;
  return `first token ${formatDuration(firstTokenMs)}, ${decodeTokensPerSecond.toFixed(1)} tokens/s, peak KV ${formatBytes(kvPeakBytes)}, peak RSS ${formatBytes(rssPeakBytes)}`;
}

try {
  const values = options();
  if (values.limit) {
    const held = await demonstrateLimit({
      tokens: parseLength(values.tokens),
      layers: whole(values.layers, "layers", 1),
      memoryMiB: values.memory === undefined ? undefined : whole(values.memory, "memory", 1),
      machine: `${machine}, ${today}`,
      out: values.out,
    });
    process.exitCode = held ? 0 : 1;
  } else {
    await bench(values);
  }
} catch (error) {
  if (error instanceof UsageError || error instanceof RangeError) {
    console.error(`${error.message}\n${usage}`);
    process.exitCode = 2;
  } else {
    throw error;
  }
}

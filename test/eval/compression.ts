/**
 * `npm run eval -- [BENCHMARK …]`: how much of the full cache's quality each policy keeps at each budget. Options, files
 * and figures: docs/eval/README.md.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadEngine } from "../../core/engine/engine.js";
import { runtimeFolder } from "../../core/engine/native.js";
import type { DocumentSession } from "../../core/engine/session.js";
import type { Engine } from "../../core/engine/types.js";
import { formatDuration } from "../../core/format.js";
import { findModel } from "../../core/models/models.js";
import { parseLength } from "../bench/cases.js";
import { chart } from "../bench/chart.js";
import { Store } from "../bench/store.js";
import type { Benchmark, Case, Setting, Size, Split } from "./benchmark.js";
import { distribution } from "./distribution/distribution.js";
import { longBenchDocuments, type SourceDocument, samplePieces } from "./documents.js";
import { type Figures, figures, type Result } from "./figures.js";
import { caseConditions, type Desk, type Measured, measure } from "./measure.js";
import { needle } from "./needle/needle.js";
import { overviewPage, sliderData } from "./overview.js";
import { charts, page } from "./page.js";
import { ruler } from "./ruler/ruler.js";
import { summaries } from "./summaries/summaries.js";
import { ablationVariants, fastVariants, ours, policyVariants } from "./variants.js";

const benchmarks: readonly Benchmark[] = [distribution, needle, ruler, summaries];
const allBudgets = ["50%", "25%", "15%", "10%", "6.9%", "3.4%", "1.7%", "0.9%"];
const ablationBudgets = ["25%", "10%", "6.9%", "3.4%"];
const quickBudgets = ["25%", "6.9%"];
const quickVariants = [ours.id, "snapkv", "streaming-llm"];

const usage = `npm run eval -- [${benchmarks.map(({ name }) => name).join("|")} …] [--quick|--full] [--fast] [--ablation] [--data FILE.jsonl]
  [--only VARIANT,…] [--budgets 25%,…] [--lengths 2k,…] [--cases N] [--shard I/N] [--limit-minutes N] [--fresh] [--out FOLDER]
npm run eval -- citations [--tuning]`;

class UsageError extends Error {}
class OutOfTime extends Error {}

const root = fileURLToPath(new URL("../../", import.meta.url));
const workFolder = join(root, "out", "eval");

function options() {
  try {
    return parseArgs({
      args: process.argv.slice(2),
      allowPositionals: true,
      options: {
        quick: { type: "boolean", default: false },
        full: { type: "boolean", default: false },
        ablation: { type: "boolean", default: false },
        fast: { type: "boolean", default: false },
        data: { type: "string" },
        only: { type: "string" },
        budgets: { type: "string" },
        lengths: { type: "string" },
        cases: { type: "string" },
        shard: { type: "string", default: "1/1" },
        "limit-minutes": { type: "string" },
        fresh: { type: "boolean", default: false },
        out: { type: "string" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Those named, in their own order; all when nothing is named. @throws UsageError for a name that is none of them */
function chosen<T>(all: readonly T[], names: readonly string[] | undefined, nameOf: (item: T) => string): readonly T[] {
  if (!names || names.length === 0) return all;
  const known = all.map(nameOf);
  for (const name of names) {
    if (!known.includes(name)) throw new UsageError(`There is no "${name}"; there are: ${known.join(", ")}.`);
  }
  return all.filter((item) => names.includes(nameOf(item)));
}

function whole(text: string, option: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--${option} takes a whole number from 1 on.`);
  return Number(text);
}

const list = (text: string | undefined) => text?.split(",").map((part) => part.trim());

const { values, positionals } = (() => {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof RangeError)) throw error;
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
})();

/** Everything that the command line can get wrong. */
function plan() {
  const { values: given, positionals: names } = options();
  const { quick, full, ablation, fast } = given;
  if (quick && full) throw new UsageError("--quick or --full, not both.");
  const [, part, parts] = /^(\d{1,3})\/(\d{1,3})$/.exec(given.shard)?.map(Number) ?? [];
  if (!part || !parts || part > parts) throw new UsageError("--shard takes a part of a whole, like 1/4.");
  const variants = fast ? fastVariants : ablation ? ablationVariants : policyVariants;
  return {
    positionals: chosen(benchmarks, names, ({ name }) => name),
    values: {
      size: (quick ? "quick" : full ? "full" : "usual") as Size,
      split: (ablation ? "tuning" : "reporting") as Split,
      ablation,
      fast,
      data: given.data,
      variants,
      wanted: chosen(
        variants,
        list(given.only) ?? (quick && !ablation && !fast ? quickVariants : undefined),
        ({ id }) => id,
      ),
      budgets: ablation ? ablationBudgets : allBudgets,
      wantedBudgets: chosen(
        ablation ? ablationBudgets : allBudgets,
        list(given.budgets) ?? (quick ? quickBudgets : undefined),
        (budget) => budget,
      ),
      lengths: list(given.lengths)?.map(parseLength),
      cases: given.cases === undefined ? undefined : whole(given.cases, "cases"),
      shard: { part, parts },
      minutes: given["limit-minutes"] === undefined ? undefined : whole(given["limit-minutes"], "limit-minutes"),
      fresh: given.fresh,
      // a quick look must not replace what a full run has found
      out: given.out ?? (quick ? workFolder : join(root, "docs", "eval")),
    },
  };
}

/** Half of the documents each: the odd ones of the file are for tuning. The sample's pieces take turns, too. */
function documentsOf(split: Split, data: string | undefined, measure: (text: string) => number): SourceDocument[] {
  const half = (all: readonly SourceDocument[]) => all.filter((_, index) => (index % 2 === 0) === (split === "tuning"));
  const own = half(samplePieces(measure, 2600));
  return data === undefined ? own : [...own, ...half(longBenchDocuments(basename(data), readFileSync(data, "utf8")))];
}

const started = performance.now();
const elapsed = () => performance.now() - started;

async function run(engine: Engine, model: string, runtime: { key: string; llamaCpp: string }): Promise<void> {
  const { split, size, ablation, fast, data, variants, budgets, lengths, minutes, out } = values;
  const measureText = (text: string) => engine.tokenize(text).length;
  const documents = documentsOf(split, data, measureText);
  const setting: Setting = { split, size, lengths, documents, measure: measureText };
  const session = (await engine.createSession()) as DocumentSession;
  let progress = "";
  let stopping = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      stopping = true;
      console.error("Stopping after this step, then writing the pages; once more stops at once.");
    });
  }
  const desk: Desk = {
    engine,
    session,
    folder: join(workFolder, "readings"),
    identity: `${basename(engine.model.path)} ${runtime.key}`,
    // a GPU rounds otherwise than a CPU; that our native code does not change stock's logits its tests show
    conditions: { model: basename(engine.model.path), llamaCpp: runtime.llamaCpp, gpuLayers: engine.model.gpuLayers },
    before(what) {
      if (stopping || (minutes !== undefined && elapsed() > minutes * 60_000)) throw new OutOfTime();
      console.error(`${formatDuration(elapsed())} ${progress}: ${what}`);
    },
  };
  mkdirSync(out, { recursive: true });

  const place = engine.model.gpuLayers > 0 ? "on a GPU" : cpus()[0]?.model.trim();
  const made = `${model}, ${platform()} ${arch()}, ${place}, ${new Date().toISOString().slice(0, 10)}`;
  const stores = new Map(
    positionals.map(({ name }) => [name, new Store<Measured>(join(out, "cases", split, name))] as const),
  );
  const storeOf = ({ name }: Benchmark) => stores.get(name) as Store<Measured>;
  if (values.fresh) for (const store of stores.values()) store.clear();
  let stopped = false;
  try {
    for (const benchmark of positionals) {
      const cases = benchmark.cases(setting).slice(0, values.cases);
      for (const [index, one] of cases.entries()) {
        if (index % values.shard.parts !== values.shard.part - 1) continue;
        progress = `${benchmark.name} ${index + 1}/${cases.length} ${one.id}`;
        await measure(desk, storeOf(benchmark), benchmark, one, values.wanted, values.wantedBudgets);
      }
    }
  } catch (error) {
    if (!(error instanceof OutOfTime)) throw error;
    stopped = true;
  } finally {
    await session.dispose();
  }

  for (const benchmark of positionals) {
    // everything that was ever measured of a full run, whatever this one was asked for
    const cases = benchmark.cases({ ...setting, lengths: undefined, size: "full" });
    const results = cases.flatMap((one): Result<Case>[] => {
      const measured = storeOf(benchmark).load(one.id, caseConditions(desk, one));
      return measured ? [{ one, measured }] : [];
    });
    const name = `${fast ? "fast-" : ""}${ablation ? "ablation-" : ""}${benchmark.name}`;
    const summary = { ...figures(benchmark, results, variants, budgets, cases.length), benchmark: name };
    write(benchmark, summary, made);
  }
  if (!ablation && !fast) writeOverview(out);
  if (stopped) console.error(`Stopped after ${formatDuration(elapsed())}; run the same command again to go on.`);
}

function write(benchmark: Benchmark, summary: Figures, made: string): void {
  const { split, ablation, fast, data, out } = values;
  const name = summary.benchmark;
  const command = `npm run eval -- ${benchmark.name}${fast ? " --fast" : ""}${ablation ? " --ablation" : ""}${data === undefined ? "" : " --data FILE"}`;
  const facts = {
    made,
    command,
    split:
      split === "tuning"
        ? "Tuning split: settings are chosen on these cases, and nothing else is said of them."
        : values.fast
          ? "Reporting split. The share that goes on was raised from 20 to 25 % to 30 to 35 % after both splits had favoured it, so it is not free of these cases."
          : "Reporting split: no setting was chosen on these cases.",
  };
  const text = page(benchmark, summary, facts);
  writeFileSync(join(out, `${name}.md`), text);
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify({ ...facts, ...summary }, undefined, 1)}\n`);
  for (const { file, chart: content } of charts(benchmark, summary)) writeFileSync(join(out, file), chart(content));
  console.log(text);
}

/** From every benchmark's figures that lie in the folder, this run's or not. */
function writeOverview(out: string): void {
  const all = Object.fromEntries(
    benchmarks.flatMap(({ name }): [string, Figures][] => {
      const file = join(out, `${name}.json`);
      return existsSync(file) ? [[name, JSON.parse(readFileSync(file, "utf8")) as Figures]] : [];
    }),
  );
  writeFileSync(join(out, "policies.md"), overviewPage(all));
  writeFileSync(join(out, "slider.json"), `${JSON.stringify(sliderData(all), undefined, 1)}\n`);
}

const { path, id } = await findModel();
const runtime = JSON.parse(readFileSync(join(runtimeFolder(false), "precis.json"), "utf8"));
const engine = await loadEngine(path, id);
try {
  await run(engine, id, runtime);
} finally {
  await engine.dispose();
}

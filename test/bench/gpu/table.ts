/**
 * Writes docs/bench/gpu.md from what bench.sh measured: `npx tsx test/bench/gpu/table.ts RESULTS...` (lines of JSON, see
 * gpu-bench.cpp). Ratios are against stock with f16 keys and values on the same tokens, in the same process. Results that
 * follow a note (measure.sh) stand beside those before it, those that follow a backend's name in a section of their own.
 * Sections of the page that the results say nothing about stay as they are, and so do rows of a model's table, with a star; but
 * goals, least memory and differences are told of all models at once. DAY (otherwise today) and DRIVER, if set, are those of the measurement.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

interface Check {
  readonly check: string;
  readonly largestDifference: number;
  readonly relative: number;
  readonly samePositions?: number;
  readonly splitsRead: number;
  readonly splitsDecode: number;
}

/** A summary by the app itself (node.ts); bytes are those of the process, on the GPU and in RAM. */
interface Summary {
  readonly node: string;
  readonly gpuLayers?: number;
  readonly groupLayers?: number;
  readonly estimated: { readonly memory: number; readonly gpu: number };
  readonly gpuBytes: number;
  readonly rssBytes: number;
  readonly tokens: number;
  readonly text: string;
  readonly timings: Record<"prefillMs" | "compressMs" | "decodeMs" | "decodeTokens", number>;
}

/** What follows was measured again. */
interface Note {
  readonly note: string;
}

/** What follows is of this backend; CUDA compiled by bench.sh before the first of these. */
interface Backend {
  readonly backend: string;
}

interface Header {
  readonly model: string;
  readonly device: string;
  readonly batch: number;
  readonly weights: number;
  readonly before: number;
}

interface Run {
  readonly run: string;
  readonly side: "stock" | "precis" | "default" | "uneven" | "heads" | "fast";
  readonly tokens: number;
  readonly kv: string;
  readonly kept: number;
  readonly group: number;
  readonly firstMs: number;
  readonly scoreMs: number;
  readonly readBackMs: number;
  readonly normsMs: number;
  readonly expectedMs: number;
  readonly selectMs: number;
  readonly keepMs: number;
  readonly decodePerSecond: number;
  readonly peak: number;
  readonly after: number;
  readonly kvPeak: number;
  readonly kvFull: number;
  readonly computeBytes: number;
  readonly splitsRead: number;
  readonly splitsDecode: number;
  readonly error?: string;
}

const lines = process.argv
  .slice(2)
  .flatMap((path) => readFileSync(path, "utf8").split("\n"))
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line) as Check | Header | Run | Note | Backend | Summary);

interface Model {
  readonly header: Header;
  readonly runs: Run[];
  /** Why it was measured again. */
  readonly note?: string;
}

/** All that was measured on one backend. */
class Results {
  readonly checks = new Map<string, Check>();
  readonly models: Model[] = [];
  readonly summaries: Summary[] = [];
}

const compiled = new Results();
const others = new Map<string, Results>();
let results = compiled;
let note: string | undefined;
for (const line of lines) {
  if ("note" in line) note = line.note;
  else if ("backend" in line) {
    results = others.get(line.backend) ?? new Results();
    others.set(line.backend, results);
    note = undefined;
  } else if ("node" in line) results.summaries.push(line);
  else if ("check" in line) results.checks.set(line.check, line);
  else if ("model" in line) results.models.push({ header: line, runs: [], ...(note !== undefined && { note }) });
  else if (line.error !== undefined) throw new Error(`${line.run}: ${line.error}`);
  else results.models.at(-1)?.runs.push(line);
}
const { models } = compiled;
const day = process.env.DAY ?? new Date().toISOString().slice(0, 10);
const driver = process.env.DRIVER === undefined ? "" : `, with driver ${process.env.DRIVER}`;
const device = models[0]?.header.device;
if (device === undefined) throw new Error("usage: table.ts RESULTS..., from bench.sh");
if (models.some(({ header }) => header.device !== device)) throw new Error("the results are from several devices");

const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(2);
const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

/** One layer a group, whatever the layers' size. */
const oneByOne = (run: Run) => run.run.split(":")[4] === "1";

function name(run: Run): string {
  if (run.side === "stock") return `stock, ${run.kv}`;
  const kept = `${Number((run.kept * 100).toFixed(1))} % kept`;
  const how = {
    default: "as the app's default policy asks",
    uneven: "layers uneven",
    heads: "heads uneven",
    fast: "read fast",
  };
  return [
    kept,
    run.kv === "f16" ? "" : `in ${run.kv}`,
    how[run.side as keyof typeof how] ?? "",
    oneByOne(run) ? "one layer a group" : "",
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Of the rows of as many tokens: stock, the default, shares, and the variants of one share. */
function place(run: Run): number {
  if (run.side === "precis" && run.kv === "f16" && !oneByOne(run)) return 2;
  return { stock: 0, default: 1, precis: 3, uneven: 4, heads: 5, fast: 6 }[run.side];
}

const stockOf = (runs: readonly Run[], tokens: number) =>
  runs.find((run) => run.side === "stock" && run.kv === "f16" && run.tokens === tokens);

function section({ header, runs, note }: Model): string {
  const measured = runs
    .filter((run) => run.tokens > 2048)
    .sort((a, b) => a.tokens - b.tokens || place(a) - place(b) || b.kept - a.kept);
  const rows = measured.map((run) => {
    const stock = stockOf(measured, run.tokens);
    if (stock === undefined) throw new Error(`${run.run} has no stock beside it`);
    const ratio = (figure: "firstMs" | "decodePerSecond") => `${(run[figure] / stock[figure]).toFixed(2)}x`;
    const share = (ms: number) => (run.side === "stock" ? "" : `${((ms / run.firstMs) * 100).toFixed(1)} %`);
    return [
      `${run.tokens / 1024}k`,
      name(run),
      `${(run.firstMs / 1000).toFixed(2)} s`,
      ratio("firstMs"),
      run.decodePerSecond.toFixed(0),
      ratio("decodePerSecond"),
      gib(run.peak),
      `${((run.peak / stock.peak) * 100).toFixed(1)} %`,
      gib(run.after),
      run.side === "stock" ? "" : run.group,
      share(run.scoreMs + run.readBackMs + run.normsMs + run.expectedMs),
      share(run.selectMs),
      share(run.keepMs),
    ];
  });
  const head = [
    [
      "tokens",
      "",
      "first token",
      "to stock",
      "tokens/s",
      "to stock",
      "GiB at the peak",
      "to stock",
      "GiB after reading",
    ],
    ["layers a group", "scoring", "selecting", "compacting"],
  ].flat();
  const title = `## ${basename(header.model, ".gguf")}${note === undefined ? "" : ", again"}`;
  return `${title}\n\n${note ?? `Weights on the device: ${gib(header.weights)} GiB.`}\n\n${table(head, rows)}`;
}

/** One layer a group: what the allocator gave for keys, values and hidden states, and what the device says. */
const oneLayer = models.flatMap(({ header, runs }) =>
  runs.filter(oneByOne).map((run) => {
    const held = run.peak - header.before - header.weights - run.computeBytes;
    const share = (bytes: number) => `${((bytes / run.kvFull) * 100).toFixed(1)} %`;
    return [basename(header.model, ".gguf"), `${run.tokens / 1024}k`, gib(run.kvFull), share(run.kvPeak), share(held)];
  }),
);

/** What was to be reached at 6.9 %, and where it was not. */
function goals(): string {
  const sides = { default: "as the default asks", precis: "the window's sums" } as const;
  const row = ({ header, runs }: Model, side: keyof typeof sides) => {
    const shape = basename(header.model, ".gguf");
    const kept = runs.filter((run) => run.side === side && run.kv === "f16" && run.kept === 0.069 && !oneByOne(run));
    const cell = (figure: "firstMs" | "decodePerSecond" | "peak", goal: (ratio: number) => boolean, tokens: number) => {
      const run = kept.find((one) => one.tokens === tokens);
      const stock = stockOf(runs, tokens);
      if (run === undefined || stock === undefined) return "";
      const ratio = run[figure] / stock[figure];
      const text = figure === "peak" ? `${(ratio * 100).toFixed(1)} %` : `${ratio.toFixed(3)}x`;
      return goal(ratio) ? text : `**${text}**`;
    };
    return [
      shape,
      sides[side],
      ...[8192, 32768, 65536, 131072].map((tokens) => cell("firstMs", (ratio) => ratio <= 1.05, tokens)),
      cell("decodePerSecond", (ratio) => ratio >= 1.5, 32768),
      cell("decodePerSecond", (ratio) => ratio >= 3, 131072),
      cell("peak", (ratio) => shape !== "llama-3.1-8b" || ratio < 0.35, 131072),
    ];
  };
  const head = ["first token at 8k", "at 32k", "at 64k", "at 128k", "tokens/s at 32k", "at 128k", "peak at 128k"];
  const rows = models
    .filter(({ note }) => note === undefined)
    .flatMap((model) => [row(model, "default"), row(model, "precis")]);
  return table(["", "observed", ...head], rows);
}

const splits = (runs: Run[], of: (run: Run) => boolean, figure: "splitsRead" | "splitsDecode") =>
  [...new Set(runs.filter(of).map((run) => run[figure]))].sort().join(" or ");
const all = models.flatMap(({ runs }) => runs);
const stock = (run: Run) => run.side === "stock";
const ours = (run: Run) => run.side !== "stock";
const before = models[0]?.header.before ?? 0;

/** The app's own summaries: where layers lay, what it took, and what `precis estimate` said of that. */
function app(summaries: readonly Summary[]): string {
  const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
  const off = (said: number, was: number) => `${said >= was ? "+" : ""}${((said / was - 1) * 100).toFixed(0)} %`;
  const alone = summaries.find((summary) => summary.gpuLayers === 0)?.text.split(/\s+/) ?? [];
  const rows = summaries.map(({ gpuLayers, groupLayers, estimated, gpuBytes, rssBytes, text, timings }) => {
    const words = text.split(/\s+/);
    const parted = words.findIndex((word, i) => word !== alone[i]);
    return [
      gpuLayers ?? "all",
      groupLayers ?? "default",
      `${(timings.prefillMs / 1000).toFixed(2)} s`,
      `${(timings.compressMs / 1000).toFixed(2)} s`,
      ((timings.decodeTokens / timings.decodeMs) * 1000).toFixed(0),
      mib(gpuBytes),
      off(estimated.gpu, gpuBytes),
      mib(rssBytes),
      off(estimated.memory, rssBytes),
      parted < 0 ? "the same" : `${parted} of ${words.length}`,
    ];
  });
  const head = ["layers on the GPU", "layers a group", "reading", "choosing", "tokens/s", "GPU, MiB", "estimate"];
  return table([...head, "RAM, MiB", "estimate", "words as the CPU's"], rows);
}

/** What is the same, and how far the rest is off. */
function checked(checks: ReadonlyMap<string, Check>): string {
  return table(
    ["", "largest difference", "relative", "same positions kept"],
    [...checks.values()].map((one) => [
      one.check,
      one.largestDifference.toPrecision(2),
      one.relative.toPrecision(2),
      one.samePositions === undefined ? "" : `${(one.samePositions * 100).toFixed(1)} %`,
    ]),
  );
}

const apps = [["compiled by bench.sh", compiled] as const, ...others].filter(
  ([, { summaries }]) => summaries.length > 0,
);
const appSection = () => `## The app itself

Node.js, the command line and the addon with the default model (30 layers, and the output counted as one more):
\`precis summarize\` of the sample report, ${apps[0]?.[1].summaries[0]?.tokens} tokens with the prompt, 25 % kept, \`--reaim off\` (test/bench/gpu/node.ts).
GPU and RAM: the most that the process held, CUDA's own included; "estimate": how far \`precis estimate\` is from it.
Where layers lie on both sides, groups of layers end where they change sides or go across. Answers are greedy. The last column
is how many words each begins with in common with the answer of the CPU alone: other kernels round differently, and the first
word that is about as likely as another sends a small model elsewhere. Measured on ${day}.

${apps.map(([name, { summaries }]) => `${name}:\n\n${app(summaries)}`).join("\n\n")}

With Vulkan, nvidia-smi tells only what is in use on the GPU in all. What \`precis estimate\` counts for Vulkan itself was set after
an earlier run of the same rows.

## The prebuilt backends

Those of node-llama-cpp 3.22.1, which set-up takes, with the patched library compiled there, on the same H200 with driver 580.159
and the libraries of CUDA 13.0. Measured on ${day}.

- **CUDA** (a file of 159 MB) links to libcudart.so.13 and libcublas.so.13, which neither it nor the driver brings. It holds machine
  code for compute capability 8.6, 8.9, 12.0 and 12.1, and for 7.5, 8.0 and 9.0 PTX of CUDA 13.1, which the driver has to
  translate. Driver 580 is CUDA 13.0's and cannot: the backend loads, finds the GPU and takes the model, and at the first computation
  the process ends ("the provided PTX was compiled with an unsupported toolchain"). The rows above were made with its PTX
  translated beforehand (ptxas 13.5) and handed to CUDA's library in its place. Every answer is then as long as with the backend
  that bench.sh compiles and parts from the CPU's at the same word; the GPU's memory is the same to 2 MiB.
- With the driver alone, or with CUDA 12's libraries, it does not load (tried with files of those names).
- **Vulkan** (43 MB) takes libvulkan.so.1 and the driver. The first document waited 13 to 15 s for the driver to compile what the
  GPU runs, those after it 0.4 s. 128k tokens of the 8B shape, 6.9 % kept, without stock beside them: 35.0 s, 204 tokens/s,
  7.49 GiB.
- So set-up has the backend compute something before it takes it, and goes from CUDA to Vulkan to the CPU alone, saying why. Here
  it took Vulkan, whether CUDA's libraries were there, or were hidden, and the CPU where Vulkan's loader was missing.

`;

const otherSections = [...others]
  .filter(([, { models }]) => models.length > 0)
  .map(
    ([name, { models, checks }]) => `## ${name}

The same program, compiled without CUDA and with the prebuilt backend beside it (PREBUILT, see bench.sh). Measured on ${day}.

${models.map((model) => section(model).replace(/^## /, "### ")).join("\n\n")}

${checked(checks)}

`,
  );

const text = `# On a GPU

Made by \`test/bench/gpu/bench.sh\` (a C++ program over the patched llama.cpp, without Node.js) and
\`test/bench/gpu/table.ts\`, on one ${device}. Models have the shapes of real ones (layers, heads, feed-forward,
vocabulary) and random q4_0 weights; tokens are random; batches of ${models[0]?.header.batch} tokens on both sides, flash attention on.

- **first token**: from making the context to the first token's logits, and with it room for the answer. **tokens/s**: the 256
  tokens after it.
- **GiB**: all device memory in use, ${gib(before)} GiB of CUDA's own included, sampled every 2 ms.
- Rows with a share kept read layer group by layer group with this project's scoring, retention and compaction. Selection is
  done in the program, as the policies do it: window of 32, scores pooled over 15 positions, the best of a KV head's
  queries, the same budget for every layer ("layers uneven" and "heads uneven": budgets from half to one and a half times
  that, from the first to the last layer, or KV head of each layer). Hidden states wait on the device in f16. A group has
  as many layers as hold 512 MiB of keys and values. The window's sums alone are observed, but for the rows that follow.
- "as the app's default policy asks": their squares, the document's queries, the lengths of the values and expected attention
  are computed as well, which are parts of the scoring here and by themselves in [gpu-observing.md](gpu-observing.md). Which
  positions are kept is told by the window's sums all the same, so that tokens/s are those of "6.9 % kept" but for noise; what
  choosing takes in the app, in JavaScript, is in neither.
- "read fast": what the best head attends to most goes on after about a quarter of the layers, 4,096 positions. Where to cut is
  the app's to say by what layers attend to; random weights attend to nothing, so here it is where it mostly is.
- **scoring** and so on are shares of the time to the first token. Of the window's it is what the device takes longer for the
  batches that are scored than for the last that is not, told by events that it does not stop for.

One measurement each, on ${day}${driver}: differences of a few percent are noise. Sections from
another day say so. Rows with a star are from an earlier run, and their ratios to stock as it was then.

## Beside the goals

At 6.9 % kept and beside stock with f16 keys and values: the first token in at most 1.05 times stock's time, at 32k at least 1.5
times and at 128k at least 3 times its tokens/s, and with the 8B shape at 128k less than 35 % of its memory at the peak. Bold:
missed before rounding, in this one measurement.

${goals()}

${models.map(section).join("\n\n")}

${apps.length > 0 ? appSection() : ""}## The least memory: one layer a group

At 6.9 % kept, the most that keys, values (the layer being read in f16 and what is kept of the others) and hidden states (f16)
hold at once, as shares of the whole f16 cache: what the allocator gave, and all device memory in use at the peak without
weights, the graph's buffers and what was in use before the model was loaded (so with the causal mask and CUDA's own pools).

${table(["", "tokens", "whole cache, GiB", "allocator", "device"], oneLayer)}

## Does it compute the same?

A model of four layers, 1,500 tokens and eight more that are given; "1:f32" is one layer a group and hidden states in f32.
"relative" is the norm of the difference of all logits over their norm. With hidden states in f32 and f16 keys and values,
reading in groups, compacting and decoding give stock's logits bit for bit (with room for just these tokens: more room is more
columns, and attention over more columns rounds otherwise); so they do with some layers on the GPU and the
others on the CPU, in groups that end where the layers change sides and in groups that go across, as long as each layer is
computed where it lies (llama.cpp otherwise has the GPU multiply large batches for the CPU's layers, and which small operations
go along depends on where the graph is cut). With q8_0 and q4_0 there is a difference that is no
error: stock reads from quantised keys and values, this project from exact ones, which it quantises when it compacts. The rows
against the CPU show what other kernels do to stock alone.

${checked(compiled.checks)}

Nothing falls back to the CPU: graphs have ${splits(all, ours, "splitsRead")} part(s) while reading in groups (stock ${splits(all, stock, "splitsRead")}) and ${splits(all, ours, "splitsDecode")} while
writing (stock ${splits(all, stock, "splitsDecode")}); the part on the CPU is the look-up of token embeddings.

${otherSections.join("")}`.trimEnd();

const page = new URL("../../../docs/bench/gpu.md", import.meta.url);
const titled = (markdown: string) =>
  markdown.split(/\n(?=##? )/).map((part) => ({ title: part.split("\n", 1)[0] as string, part: part.trim() }));
/** The rows of a table of runs, by tokens and name. */
const rowsOf = (part: string) =>
  new Map(
    [...part.matchAll(/^\| (\d+k)\*? \| ([^|]*)\|.*$/gm)].map(([line, tokens, run]) => [`${tokens} ${run}`, line]),
  );
/** The new table of a model, and what only the old one has. */
function withOldRows(part: string, old: string): string {
  const fresh = rowsOf(part);
  const rows = new Map([...rowsOf(old)].map(([key, line]) => [key, line.replace(/^\| (\d+k) /, "| $1* ")]));
  for (const [key, line] of fresh) rows.set(key, line);
  const [first = ""] = fresh.values();
  return part.slice(0, part.indexOf(first)) + [...rows.values()].join("\n");
}

const made = titled(text);
const parts = [...made];
let last = 0;
for (const old of titled(readFileSync(page, "utf8"))) {
  const now = parts.findIndex(({ title }) => title === old.title);
  const same = parts[now];
  if (same !== undefined) {
    last = now;
    if (models.some(({ header }) => old.title === `## ${basename(header.model, ".gguf")}`)) {
      parts[now] = { ...same, part: withOldRows(same.part, old.part) };
    }
  } else if (!made.some(({ title }) => old.title === `${title}, again`)) parts.splice(++last, 0, old);
}
const whole = parts.map(({ part }) => part).join("\n\n");
writeFileSync(page, `${whole}\n`);
console.log(whole);

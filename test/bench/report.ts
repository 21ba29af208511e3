/** The bench's page: tables in Markdown, and which charts stand beside them. Pure. */
import { formatBytes, formatShare } from "../../core/format.js";
import { type BenchModel, type CaseSet, modelLayers } from "./cases.js";
import type { Chart, Dash, Series, Tone } from "./chart.js";
import { type Figure, type Growth, groupBy, type Row, type Summary } from "./summary.js";

export interface PageFacts {
  /** Machine, date, versions. */
  readonly machine: string;
  readonly decode: number;
  readonly rounds: number;
  /** Cases measured, and cases that the set holds. */
  readonly measured: number;
  readonly of: number;
}

const names: Readonly<Record<BenchModel, string>> = {
  default: "the default model",
  "smollm2-like": `${modelLayers["smollm2-like"]} layers like SmolLM2-135M's, random weights`,
  "llama-3.2-1b-like": "Llama-3.2-1B-like, random weights",
  "qwen3-4b-like": "Qwen3-4B-like, random weights",
  "llama-3.1-8b-like": "Llama-3.1-8B-like, random weights",
};

export const formatTokens = (tokens: number) => (tokens % 1024 === 0 ? `${tokens / 1024}k` : String(tokens));
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
const factor = (value: number | undefined) => (value === undefined ? "–" : `${value.toFixed(2)}x`);

interface Column {
  readonly title: string;
  readonly cell: (row: Row) => string;
}

const columns: readonly Column[] = [
  { title: "", cell: (row) => row.label },
  { title: "KV at the peak", cell: ({ figures: f }) => withShare(f.kvPeakBytes, f.fullKvBytes) },
  { title: "estimated KV peak", cell: ({ figures }) => estimated(figures.estimatedKvPeakBytes, figures.kvPeakBytes) },
  { title: "KV after reading", cell: ({ figures: f }) => withShare(f.kvBytes, f.fullKvBytes) },
  { title: "KV read per token", cell: ({ figures }) => formatBytes(figures.kvReadPerTokenBytes) },
  { title: "RSS, model loaded", cell: ({ figures }) => formatBytes(figures.rssLoadedBytes) },
  { title: "RSS after reading", cell: ({ figures }) => formatBytes(figures.rssAfterReadingBytes) },
  { title: "peak RSS", cell: ({ figures }) => formatBytes(figures.rssPeakBytes) },
  { title: "estimated peak RSS", cell: ({ figures }) => estimated(figures.estimatedPeakBytes, figures.rssPeakBytes) },
  { title: "first token", cell: ({ figures }) => seconds(figures.firstTokenMs) },
  { title: "reading, against stock f16", cell: (row) => factor(row.readAgainstStock) },
  {
    title: "time left, off by",
    cell: ({ figures: { timeLeftOff } }) => (timeLeftOff === undefined ? "–" : `${(100 * timeLeftOff).toFixed(0)}%`),
  },
  { title: "decoding, tokens/s", cell: ({ figures }) => figures.decodeTokensPerSecond.toFixed(1) },
  { title: "against stock f16", cell: (row) => factor(row.decodeAgainstStock) },
];

function withShare(bytes: number, whole: number): string {
  return `${formatBytes(bytes)} (${formatShare(bytes, whole)})`;
}

/** An estimate and how far it is off what was measured. */
function estimated(bytes: number | undefined, measured: number): string {
  if (bytes === undefined) return "–";
  const off = (100 * (bytes - measured)) / measured;
  return `${formatBytes(bytes)} (${off < 0 ? "−" : "+"}${Math.abs(off).toFixed(1)}%)`;
}

/** A Markdown table; a bar inside a cell is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

const charted: readonly { figure: Figure; name: string; title: string; unit: "bytes" | "seconds" | "tokens/s" }[] = [
  { figure: "kvPeakBytes", name: "kv-peak", title: "KV at the peak", unit: "bytes" },
  { figure: "kvBytes", name: "kv-after", title: "KV after reading", unit: "bytes" },
  { figure: "kvReadPerTokenBytes", name: "kv-read", title: "KV read per decoded token", unit: "bytes" },
  { figure: "rssPeakBytes", name: "rss-peak", title: "Peak memory of the process (RSS)", unit: "bytes" },
  { figure: "firstTokenMs", name: "first-token", title: "Time to the first token", unit: "seconds" },
  { figure: "decodeTokensPerSecond", name: "decoding", title: "Decoding", unit: "tokens/s" },
];

/** A colour for a policy and budget, a dash for how entries are stored or how it is read; one for groups of layers. */
function look(side: string): { tone: Tone; dash: Dash } {
  const tone = (["grey", "amber", "blue", "teal", "violet"] as const)[
    ["stock", "full", "dynamickv-25", "dynamickv-6.9", "dynamickv-1.7"].findIndex((name) => side.startsWith(name))
  ];
  if (!tone) throw new RangeError(`${side} has no colour in the charts.`);
  const group = /(\d+)-layers$/.exec(side)?.[1];
  if (group) return { tone: "amber", dash: group === "2" ? "solid" : "dotted" };
  // the full cache is as large as stock's: dashed, so that the line below it shows
  const dashed = side === "full" || side.endsWith("q8_0");
  const dotted = side.endsWith("q4_0") || side.endsWith("fast");
  return { tone, dash: dashed ? "dashed" : dotted ? "dotted" : "solid" };
}

export interface NamedChart {
  readonly file: string;
  readonly chart: Chart;
}

/** A chart for each figure of each model that was measured beside stock, and at two lengths at least. */
export function charts({ rows }: Summary): NamedChart[] {
  return [...groupBy(rows, ({ model }) => model)].flatMap(([model, all]) => {
    const lengths = [...new Set(all.map(({ tokens }) => tokens))].toSorted((a, b) => a - b);
    if (lengths.length < 2 || !all.some(({ side }) => side.startsWith("stock"))) return [];
    return charted.map(({ figure, name, title, unit }) => ({
      file: `${model}-${name}.svg`,
      chart: {
        title: `${title}: ${names[model]}`,
        unit,
        x: lengths.map((tokens) => ({ value: tokens, label: formatTokens(tokens) })),
        xTitle: "tokens of the prompt",
        series: [...groupBy(all, ({ side }) => side)].map(
          ([side, line]): Series => ({
            label: line[0]?.label ?? side,
            ...look(side),
            points: line.map(({ tokens, figures }) => ({
              x: tokens,
              y: unit === "seconds" ? figures[figure] / 1000 : figures[figure],
            })),
          }),
        ),
      },
    }));
  });
}

const titles: Readonly<Record<CaseSet, string>> = {
  reading: "Memory and speed beside stock node-llama-cpp",
  long: "Memory and speed of long documents beside stock node-llama-cpp",
  shapes: "Memory of whole models of real shapes",
};

export function page(set: CaseSet, summary: Summary, facts: PageFacts): string {
  const { machine, decode, rounds, measured, of } = facts;
  const command = `npm run bench${set === "reading" ? "" : ` -- --${set}`}`;
  const missing = measured < of ? ` ${of - measured} of ${of} cases are not measured yet.` : "";
  const pictures = charts(summary);
  const sections = [...groupBy(summary.rows, ({ model }) => model)].flatMap(([model, all]) => [
    ...[...groupBy(all, ({ tokens }) => tokens)].map(
      ([tokens, rows]) =>
        `## ${formatTokens(tokens)} tokens, ${names[model]}\n\n${table(
          columns.map(({ title }) => title),
          rows.map((row) => columns.map(({ cell }) => cell(row))),
        )}${notMeasurable(summary, model, tokens)}`,
    ),
    ...growthSection(
      model,
      summary.growth.filter((one) => one.model === model),
    ),
    ...pictures
      .filter(({ file }) => file.startsWith(`${model}-`))
      .map(({ file, chart }) => `![${chart.title}](${file})`),
  ]);
  return `${[
    `# ${titles[set]}`,
    `Made by \`${command}\` on ${machine}. ${decode} tokens decoded; median of ${rounds} ${rounds === 1 ? "round" : "rounds"}, ratios within a round.${missing} What each figure is: [README.md](README.md).`,
    ...sections,
  ].join("\n\n")}\n`;
}

function notMeasurable({ holes }: Summary, model: BenchModel, tokens: number): string {
  const here = holes.filter((hole) => hole.model === model && hole.tokens === tokens);
  return here.map(({ label, reason }) => `\n\nNot possible here: ${label}. ${reason}`).join("");
}

function growthSection(model: BenchModel, growth: readonly Growth[]): string[] {
  const [first] = growth;
  if (!first) return [];
  const { from, to } = first;
  const rows = growth.map(({ label, factors, ...span }) => [
    span.from === from && span.to === to ? label : `${label} (${formatTokens(span.from)} to ${formatTokens(span.to)})`,
    ...charted.map(({ figure }) => factor(factors[figure])),
  ]);
  return [
    `## Growth from ${formatTokens(from)} to ${formatTokens(to)} tokens, ${names[model]}\n\n${table(
      ["", ...charted.map(({ title }) => title)],
      rows,
    )}`,
  ];
}

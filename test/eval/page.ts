/** An evaluation's page: tables in Markdown, and the charts that stand beside them. Pure. */
import type { Chart, Dash, Tone } from "../bench/chart.js";
import { type NamedChart, table } from "../bench/report.js";
import type { Benchmark, Metric } from "./benchmark.js";
import type { Cell, Figures } from "./figures.js";
import { certain, type Estimate } from "./stats.js";

export interface PageFacts {
  /** Model, machine, date. */
  readonly made: string;
  readonly command: string;
  /** Which documents or seeds. */
  readonly split: string;
}

const decimals: Readonly<Record<Metric["unit"], number>> = { nats: 3, "%": 1, ratio: 2 };

/** A metric's number as it is shown: shares in percent, a logarithm of a ratio as the ratio. */
function shown(value: number, unit: Metric["unit"], signed = false): string {
  const number = unit === "%" ? 100 * value : unit === "ratio" && !signed ? Math.exp(value) : value;
  const text = Math.abs(number).toFixed(decimals[unit]);
  if (!signed) return number < 0 && Number(text) !== 0 ? `−${text}` : text;
  return `${Number(text) === 0 ? "±" : number < 0 ? "−" : "+"}${text}`;
}

const interval = ({ low, high }: Estimate, unit: Metric["unit"], signed = false) =>
  `(${shown(low, unit, signed)} to ${shown(high, unit, signed)})`;

function valueTable(figures: Figures, metric: Metric): string {
  const counts = figures.budgets.map((budget) =>
    Math.max(0, ...figures.rows.map(({ cells }) => find(cells[metric.key], budget)?.value.cases ?? 0)),
  );
  const full = figures.full[metric.key];
  return table(
    ["kept", ...figures.budgets],
    [
      ...(full ? [["full cache", ...figures.budgets.map(() => shown(full.mean, metric.unit))]] : []),
      ...figures.rows.map(({ label, cells }) => [
        label,
        ...figures.budgets.map((budget, index) => {
          const cell = find(cells[metric.key], budget);
          if (!cell) return "–";
          const fewer = cell.value.cases < (counts[index] as number) ? `, ${cell.value.cases} cases` : "";
          return `${shown(cell.value.mean, metric.unit)} ${interval(cell.value, metric.unit)}${fewer}`;
        }),
      ]),
      ["cases", ...counts.map(String)],
    ],
  );
}

function differenceTable(figures: Figures, metric: Metric): string {
  const others = figures.rows.filter(({ label }) => label !== figures.reference);
  return table(
    [`minus ${figures.reference}`, ...figures.budgets],
    others.map(({ label, cells }) => [
      label,
      ...figures.budgets.map((budget) => {
        const cell = find(cells[metric.key], budget);
        if (!cell?.difference) return "–";
        const text = `${shown(cell.difference.mean, metric.unit, true)} ${interval(cell.difference, metric.unit, true)}`;
        return certain(cell.difference) ? `**${text}**` : text;
      }),
    ]),
  );
}

function groupTable(figures: Figures, metric: Metric): string {
  return table(
    [`${figures.reference} in`, "full cache", ...figures.budgets],
    figures.groups.map(({ name, tried, counted, cells }) => [
      name,
      `${counted} of ${tried}`,
      ...figures.budgets.map((budget) => {
        const cell = find(cells[metric.key], budget);
        return cell ? `${shown(cell.value.mean, metric.unit)} of ${cell.value.cases}` : "–";
      }),
    ]),
  );
}

const find = (cells: readonly Cell[] | undefined, budget: string) => cells?.find((cell) => cell.budget === budget);

export function page(benchmark: Benchmark, figures: Figures, { made, command, split }: PageFacts): string {
  const { tried, counted, of, tokens } = figures;
  const open = tried < of ? ` ${of - tried} of ${of} cases of a full run are not measured yet.` : "";
  const range = tokens ? `, prompts of ${tokens.least} to ${tokens.most} tokens` : "";
  const whole =
    counted < tried ? `The full cache answers ${counted} of ${tried} cases; only those count.` : `${counted} cases.`;
  return `${[
    `# ${benchmark.title}`,
    `Made by \`${command}\` with ${made}. ${split} ${whole}${open}`,
    `${benchmark.about} Budgets are shares of the full f16 cache in bytes, window and always-kept tokens included${range}; a case whose budget does not hold those is left out of that column. In brackets: 95 % intervals by the bootstrap over cases.`,
    ...benchmark.metrics.flatMap((metric) => [
      `## ${metric.title} (${metric.better} is better)`,
      valueTable(figures, metric),
      ...(figures.rows.length > 1
        ? [
            `Differences from "${figures.reference}", case by case${metric.unit === "ratio" ? ", of logarithms" : ""}; bold where the interval excludes 0 and there are six cases at least:`,
            differenceTable(figures, metric),
          ]
        : []),
      ...(figures.groups.length > 0 ? [groupTable(figures, metric)] : []),
      ...charts(benchmark, figures)
        .filter(({ metric: key }) => key === metric.key)
        .map(({ file, chart }) => `![${chart.title}](${file})`),
    ]),
    "## Cost of choosing",
    "Milliseconds to choose over milliseconds to read, largest budget:",
    table(
      ["", "of reading time"],
      figures.rows.map(({ variant, label }) => [label, `${(100 * (figures.chooseShare[variant] ?? 0)).toFixed(2)} %`]),
    ),
  ].join("\n\n")}\n`;
}

const tones: readonly Tone[] = ["teal", "amber", "blue", "violet", "grey"];
const dashes: readonly Dash[] = ["solid", "dashed", "dotted"];

/** One chart a metric, of budgets that at least one variant was measured at. */
export function charts(benchmark: Benchmark, figures: Figures): (NamedChart & { readonly metric: string })[] {
  const share = (budget: string) => Number.parseFloat(budget);
  return benchmark.metrics.flatMap(({ key, title, unit }) => {
    const value = (mean: number) => (unit === "%" ? 100 * mean : unit === "ratio" ? Math.exp(mean) : mean);
    const series = figures.rows.flatMap(({ label, cells }, index): Chart["series"][number][] => {
      // a divergence of exactly nothing has no place on a logarithmic axis
      const points = (cells[key] ?? [])
        .map((cell) => ({ x: share(cell.budget), y: value(cell.value.mean) }))
        .filter(({ y }) => unit === "%" || y > 0);
      const tone = tones[index % tones.length] as Tone;
      const dash = dashes[Math.floor(index / tones.length) % dashes.length] as Dash;
      return points.length > 0 ? [{ label, tone, dash, points }] : [];
    });
    const used = new Set(series.flatMap(({ points }) => points.map(({ x }) => x)));
    const x = figures.budgets
      .map((budget) => ({ value: share(budget), label: budget }))
      .filter((mark) => used.has(mark.value))
      .toSorted((a, b) => a.value - b.value);
    if (x.length < 2) return [];
    const chart: Chart = {
      title,
      unit: unit === "ratio" ? "x" : unit,
      x,
      xTitle: "kept, of the full cache's bytes",
      series,
    };
    return [{ metric: key, file: `${figures.benchmark}-${key}.svg`, chart }];
  });
}

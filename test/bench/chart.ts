/**
 * A line chart as SVG, both axes logarithmic (growth with length is a slope, and lines that grow alike are parallel) but
 * for percentages, whose axis runs evenly from 0 to 100. Light and dark follow the reader's setting. Pure; 150 lines of our own instead of a charting library and its upkeep.
 */

/** Colour pairs, light and dark, each of a contrast of 4.5 or more on its ground. */
const tones = {
  grey: ["#5c5c5c", "#c4c4c4"],
  amber: ["#9a5200", "#e3a857"],
  blue: ["#0b6391", "#6dbce6"],
  teal: ["#00695e", "#4fd0bd"],
  violet: ["#6a3fb5", "#bda2f2"],
} as const;

export type Tone = keyof typeof tones;
export type Dash = "solid" | "dashed" | "dotted";

export interface Series {
  readonly label: string;
  readonly tone: Tone;
  readonly dash: Dash;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Chart {
  readonly title: string;
  readonly unit: "bytes" | "seconds" | "tokens/s" | "nats" | "x" | "%";
  /** Marks of the x axis, ascending, at least two. */
  readonly x: readonly { readonly value: number; readonly label: string }[];
  readonly xTitle: string;
  /** Every x above 0; every y, too, or from 0 to 100 for percentages. */
  readonly series: readonly Series[];
}

const width = 860;
const height = 420;
const plot = { left: 78, right: 620, top: 56, bottom: 370 };
const labelHeight = 17;
const dashes: Readonly<Record<Dash, string>> = {
  solid: "",
  dashed: ' stroke-dasharray="7 4"',
  dotted: ' stroke-dasharray="2 4"',
};

const style = [
  "text{font:13px system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif;fill:#3a3733}",
  ".title{font-size:15px;font-weight:600}",
  ".ground{fill:#fdfcfa}.grid{stroke:#dedad3}",
  "polyline{fill:none;stroke-width:2;stroke-linejoin:round}",
  ...Object.entries(tones).map(([name, [light]]) => toneRule(name, light)),
  "@media(prefers-color-scheme:dark){text{fill:#ded9d0}.ground{fill:#1c1a18}.grid{stroke:#3b3835}",
  ...Object.entries(tones).map(([name, [, dark]]) => toneRule(name, dark)),
  "}",
].join("");

function toneRule(name: string, colour: string): string {
  return `polyline.${name},line.${name}{stroke:${colour}}circle.${name},text.${name}{fill:${colour}}`;
}

export function chart({ title, unit, x, xTitle, series }: Chart): string {
  const values = series.flatMap(({ points }) => points.map(({ y }) => y));
  if (x.length < 2 || values.length === 0) throw new RangeError("A chart takes two lengths and one line at least.");
  const even = unit === "%";
  if (!values.every((value) => (even ? value >= 0 && value <= 100 : value > 0 && Number.isFinite(value)))) {
    throw new RangeError(even ? "A percentage lies in 0 to 100." : "A logarithmic axis takes finite values above 0.");
  }
  const marks = even ? [0, 20, 40, 60, 80, 100] : axisMarks(Math.min(...values), Math.max(...values), unit);
  const toX = scale(x[0]?.value as number, x.at(-1)?.value as number, plot.left, plot.right - 14);
  const toY = even
    ? (value: number) => plot.bottom + (value / 100) * (plot.top - plot.bottom)
    : scale(marks[0] as number, marks.at(-1) as number, plot.bottom, plot.top);

  const grid = marks.map((value) => {
    const y = round(toY(value));
    return `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y}" y2="${y}"/><text x="${plot.left - 8}" y="${round(y + 4)}" text-anchor="end">${escaped(formatValue(value, unit))}</text>`;
  });
  const bottom = x.map(
    ({ value, label }) =>
      `<text x="${round(toX(value))}" y="${plot.bottom + 20}" text-anchor="middle">${escaped(label)}</text>`,
  );
  const lines = series.map(({ points, tone, dash }) => {
    const placed = points
      .toSorted((a, b) => a.x - b.x)
      .map((point) => [round(toX(point.x)), round(toY(point.y))] as const);
    const dots = placed.map(([cx, cy]) => `<circle class="${tone}" cx="${cx}" cy="${cy}" r="3"/>`);
    return `<polyline class="${tone}"${dashes[dash]} points="${placed.map((point) => point.join(",")).join(" ")}"/>${dots.join("")}`;
  });
  const ends = series.map(({ points }) => toY((points.toSorted((a, b) => a.x - b.x).at(-1) as { y: number }).y));
  const labels = spread(ends, labelHeight, plot.top, plot.bottom).map((y, index) => {
    const { label, tone, dash } = series[index] as Series;
    const at = round(y);
    return `<line class="${tone}" stroke-width="2"${dashes[dash]} x1="${plot.right + 8}" x2="${plot.right + 32}" y1="${at}" y2="${at}"/><text class="${tone}" x="${plot.right + 38}" y="${round(at + 4)}">${escaped(label)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    `<style>${style}</style><rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    `<text class="title" x="20" y="30">${escaped(title)}</text>`,
    ...grid,
    ...bottom,
    `<text x="${(plot.left + plot.right) / 2}" y="${plot.bottom + 40}" text-anchor="middle">${escaped(xTitle)}</text>`,
    ...lines,
    ...labels,
    "</svg>",
    "",
  ].join("\n");
}

/** A logarithmic scale from [low, high] to [from, to]. */
function scale(low: number, high: number, from: number, to: number): (value: number) => number {
  return (value) => from + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (to - from);
}

/**
 * Round values that enclose [low, high], ascending, at least two and few: powers of 2 for bytes, 1-2-5 (or
 * only powers of ten where those would be too many) for all else.
 */
export function axisMarks(low: number, high: number, unit: Chart["unit"]): number[] {
  const steps = unit === "bytes" ? [[1], [1, 4, 16], [1, 16], [1, 64]] : [[1, 2, 5], [1]];
  const base = unit === "bytes" ? [2, 64, 256, 4096] : [10, 10];
  let marks: number[] = [];
  for (const [index, factors] of steps.entries()) {
    marks = enclosing(low, high, base[index] as number, factors);
    if (marks.length <= 7) break;
  }
  return marks;
}

function enclosing(low: number, high: number, base: number, factors: readonly number[]): number[] {
  const log = (value: number) => Math.log(value) / Math.log(base);
  const first = Math.floor(log(low)) - 1;
  const all = Array.from({ length: Math.ceil(log(high)) + 2 - first }, (_, index) => base ** (first + index)).flatMap(
    (power) => factors.map((factor) => power * factor),
  );
  // what is a hair off in floating point is still on its mark
  const start = all.findLastIndex((mark) => mark <= low * (1 + 1e-9));
  const end = all.findIndex((mark, index) => index > start && mark >= high * (1 - 1e-9));
  return all.slice(start, end + 1);
}

/**
 * Moves labels apart: the same order, `gap` between neighbours, inside [top, bottom] as far as they fit, and no
 * further from where they were than that takes.
 */
export function spread(wanted: readonly number[], gap: number, top: number, bottom: number): number[] {
  const order = wanted.map((_, index) => index).toSorted((a, b) => (wanted[a] as number) - (wanted[b] as number));
  const placed = order.map((index) => wanted[index] as number);
  for (let i = 1; i < placed.length; i++) placed[i] = Math.max(placed[i] as number, (placed[i - 1] as number) + gap);
  for (let i = placed.length - 1; i >= 0; i--) {
    const limit = i === placed.length - 1 ? bottom : (placed[i + 1] as number) - gap;
    placed[i] = Math.min(placed[i] as number, limit);
  }
  const overflow = Math.max(0, top - (placed[0] ?? top));
  const result: number[] = [];
  for (const [i, index] of order.entries()) {
    result[index] = Math.max(placed[i] as number, top + (overflow > 0 ? i * gap : 0));
  }
  return result;
}

function formatValue(value: number, unit: Chart["unit"]): string {
  const behind = { seconds: " s", "%": " %", x: "x" } as const;
  if (unit !== "bytes")
    return `${Number(value.toPrecision(3))}${unit in behind ? behind[unit as keyof typeof behind] : ""}`;
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(value) / 10 + 1e-9)));
  return `${Number((value / 1024 ** power).toPrecision(3))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

const round = (value: number) => Math.round(value * 10) / 10;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

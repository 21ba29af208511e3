/** From measured cases to rows: medians over rounds, ratios within a round, growth with length. Pure. */
import { type BenchModel, type Case, type Side, sides } from "./cases.js";
import type { Measurement, Outcome } from "./one.js";

export type Figure = Exclude<keyof Measurement, Guess>;

/** What is said beforehand or while reading; stock says nothing. */
type Guess = `estimated${string}` | "timeLeftOff";

export interface Row {
  readonly model: BenchModel;
  readonly tokens: number;
  readonly side: string;
  readonly label: string;
  /** Rounds measured. */
  readonly rounds: number;
  readonly figures: Measurement;
  /** Median of this side's figure over stock f16's of the same round; undefined where stock was not measured. */
  readonly readAgainstStock: number | undefined;
  readonly decodeAgainstStock: number | undefined;
}

/** A case that its budget makes impossible. */
export interface Hole {
  readonly model: BenchModel;
  readonly tokens: number;
  readonly label: string;
  readonly reason: string;
}

export interface Growth {
  readonly model: BenchModel;
  readonly label: string;
  readonly from: number;
  readonly to: number;
  /** Figure at `to` over figure at `from`. */
  readonly factors: Readonly<Record<Figure, number>>;
}

export interface Summary {
  readonly rows: readonly Row[];
  readonly holes: readonly Hole[];
  readonly growth: readonly Growth[];
}

export interface Measured {
  readonly one: Case;
  readonly outcome: Outcome;
}

/** In the order of first appearance. Node.js 20 has no Map.groupBy. */
export function groupBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/** Of an even number, the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError("The median of nothing.");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

export function summarize(measured: readonly Measured[]): Summary {
  const rows: Row[] = [];
  const holes: Hole[] = [];
  const places = new Map(measured.map(({ one: { model, tokens } }) => [`${model} ${tokens}`, { model, tokens }]));
  for (const { model, tokens } of places.values()) {
    const here = measured.filter(({ one }) => one.model === model && one.tokens === tokens);
    const stock = byRound(here, sides[0] as Side);
    for (const side of sides) {
      const rounds = byRound(here, side);
      const impossible = here.find(({ one, outcome }) => one.side.id === side.id && "impossible" in outcome);
      if (impossible && "impossible" in impossible.outcome) {
        holes.push({ model, tokens, label: side.label, reason: impossible.outcome.impossible });
      }
      if (rounds.size === 0) continue;
      const ratio = (figure: Figure) => {
        const pairs = [...rounds].flatMap(([round, one]) => {
          const peer = stock.get(round);
          return peer ? [one[figure] / peer[figure]] : [];
        });
        return pairs.length > 0 ? median(pairs) : undefined;
      };
      rows.push({
        model,
        tokens,
        side: side.id,
        label: side.label,
        rounds: rounds.size,
        figures: medians([...rounds.values()]),
        readAgainstStock: ratio("readMs"),
        decodeAgainstStock: ratio("decodeTokensPerSecond"),
      });
    }
  }
  return { rows, holes, growth: growthOf(rows) };
}

function byRound(measured: readonly Measured[], side: Side): Map<number, Measurement> {
  return new Map(
    measured.flatMap(({ one, outcome }): [number, Measurement][] =>
      one.side.id === side.id && !("impossible" in outcome) ? [[one.round, outcome]] : [],
    ),
  );
}

/** Each figure's own median. */
function medians(rounds: readonly Measurement[]): Measurement {
  const [first] = rounds as [Measurement, ...Measurement[]];
  const entries = (Object.keys(first) as (keyof Measurement)[]).map((key) => [
    key,
    median(rounds.map((one) => one[key] as number)),
  ]);
  return Object.fromEntries(entries) as Measurement;
}

function growthOf(rows: readonly Row[]): Growth[] {
  const lines = groupBy(rows, ({ model, side }) => `${model} ${side}`);
  return [...lines.values()].flatMap((line) => {
    const [first, ...others] = line.toSorted((a, b) => a.tokens - b.tokens);
    const last = others.at(-1);
    if (!first || !last) return [];
    const figures = Object.keys(first.figures).filter(
      (key) => !key.startsWith("estimated") && key !== "timeLeftOff",
    ) as Figure[];
    return {
      model: first.model,
      label: first.label,
      from: first.tokens,
      to: last.tokens,
      factors: Object.fromEntries(
        figures.map((key) => [key, last.figures[key] / first.figures[key]]),
      ) as Growth["factors"],
    };
  });
}

/** From measured cases to what a page shows: means with intervals, differences from our default, counts. Pure. */
import { groupBy } from "../bench/summary.js";
import type { Benchmark, Case } from "./benchmark.js";
import { type Measured, planKey } from "./measure.js";
import { difference, type Estimate, estimate } from "./stats.js";
import { storedVariants, type Variant } from "./variants.js";

export interface Cell {
  readonly budget: string;
  readonly value: Estimate;
  /** This variant minus the one that all are compared with, over the cases that both have; undefined for that itself. */
  readonly difference: Estimate | undefined;
  /** And minus our default's choice stored in the same type as this variant: what the choice alone is worth. */
  readonly alike: Estimate | undefined;
}

export interface Row {
  readonly variant: string;
  readonly label: string;
  /** By metric; budgets that hold for no case are missing. */
  readonly cells: Readonly<Record<string, readonly Cell[]>>;
}

/** What all are compared with, in a part of the cases. */
export interface Group {
  readonly name: string;
  readonly tried: number;
  readonly counted: number;
  readonly cells: Readonly<Record<string, readonly Cell[]>>;
}

export interface Figures {
  readonly benchmark: string;
  /** The label of what all others are compared with. */
  readonly reference: string;
  readonly budgets: readonly string[];
  /** Cases tried, those that count, and those of a full run. */
  readonly tried: number;
  readonly counted: number;
  readonly of: number;
  /** Tokens of the prompts that count. */
  readonly tokens: { readonly least: number; readonly most: number } | undefined;
  /** The full cache's own figures, by metric. */
  readonly full: Readonly<Record<string, Estimate>>;
  readonly rows: readonly Row[];
  readonly groups: readonly Group[];
  /** Milliseconds to choose over those to read, by variant: mean over cases, at the largest budget that holds. */
  readonly chooseShare: Readonly<Record<string, number>>;
}

export interface Result<C extends Case> {
  readonly one: C;
  readonly measured: Measured;
}

/**
 * @param results of every case that was tried, in any state
 * @param variants the first is what all others are compared with
 */
export function figures<C extends Case>(
  benchmark: Benchmark<C>,
  results: readonly Result<C>[],
  variants: readonly Variant[],
  budgets: readonly string[],
  of: number,
): Figures {
  const reference = variants[0] as Variant;
  const counted = results.filter(({ measured }) => measured.counts);
  const lengths = counted.map(({ measured }) => measured.tokens);
  const cellsOf = (variant: Variant, some: readonly Result<C>[]) =>
    Object.fromEntries(
      benchmark.metrics.map(({ key }) => [
        key,
        budgets.flatMap((budget): Cell[] => {
          const values = valuesOf(some, variant, budget, key);
          if (values.size === 0) return [];
          const minus = (other: Variant | undefined) =>
            other && other !== variant ? difference(values, valuesOf(some, other, budget, key)) : undefined;
          return [
            {
              budget,
              value: estimate([...values.values()]),
              difference: minus(reference),
              alike: minus(storedVariants.find(({ kvType }) => kvType === variant.kvType)),
            },
          ];
        }),
      ]),
    );
  const groups = groupBy(
    results.flatMap((result) => result.one.groups.map((name) => ({ name, result }))),
    ({ name }) => name,
  );
  return {
    benchmark: benchmark.name,
    reference: reference.label,
    budgets,
    tried: results.length,
    counted: counted.length,
    of,
    tokens: lengths.length > 0 ? { least: Math.min(...lengths), most: Math.max(...lengths) } : undefined,
    full: Object.fromEntries(
      counted.length === 0
        ? []
        : benchmark.metrics.map(({ key }) => [
            key,
            estimate(counted.map(({ measured: { full } }) => full[key] as number)),
          ]),
    ),
    rows: variants
      .map((variant) => ({ variant: variant.id, label: variant.label, cells: cellsOf(variant, counted) }))
      .filter(({ cells }) => Object.values(cells).some((list) => list.length > 0)),
    groups: [...groups].map(([name, members]) => {
      const some = members.map(({ result }) => result);
      const inside = some.filter(({ measured }) => measured.counts);
      return { name, tried: some.length, counted: inside.length, cells: cellsOf(reference, inside) };
    }),
    chooseShare: Object.fromEntries(
      variants.flatMap((variant) => {
        const shares = counted.flatMap(({ measured: { plans, readMs } }) => {
          const plan = budgets.map((budget) => plans[planKey(variant, budget)]).find((one) => one && "scores" in one);
          return plan && "chooseMs" in plan ? [plan.chooseMs / readMs] : [];
        });
        return shares.length > 0 ? [[variant.id, shares.reduce((a, b) => a + b, 0) / shares.length]] : [];
      }),
    ),
  };
}

/** One metric by case. */
function valuesOf(
  results: readonly Result<Case>[],
  variant: Variant,
  budget: string,
  metric: string,
): Map<string, number> {
  return new Map(
    results.flatMap(({ one, measured }): [string, number][] => {
      const plan = measured.plans[planKey(variant, budget)];
      return plan && "scores" in plan ? [[one.id, plan.scores[metric] as number]] : [];
    }),
  );
}

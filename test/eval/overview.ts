/**
 * Which policy at which budget: one page over all benchmarks, and the data file that the memory slider's words come from.
 * Pure.
 */
import { policyNames } from "../../core/compression/registry.js";
import type { KvType } from "../../core/engine/kv.js";
import { table } from "../bench/report.js";
import type { Cell, Figures, Row } from "./figures.js";
import { certain, type Estimate, fewest } from "./stats.js";
import { ours, storedVariants } from "./variants.js";

/** Figures by benchmark; those that were not run yet are missing. */
export type AllFigures = Readonly<Record<string, Figures | undefined>>;

const find = (row: Pick<Row, "cells"> | undefined, metric: string, budget: string): Cell | undefined =>
  row?.cells[metric]?.find((cell) => cell.budget === budget);

const rowOf = (figures: Figures | undefined, variant: string) => figures?.rows.find((row) => row.variant === variant);

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

export interface SliderStop {
  readonly budget: string;
  readonly kvType: KvType;
  readonly words: string;
  /** Of our default: mean KL divergence in nats, share of same first choices, share of needles found. */
  readonly kl: number;
  readonly agreement: number;
  readonly needles: number;
  /** Lower ends of the 95 % intervals, which the words stand on. */
  readonly agreementAtLeast: number;
  readonly needlesAtLeast: number;
  /** Documents and questions behind it. */
  readonly documents: number;
  readonly questions: number;
}

export interface SliderData {
  readonly policy: string;
  /** How entries are stored when nobody says. */
  readonly kvType: KvType;
  /** The least budget with the best words that any has; undefined while nothing is measured. */
  readonly recommended: string | undefined;
  /** For each way to store entries, the default first, from the largest budget down; those that both benchmarks have. */
  readonly stops: readonly SliderStop[];
}

/** What a budget may be called: the least share of same first choices and of needles found, at the intervals' lower ends. */
export const ladder = [
  { words: "almost as with all notes", agreement: 0.85, needles: 0.9 },
  { words: "facts and main points", agreement: 0.65, needles: 0.75 },
  { words: "main points only", agreement: 0.5, needles: 0 },
  { words: "a rough idea", agreement: 0, needles: 0 },
] as const;

export function sliderData({ distribution, needle }: AllFigures): SliderData {
  const stops = storedVariants.flatMap(({ id, kvType }) => stopsOf(id, kvType, distribution, needle));
  const usual = stops.filter(({ kvType }) => kvType === ours.kvType);
  const best = ladder.find(({ words }) => usual.some((stop) => stop.words === words))?.words;
  const recommended = usual.findLast(({ words }) => words === best)?.budget;
  return { policy: ours.policy, kvType: ours.kvType, recommended, stops };
}

function stopsOf(
  id: string,
  kvType: KvType,
  distribution: Figures | undefined,
  needle: Figures | undefined,
): SliderStop[] {
  const [document, question] = [rowOf(distribution, id), rowOf(needle, id)];
  return (distribution?.budgets ?? []).flatMap((budget): SliderStop[] => {
    const kl = find(document, "kl", budget)?.value;
    const agreement = find(document, "agreement", budget)?.value;
    const found = find(question, "found", budget)?.value;
    if (!kl || !agreement || !found) return [];
    const reached = ladder.find((rung) => agreement.low >= rung.agreement && found.low >= rung.needles);
    return [
      {
        budget,
        kvType,
        words: reached?.words ?? "",
        kl: kl.mean,
        agreement: agreement.mean,
        needles: found.mean,
        agreementAtLeast: agreement.low,
        needlesAtLeast: found.low,
        documents: agreement.cases,
        questions: found.cases,
      },
    ];
  });
}

export function overviewPage(all: AllFigures): string {
  const { distribution, needle, summaries } = all;
  const budgets = (distribution ?? needle)?.budgets ?? [];
  const names = new Map(
    [...(distribution?.rows ?? []), ...(needle?.rows ?? [])].map(({ variant, label }) => [variant, label]),
  );
  const kl = (variant: string, budget: string) => whole(distribution, variant, "kl", budget);
  const found = (variant: string, budget: string) => whole(needle, variant, "found", budget);
  const measured = [...names].filter(([variant]) =>
    budgets.some((budget) => kl(variant, budget) ?? found(variant, budget)),
  );
  const rows = measured.map(([variant, label]) => [
    label,
    ...budgets.map((budget) => {
      const [loss, share] = [kl(variant, budget), found(variant, budget)];
      return `${loss ? `${loss.value.mean.toFixed(2)}${mark(loss.difference, "lower")}` : "–"} / ${share ? `${percent(share.value.mean)}${mark(share.difference, "higher")}` : "–"}`;
    }),
  ]);
  return `${[
    "# Which policy at which budget",
    `At equal bytes: mean KL divergence from the full cache along its summaries, in nats ([distribution.md](distribution.md), ${distribution?.counted ?? 0} documents), and needles found of those that the full cache finds ([needle.md](needle.md), ${needle?.counted ?? 0} questions). ▲ better, ▼ worse than "${ours.label}", our default, with 95 % confidence, case by case; – the budget holds no more than the instruction, or the policy was not measured on every case that ours was. How to repeat it: [README.md](README.md).`,
    table(["kept", ...budgets], rows),
    ...choicesAlone(all, budgets),
    ...claims(summaries),
    ...sliderSection(all),
  ].join("\n\n")}\n`;
}

/** Means over different cases do not stand beside each other. */
function whole(figures: Figures | undefined, variant: string, metric: string, budget: string): Cell | undefined {
  const cell = find(rowOf(figures, variant), metric, budget);
  const cases = find(rowOf(figures, ours.id), metric, budget)?.value.cases;
  return cell && cases !== undefined && cell.value.cases < cases ? undefined : cell;
}

type Better = "lower" | "higher";

/** ▲ or ▼ where a difference is certain. */
function mark(difference: Estimate | undefined, better: Better): string {
  if (!difference || !certain(difference)) return "";
  return difference.mean > 0 === (better === "higher") ? " ▲" : " ▼";
}

/** What others choose beside what ours chooses, both stored in f16. */
function choicesAlone({ distribution, needle }: AllFigures, budgets: readonly string[]): string[] {
  const policies = (distribution ?? needle)?.rows.filter(
    ({ variant }) => variant !== ours.policy && (policyNames as readonly string[]).includes(variant),
  );
  const shown = (figures: Figures | undefined, variant: string, metric: string, budget: string, better: Better) => {
    const alike = find(rowOf(figures, variant), metric, budget)?.alike;
    if (!alike || alike.cases < fewest) return "–";
    return `${alike.mean >= 0 ? "+" : "−"}${Math.abs(alike.mean).toFixed(2)}${mark(alike, better)}`;
  };
  if (!policies?.some(({ cells }) => Object.values(cells).some((list) => list.some(({ alike }) => alike)))) return [];
  return [
    "## The choices alone",
    `The same cases, each policy minus \`${ours.policy}\` with both stored in f16: KL divergence (below 0 is nearer to the full cache) and share of needles found (above 0 finds more). – fewer than ${fewest} cases.`,
    table(
      ["kept", ...budgets],
      policies.map(({ variant, label }) => [
        label,
        ...budgets.map(
          (budget) =>
            `${shown(distribution, variant, "kl", budget, "lower")} / ${shown(needle, variant, "found", budget, "higher")}`,
        ),
      ]),
    ),
  ];
}

/** The paper's own measure: what is left of the full cache's score. */
function claims(summaries: Figures | undefined): string[] {
  const full = summaries?.full.rouge1;
  if (!summaries || !full) return [];
  return [
    "## Share of the full cache's ROUGE-1",
    `DynamicKV's authors report 78 to 90 % of the full score at 1.7 % kept, for models of 7 to 8 billion parameters (arXiv 2412.14838). Here, on ${summaries.counted} documents ([summaries.md](summaries.md)):`,
    table(
      ["kept", ...summaries.budgets],
      summaries.rows.map((row) => [
        row.label,
        ...summaries.budgets.map((budget) => {
          const cell = find(row, "rouge1", budget);
          return cell ? percent(cell.value.mean / full.mean) : "–";
        }),
      ]),
    ),
  ];
}

function sliderSection(all: AllFigures): string[] {
  const { stops, recommended } = sliderData(all);
  if (stops.length === 0) return [];
  return [
    "## What the memory slider may say",
    `Words stand on the lower ends of the intervals (\`test/eval/overview.ts\`). Recommended: ${recommended}. As data: [slider.json](slider.json).`,
    table(
      ["kept", "stored in", "words", "same first choice", "needles found"],
      stops.map(({ budget, kvType, words, agreement, agreementAtLeast, needles, needlesAtLeast }) => [
        budget,
        kvType,
        words,
        `${percent(agreement)} (at least ${percent(agreementAtLeast)})`,
        `${percent(needles)} (at least ${percent(needlesAtLeast)})`,
      ]),
    ),
  ];
}

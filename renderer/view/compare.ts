/** Two runs of a document side by side: what was chosen, what it took, and which words differ. */

import { diffWordsWithSpace } from "diff";
import type { ListedRun, StoredRun } from "../../electron/contract.js";
import { firstSettings } from "../../electron/core.js";
import { perLanguage, t } from "../../electron/language.js";
import { policyLabel, summaryLanguage } from "./choices.js";
import { formatBytes, formatCount, formatDuration, formatPages, formatPercent, plural } from "./format.js";

export interface Piece {
  readonly text: string;
  /** Whether only this side has it. */
  readonly own: boolean;
}

/** Words are told apart as the language does that has no spaces between them, too. */
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** Both texts in pieces, whole: joined, they are what they were. */
export function difference(left: string, right: string): { left: Piece[]; right: Piece[] } {
  const changes = diffWordsWithSpace(left, right, { intlSegmenter: segmenter });
  const side = (without: "added" | "removed", own: "added" | "removed") =>
    changes.filter((change) => !change[without]).map((change) => ({ text: change.value, own: change[own] }));
  return { left: side("added", "removed"), right: side("removed", "added") };
}

const dates = perLanguage((language) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }));
export const formatMoment = (milliseconds: number): string => dates().format(milliseconds);

/** A budget as the window writes shares; one of tokens or bytes as it was given. */
const formatBudget = (budget: string): string =>
  budget.endsWith("%") ? formatPercent(Number.parseFloat(budget)) : budget;

/** A run in a list of them, as short as that can be: its policy only where it is not the usual one. */
export const runName = ({ ended, budget, policy, length }: ListedRun): string =>
  [
    formatMoment(ended),
    formatBudget(budget),
    ...(policy === firstSettings.policy ? [] : [policyLabel(policy)]),
    t(`compare.${length}`),
  ].join(" · ");

/** What tells a run from another, as rows of a table. */
export function runRows({ started, ended, options, result }: StoredRun): readonly (readonly [string, string])[] {
  const { document, kv, model, text } = result;
  return [
    [t("compare.finished"), formatMoment(ended)],
    [
      t("compare.memory"),
      t("compare.memoryKept", { budget: formatBudget(options.budget), bytes: formatBytes(kv.retainedBytes) }),
    ],
    [t("compare.policy"), policyLabel(options.policy)],
    [t("compare.reading"), t(`advanced.${options.reading ?? "thorough"}`)],
    [t("compare.model"), model.id],
    [t("compare.length"), t(`compare.${options.length}`)],
    [
      t("compare.language"),
      options.language === undefined ? t("compare.documentLanguage") : summaryLanguage(options.language),
    ],
    [
      t("compare.read"),
      t("coverage.pages", {
        units: plural(document.pagesRead.length, document.coverage.unit),
        pages: formatPages(document.pagesRead),
      }),
    ],
    [t("compare.took"), formatDuration(ended - started)],
    [t("compare.words"), formatCount([...segmenter.segment(text)].filter(({ isWordLike }) => isWordLike).length)],
  ];
}

/** Two runs of a document side by side: what was chosen, what it took, and which words differ. */

import { diffArrays, diffWordsWithSpace } from "diff";
import type { ListedRun, StoredRun } from "../../electron/contract.js";
import { firstSettings, modelName } from "../../electron/core.js";
import { perLanguage, t } from "../../electron/language.js";
import { policyLabel, summaryLanguage } from "./choices.js";
import { formatBytes, formatCount, formatDuration, formatPages, formatPercent, plural } from "./format.js";

export interface Piece {
  readonly text: string;
  /** Whether only this side has it. */
  readonly own: boolean;
}

export interface Difference {
  readonly left: readonly Piece[];
  readonly right: readonly Piece[];
  readonly by: "word" | "sentence";
}

/** Words are told apart as the language does that has no spaces between them, too. */
const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
const sentences = new Intl.Segmenter(undefined, { granularity: "sentence" });

/** Of the shorter text's characters: with fewer in common, marks at every second word would tell nothing. */
const leastCommon = 1 / 3;
/** Words and spaces: what is in common counts where it is so many in a row, or any two texts would have much. */
const leastRow = 5;

/** Both texts in pieces, whole: joined, they are what they were. Texts of few common words are compared by sentences. */
export function difference(left: string, right: string): Difference {
  const words = diffWordsWithSpace(left, right, { intlSegmenter: segmenter });
  const common = words
    .filter(({ added, removed, count }) => !added && !removed && count >= leastRow)
    .reduce((sum, { value }) => sum + value.length, 0);
  if (common >= leastCommon * Math.min(left.length, right.length)) return sides(words, "word");
  const changes = diffArrays(sentencesOf(left), sentencesOf(right));
  return sides(
    changes.map(({ value, added, removed }) => ({ value: value.join(""), added, removed })),
    "sentence",
  );
}

/** Each sentence, and the space behind it by itself: the last one of a text has none. */
const sentencesOf = (text: string): string[] =>
  [...sentences.segment(text)].flatMap(({ segment }) =>
    [segment.trimEnd(), segment.slice(segment.trimEnd().length)].filter(Boolean),
  );

function sides(
  changes: readonly { value: string; added: boolean; removed: boolean }[],
  by: Difference["by"],
): Difference {
  const side = (without: "added" | "removed", own: "added" | "removed") =>
    joined(changes.filter((change) => !change[without]).map((change) => ({ text: change.value, own: change[own] })));
  return { left: side("added", "removed"), right: side("removed", "added"), by };
}

/** Marks of neighbours become one, whatever space is between them; space at a mark's ends stands outside of it. */
function joined(pieces: readonly Piece[]): Piece[] {
  const bare = pieces.flatMap(bareMark).filter(({ text }) => text !== "");
  const whole: Piece[] = [];
  for (const [at, { text, own }] of bare.entries()) {
    const last = whole.at(-1);
    const marked = own || (text.trim() === "" && last?.own === true && bare[at + 1]?.own === true);
    if (last?.own === marked) whole[whole.length - 1] = { text: last.text + text, own: marked };
    else whole.push({ text, own: marked });
  }
  return whole;
}

/** A mark, and the space before and after it by themselves. */
function bareMark({ text, own }: Piece): Piece[] {
  const word = text.trim();
  const at = text.indexOf(word);
  if (!own || word === "") return [{ text, own: false }];
  return [
    { text: text.slice(0, at), own: false },
    { text: word, own },
    { text: text.slice(at + word.length), own: false },
  ];
}

/** The window's English is British. */
const dates = perLanguage(
  (language) =>
    new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { dateStyle: "medium", timeStyle: "short" }),
);
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
    [t("compare.model"), modelName(model.id)],
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

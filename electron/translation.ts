/**
 * What the core says, in the language of the window. The core makes English sentences (core/said.ts), and so they are
 * logged, stored and sent; here the template that a sentence was made from is found again, and the language's words for
 * it are filled with the same values. What nobody knows, such as a system's own reason, stays as it is.
 */
import { language, perLanguage, t } from "./language.js";
import de from "./locales/core/de.json" with { type: "json" };
import es from "./locales/core/es.json" with { type: "json" };
import fr from "./locales/core/fr.json" with { type: "json" };
import ja from "./locales/core/ja.json" with { type: "json" };
import zhHans from "./locales/core/zh-Hans.json" with { type: "json" };

/** By language: the words for each English template; {0}, {1} and so on stand for what fills it in both. */
export const catalogues: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  de,
  es,
  fr,
  ja,
  "zh-Hans": zhHans,
};

/** A template that is filled with values. */
interface Template {
  /** What stands before the first value and behind the last one: most sentences are of another template by these. */
  readonly start: string;
  readonly end: string;
  /** With values as short as they can be, and as long. */
  readonly patterns: readonly RegExp[];
  readonly words: string;
}

const hole = /\{(\d+)\}/g;

const compiled = perLanguage((language) => {
  const all = Object.entries(catalogues[language] ?? {});
  const filled = all.filter(([english]) => english.search(hole) >= 0);
  return {
    whole: new Map(all),
    templates: filled.map(([english, words]) => compile(english, words)),
    shown: new Map<string, string>(),
  };
});

/** Sizes and shares in an English sentence, and what stands in quotes: names, which stay as they are. */
const figures = /"[^"]*"|(?<![\w.])\d+(?:\.\d+)? ?(?:[KMGT]iB|B|%)(?!\w)/g;

/** As many sentences as are kept with their words: a window shows the same ones many times a second. */
const mostShown = 500;

function compile(english: string, words: string): Template {
  const literals = english.split(/\{\d+\}/);
  const escaped = literals.map((literal) => literal.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&"));
  const patterns = ["(.*?)", "(.*)"]
    .slice(0, literals.length - 1)
    .map((value) => new RegExp(`^${escaped.join(value)}$`, "s"));
  return { start: literals[0] ?? "", end: literals.at(-1) ?? "", patterns, words };
}

/** A sentence or phrase of the core in the window's language; itself when it is none. */
export function translated(sentence: string): string {
  if (language() === "en") return sentence.replace(figures, (figure) => written(figure) ?? figure);
  const { shown } = compiled();
  const words = shown.get(sentence) ?? read(sentence, new Map()).words;
  if (shown.size > mostShown) shown.clear();
  shown.set(sentence, words);
  return words;
}

/** What a text is in the window's language, and how many of its characters were taken over as they are. */
interface Read {
  readonly words: string;
  readonly kept: number;
}

/**
 * Of the ways in which a text can be understood, the one that leaves least of it unexplained, its values included.
 * @param before parts of the sentence that were read: ways have parts in common
 */
function read(text: string, before: Map<string, Read>): Read {
  const found = before.get(text) ?? understand(text, before);
  before.set(text, found);
  return found;
}

function understand(text: string, before: Map<string, Read>): Read {
  const { whole, templates } = compiled();
  const known = whole.get(text) ?? written(text);
  if (known !== undefined) return { words: known, kept: 0 };
  let best = series(text, before) ?? { words: text, kept: text.length };
  for (const { start, end, patterns, words } of templates) {
    if (!text.startsWith(start) || !text.endsWith(end)) continue;
    for (const pattern of patterns) {
      const values = pattern
        .exec(text)
        ?.slice(1)
        .map((value) => read(value, before));
      if (values === undefined || keptOf(values) >= best.kept) continue;
      best = { words: words.replace(hole, (_, index) => values[Number(index)]?.words ?? ""), kept: keptOf(values) };
    }
  }
  return best;
}

const keptOf = (parts: readonly Read[]): number => parts.reduce((sum, { kept }) => sum + kept, 0);

/** How what is known is joined: names in quotes or reasons, and sentences. */
const joints: readonly (readonly [RegExp, (one: string, other: string) => string])[] = [
  [/(?<="), (?=")|, or /, (one, other) => one + t("units.comma") + other],
  [/(?<=\.) (?=[\p{Lu}"])/u, (one, other) => t("units.sentences", { one, other })],
];

/** Several that each are known. */
function series(text: string, before: Map<string, Read>): Read | undefined {
  for (const [joint, join] of joints) {
    const parts = text.split(joint);
    if (parts.length === 1) continue;
    const all = parts.map((part) => read(part, before));
    if (all.some(({ kept }, index) => kept >= (parts[index] ?? "").length)) continue;
    return { words: all.map(({ words }) => words).reduce(join), kept: keptOf(all) };
  }
  return undefined;
}

/** A size, a share, a large number or a list of page numbers as the language writes it; undefined for anything else. */
function written(text: string): string | undefined {
  const [, size, unit] = /^(\d+(?:\.\d)?) (B|KiB|MiB|GiB|TiB)$/.exec(text) ?? [];
  if (size) return t(`units.${unit as "B" | "KiB" | "MiB" | "GiB" | "TiB"}`, { value: numeral(size) });
  const [, share] = /^(\d+(?:\.\d+)?) ?%$/.exec(text) ?? [];
  if (share) return t("units.percent", { value: numeral(share) });
  if (/^\d{1,3}(?:,\d{3})+$/.test(text)) return numeral(text);
  // As formatPages of the window writes them.
  const isPages = /^\d+(?: to \d+)?(?:(?:, \d+(?: to \d+)?)* and \d+(?: to \d+)?)?$/.test(text);
  return isPages ? text.replaceAll(" to ", "–").replace(" and ", ", ") : undefined;
}

/** With as many decimals as it has, and grouped when it is. */
function numeral(english: string): string {
  const digits = english.split(".")[1]?.length ?? 0;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: english.includes(",") };
  return Number(english.replaceAll(",", "")).toLocaleString(language(), options);
}

/** Numbers, times and names as the window writes them, in its language. */
import type { WireError } from "../../electron/contract.js";
import { byteParts, durationParts } from "../../electron/core.js";
import { perLanguage, t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";

const counts = perLanguage((language) => new Intl.NumberFormat(language));
export const formatCount = (count: number): string => counts().format(count);

const decimals = perLanguage(
  (language) =>
    new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1, useGrouping: false }),
);
const grouped = perLanguage(
  (language) => new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
);
/** With one decimal. */
export const formatDecimal = (value: number): string => decimals().format(value);

/** "1 page", "12 pages". */
export const plural = (count: number, noun: Unit | "warning"): string => t(`${noun}.count`, { count });

export const formatPercent = (percent: number): string =>
  t("units.percent", { value: Number.isInteger(percent) ? percent : formatDecimal(percent) });

/** Of a share between 0 and 1, what is reached of it in whole percent. */
export const formatFraction = (fraction: number): string => formatPercent(Math.floor(100 * fraction));

/** "411 B", "16.5 MiB". */
export function formatBytes(bytes: number): string {
  const { value, unit } = byteParts(bytes);
  return t(`units.${unit}`, { value: unit === "B" ? value : formatDecimal(value) });
}

/** As bytes of a column are written: all in one unit, the finest that leaves the largest at most four digits. */
export function columnOfBytes(column: readonly number[]): (bytes: number) => string {
  const largest = Math.max(0, ...column);
  const [unit, size] = columnUnits.find(([, bytes]) => largest / bytes < 9_999.95) ?? lastUnit;
  const written = (value: number) => t(`units.${unit}`, { value: grouped().format(value) });
  // what is there is not written as nothing
  return (bytes) =>
    bytes > 0 && bytes / size < 0.05 ? t("units.under", { amount: written(0.1) }) : written(bytes / size);
}

const lastUnit = ["TiB", 2 ** 40] as const;
const columnUnits = [["KiB", 2 ** 10], ["MiB", 2 ** 20], ["GiB", 2 ** 30], lastUnit] as const;

/** "0.4 s", "12 s", "3 min 20 s", "1 h 5 min". */
export function formatDuration(milliseconds: number): string {
  const { hours, minutes, seconds = 0 } = durationParts(milliseconds);
  if (hours !== undefined) return t("units.hoursMinutes", { hours, minutes: minutes ?? 0 });
  if (minutes !== undefined) return t("units.minutesSeconds", { minutes, seconds });
  return t("units.seconds", { seconds: seconds < 9.95 ? formatDecimal(seconds) : seconds });
}

/** A time to come, no finer than it can be known: 4 s, 25 s, 1 min 20 s, 12 min. */
export function formatRemaining(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return t("units.seconds", { seconds: Math.max(1, Math.round(seconds)) });
  if (seconds < 57.5) return t("units.seconds", { seconds: Math.round(seconds / 5) * 5 });
  if (seconds >= 295) return t("units.minutes", { minutes: Math.round(seconds / 60) });
  const tens = Math.round(seconds / 10);
  const rest = (tens % 6) * 10;
  if (rest === 0) return t("units.minutes", { minutes: tens / 6 });
  return t("units.minutesSeconds", { minutes: Math.floor(tens / 6), seconds: rest });
}

const lists = perLanguage((language) => new Intl.ListFormat(language));
/** "one", "one and another". */
export const formatList = (words: readonly string[]): string => lists().format(words);

/** Words one after the other, without an "and". */
export const formatSeries = (words: readonly string[]): string => words.join(t("units.comma"));

/** Sentences one after the other. */
export const joinSentences = (...sentences: readonly string[]): string =>
  sentences
    .filter((each) => each !== "")
    .reduce((one, other) => (one === "" ? other : t("units.sentences", { one, other })), "");

/** An error whole: what failed, and what to do next. */
export const errorWords = ({ message, next = "" }: WireError): string =>
  joinSentences(translated(message), translated(next));

/** A path's last part, for both kinds of separators. */
export const fileName = (path: string): string => path.split(/[\\/]/).pop() || path;

/** Page numbers as ranges: 1–4, 6, 9–12. */
export function formatPages(pages: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const page of [...pages].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && page <= last[1] + 1) last[1] = page;
    else ranges.push([page, page]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(t("units.comma"));
}

const languageNames = perLanguage(
  (language) => new Intl.DisplayNames([language], { type: "language", fallback: "none" }),
);

/** What a language is called whose code is one of the web's. */
export const languageName = (code: string): string => languageNames().of(code) ?? code;

/** Languages whose codes of Tesseract's are no codes of the web's. */
const scanNames: Readonly<Record<string, string>> = { chi_sim: "zh-Hans", chi_tra: "zh-Hant" };

/** What a language is called that Tesseract knows by a code: "deu" is German, "aze_cyrl" Azerbaijani (Cyrillic). */
export function scanLanguageName(code: string): string {
  try {
    return languageNames().of(scanNames[code] ?? code.replaceAll("_", "-")) ?? code;
  } catch {
    return code; // such as "chi_sim_vert", which is no language tag
  }
}

/** What the numbers of a document's pages count. Each has a part of the words of its own. */
export type Unit = "page" | "chapter" | "slide" | "section";

/** "Page 3". */
export const pageName = (page: number, unit: Unit): string => t(`${unit}.number`, { number: formatCount(page) });

/** "p. 3", with a space that does not break. */
export const pageChip = (page: number, unit: Unit): string => t(`${unit}.short`, { number: formatCount(page) });

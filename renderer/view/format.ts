/** Numbers and times as the window writes them. */

export { formatBytes, formatDuration } from "../../electron/contract.js";

const counts = new Intl.NumberFormat("en");
export const formatCount = (count: number): string => counts.format(count);

/** "1 page", "12 pages". */
export const plural = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;

export const formatPercent = (percent: number): string =>
  `${Number.isInteger(percent) ? percent : percent.toFixed(1)} %`;

/** A time to come, no finer than it can be known: 4 s, 25 s, 1 min 20 s, 12 min. */
export function formatRemaining(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 57.5) return `${Math.round(seconds / 5) * 5} s`;
  if (seconds >= 295) return `${Math.round(seconds / 60)} min`;
  const tens = Math.round(seconds / 10);
  const rest = (tens % 6) * 10;
  return rest === 0 ? `${tens / 6} min` : `${Math.floor(tens / 6)} min ${rest} s`;
}

/** What the numbers of a document's pages count, as headings. */
export const unitNames = { page: "Pages", chapter: "Chapters", slide: "Slides", section: "Sections" } as const;

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
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`)).join(", ");
}

export const languageNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });

/** Languages whose codes of Tesseract's are no codes of the web's. */
const scanNames: Readonly<Record<string, string>> = { chi_sim: "zh-Hans", chi_tra: "zh-Hant" };

/** What a language is called that Tesseract knows by a code: "deu" is German, "aze_cyrl" Azerbaijani (Cyrillic). */
export function scanLanguageName(code: string): string {
  try {
    return languageNames.of(scanNames[code] ?? code.replaceAll("_", "-")) ?? code;
  } catch {
    return code; // such as "chi_sim_vert", which is no language tag
  }
}

export type Unit = keyof typeof unitNames;

/** One of them. */
export const unitName = { page: "Page", chapter: "Chapter", slide: "Slide", section: "Section" } as const;
const short = { page: "p.", chapter: "ch.", slide: "slide", section: "sec." } as const;

/** "Page 3". */
export const pageName = (page: number, unit: Unit): string => `${unitName[unit]} ${formatCount(page)}`;

/** "p. 3", with a space that does not break. */
export const pageChip = (page: number, unit: Unit): string => `${short[unit]}\u00a0${formatCount(page)}`;

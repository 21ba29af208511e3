/** Cases that are a document to summarise. */
import type { Case, Setting, Size } from "./benchmark.js";

/**
 * Tokens of a document. Most are short, which a CPU reads soon; in those, the smallest budgets hold little but the
 * instruction.
 */
const short = { least: 1500, most: 3500, name: "short documents" };
const long = { least: 5500, most: 7600, name: "long documents" };

/** `lengths` above this ask for long documents, others for short ones. */
const longFrom = 4096;

/** Of the long documents so many for each short one. */
const longShare = 1 / 4;

/** The first documents of the split that have a fitting length, uncut; long ones after the short ones. */
export function documentCases(
  { documents, measure, size, lengths }: Setting,
  count: Readonly<Record<Size, number>>,
): Case[] {
  const measured = documents.map(({ id, text }) => ({ id, text, tokens: measure(text) }));
  const casesOf = ({ least, most, name }: typeof short, wanted: number) =>
    measured
      .filter(({ tokens }) => tokens >= least && tokens <= most)
      .slice(0, wanted)
      .map(({ id, text }): Case => ({ id, document: text, options: { length: "medium" }, groups: [name] }));
  const asked = (isLong: boolean) => !lengths || lengths.some((length) => length > longFrom === isLong);
  return [
    ...(asked(false) ? casesOf(short, count[size]) : []),
    ...(asked(true) ? casesOf(long, Math.floor(count[size] * longShare)) : []),
  ];
}

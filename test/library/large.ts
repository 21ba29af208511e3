/** A library as large as one becomes in years, the same in every run, and what is looked for in it. */
import { textPage } from "../../core/documents/document.js";
import type { Library } from "../../core/library/library.js";
import { summaryResult } from "../report/fixture.js";

const options = { budget: "25%", policy: "dynamickv", length: "medium", seed: 1, temperature: 0 } as const;

/** Numbers from 0 to 1, the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = numbers(7);
const syllables = [
  "ba",
  "ren",
  "to",
  "mi",
  "sul",
  "ka",
  "der",
  "lo",
  "vin",
  "pe",
  "gra",
  "un",
  "ster",
  "ha",
  "zo",
  "fel",
];
const vocabulary = Array.from({ length: 30_000 }, (_, rank) => {
  let word = "";
  for (let rest = rank + 16; rest > 0; rest = Math.floor(rest / 16)) word += syllables[rest % 16];
  return word;
});
/** Rank r with a chance in proportion to 1/r: e to the power of a number drawn evenly from 0 to ln(words). */
const word = () => vocabulary[Math.floor(Math.exp(random() * Math.log(vocabulary.length)))] ?? "";
const words = (number: number) => Array.from({ length: number }, word).join(" ");

/**
 * Puts in documents of 12 pages of 350 words each, drawn from 30,000 words as often as words are in books (Zipf), each
 * with a summary.
 */
export function fillLibrary(library: Library, count: number): void {
  for (let index = 0; index < count; index++) {
    const path = `/documents/report-${index}.pdf`;
    const pages = Array.from({ length: 12 }, (_, page) => textPage(page + 1, words(350)));
    library.saveDocument({
      path,
      title: `Report ${index} ${words(3)}`,
      kind: "pdf",
      unit: "page",
      pages,
      warnings: [],
    });
    library.saveRun(path, options, summaryResult({ text: words(150) }), { started: 0, ended: index });
  }
}

const at = (rank: number) => vocabulary[rank] ?? "";

/** What each is, and the words that are looked for among `count` documents. */
export const queries = (count: number): readonly (readonly [string, string])[] => [
  ["the commonest word", `${at(1)} `],
  ["a common word", `${at(40)} `],
  ["a rare word", `${at(9_000)} `],
  ["two common words", `${at(30)} ${at(60)} `],
  ["two letters of a word", at(500).slice(0, 2)],
  ["a word of every title", "report "],
  ["a title", `report ${Math.floor(count / 2)} `],
  ["a phrase", `"${at(2)} ${at(3)}"`],
  ["nothing that there is", "qqqq "],
];

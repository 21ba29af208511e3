/**
 * How long a search takes in a library of 2,000 documents: `npx tsx test/library/bench.ts [documents]`.
 * The documents are of 12 pages of 350 words each, drawn from 30,000 words as often as words are in books (Zipf).
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { textPage } from "../../core/documents/document.js";
import { formatBytes } from "../../core/format.js";
import { Library } from "../../core/library/library.js";
import { summaryResult } from "../report/fixture.js";

const count = Number(process.argv[2] ?? 2_000);
const LIMIT_MS = 100;
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

const folder = mkdtempSync(join(tmpdir(), "precis-library-"));
const file = join(folder, "library.sqlite");
try {
  const library = Library.open(file);
  const began = performance.now();
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
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${count} documents of 12 pages in ${formatBytes(statSync(file).size)}, taken in within ${seconds.toFixed(0)} s`,
  );

  const at = (rank: number) => vocabulary[rank] ?? "";
  const queries: readonly (readonly [string, string])[] = [
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
  let slowest = 0;
  for (const [what, query] of queries) {
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now();
      library.search(query, 50);
      return performance.now() - start;
    }).sort((one, other) => one - other);
    const [median = 0, most = 0] = [times[3], times[6]];
    slowest = Math.max(slowest, most);
    const found = library.search(query, 50).length;
    console.log(
      `${what.padEnd(24)} ${median.toFixed(1).padStart(7)} ms, at most ${most.toFixed(1)} ms; ${found} documents shown`,
    );
  }
  library.close();
  console.log(`slowest: ${slowest.toFixed(1)} ms (limit ${LIMIT_MS} ms)`);
  if (slowest >= LIMIT_MS) process.exitCode = 1;
} finally {
  if (!process.env.KEEP) rmSync(folder, { recursive: true, force: true });
  else console.log(folder);
}

/**
 * `npm run eval -- citations`: precision and recall of page citations and of "no support" marks on labelled summaries
 * (test/eval/citations), the reporting half apart from the half that the settings were tuned on. Prints both, and
 * writes docs/eval/citations.md. `--tuning` looks at the tuning half alone, with every mistake, and writes nothing.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { cite } from "../../core/citations/cite.js";
import { type LabelledSummary, labelledSummaries } from "./citations/labelled.js";
import { type Counts, measured } from "./citations/measure.js";

const share = (part: number, whole: number) =>
  whole === 0 ? "–" : `${(part / whole).toFixed(2)} (${part} of ${whole})`;

const row = (name: string, counts: Counts) =>
  `| ${name} | ${counts.sentences} | ${share(counts.right, counts.cited)} | ${share(counts.found, counts.supporting)} | ` +
  `${share(counts.markedRightly, counts.marked)} | ${share(counts.markedRightly, counts.unsupported)} |`;

const head = [
  "| summary | sentences | pages: precision | pages: recall | no support: precision | no support: recall |",
  "| --- | --- | --- | --- | --- | --- |",
];

const { tuning } = parseArgs({
  args: process.argv.slice(3),
  options: { tuning: { type: "boolean", default: false } },
}).values;
const summaries = await labelledSummaries();

function table(half: LabelledSummary["half"]): string {
  const own = summaries.filter((summary) => summary.half === half);
  const onMistake = tuning ? (line: string) => console.error(line) : undefined;
  const rows = own.map((summary) => row(summary.name, measured([summary], onMistake)));
  return [...head, ...rows, row("**all**", measured(own))].join("\n");
}

/** A long summary of a long document: all pages of all documents again and again. */
function timeOf(pages: number): string {
  const all = summaries.flatMap((summary) => summary.pages);
  const many = Array.from({ length: pages }, (_, index) => ({ text: all[index % all.length]?.text ?? "" }));
  const text = summaries.map((summary) => summary.text).join("\n\n");
  const started = process.cpuUsage();
  const sentences = cite(text, many).length;
  const { user, system } = process.cpuUsage(started);
  const size = many.reduce((sum, page) => sum + page.text.length, 0) / 1e6;
  return `${sentences} sentences over ${pages.toLocaleString("en-US")} pages (${size.toFixed(1)} million characters) take ${((user + system) / 1e6).toFixed(1)} s of processor time.`;
}

if (tuning) console.log(table("tuning"));
else {
  const page = `# Citations

Made by \`npm run eval -- citations\`: summaries of documents of our own, their sentences labelled by hand with the pages
that support them (test/eval/citations). About a fifth has no support: invented or contradicting. Precision of pages:
of those cited, how many are right. Recall: of those that support a sentence, how many are cited; where either of two
pages would do, one is enough. "No support": sentences marked as having none.

How it is done, and its settings, are in core/citations/cite.ts. They were chosen on the tuning half alone; the other
half was measured when they stood. Documents and labels were written before the method, by the same people: a summary whose
words are further from its document is cited less often.

## Reporting half

${table("reporting")}

## Tuning half

${table("tuning")}

## Time

${timeOf(2000)}
`;
  console.log(page);
  await writeFile(new URL("../../docs/eval/citations.md", import.meta.url), page);
}

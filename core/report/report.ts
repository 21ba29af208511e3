/** What every export says of a run, in words; each format only sets it. */
import { coverageStretches, coverageWords } from "../documents/coverage.js";
import type { PageUnit } from "../documents/document.js";
import { pageList } from "../documents/page-list.js";
import { fileTitle } from "../documents/text.js";
import { formatBytes, formatDuration, formatShare } from "../format.js";
import { modelName } from "../models/name.js";
import { documentNames } from "../summarize/outcome.js";
import type { Answer, SummaryResult } from "../summarize/result.js";
import { savedCacheWords } from "../summarize/saved-cache.js";
import { pageWords } from "../summarize/split.js";
import { keptMap, type Picture } from "./kept-map.js";
import { type Block, type CitationMark, clean, proseOf } from "./prose.js";

export interface ReportOptions {
  /** When it was written; now when absent. */
  readonly date?: Date;
  /** What was asked about it. */
  readonly answers?: readonly Answer[];
}

export interface ReportAnswer {
  readonly question: string;
  /** Its highest heading, if it has any, is of level 4. */
  readonly prose: readonly Block[];
  /** Where the answer is from, and what there is to know about it. */
  readonly notes: readonly string[];
}

/** Two columns of text. */
export type Row = readonly [string, string];

export interface Report {
  readonly title: string;
  /** Of what it is the summary, and how much of that was read, in a sentence or two. */
  readonly subtitle: string;
  readonly prose: readonly Block[];
  readonly answers: readonly ReportAnswer[];
  /** What a citation says where it stands: "page 3", of several documents "minutes.pdf, pages 3 and 7". */
  readonly cite: (mark: CitationMark) => string;
  /** Each cited page and what it says, in order. */
  readonly cited: readonly Row[];
  /** Every page in order, neighbours of which the same is to be said together: "pages 1 to 9", "read". */
  readonly coverage: readonly Row[];
  readonly warnings: readonly string[];
  /** Name and value of each fact of the run. */
  readonly facts: readonly Row[];
  /** Entries that each layer kept. */
  readonly layers: readonly number[];
  /** Where in the text they stood; undefined where that was not recorded. */
  readonly map: Picture | undefined;
}

export function reportOf(result: SummaryResult, options: ReportOptions = {}): Report {
  const documents = [result.document, ...result.furtherDocuments];
  const answers = options.answers ?? [];
  const files = documentNames(documents.map(({ path }) => path)).map(line);
  /** With the document's name where there are several. */
  const named: Named = (document, words) => (files.length > 1 ? `${files[document]}, ${words}` : words);
  const unitOf = (document: number) => documents[document]?.coverage.unit ?? "page";
  return {
    title: titleOf(documents),
    subtitle: subtitle(files, coverageWords(result.document.coverage)),
    prose: proseOf(result),
    answers: answers.map(reportAnswer),
    cite: ({ pages, document = 0 }) => {
      const words = citationWords(pages, unitOf(document));
      return pages.length === 0 ? words : named(document, words);
    },
    cited: citedPages([result, ...answers.map((answer) => answer.result)]).map(({ document, page, passage }) => [
      named(document, pageList([page], unitOf(document))),
      line(passage),
    ]),
    coverage: documents.flatMap(({ coverage }, document) =>
      coverageStretches(coverage).map(
        ({ from, to, words }): Row => [
          named(document, pageWords({ first: from, last: to }, coverage.unit)),
          line(words),
        ],
      ),
    ),
    warnings: [...new Set([...documents.flatMap(({ warnings }) => warnings), ...result.warnings].map(line))],
    facts: facts(result, files, named, options.date ?? new Date()),
    layers: result.kv.layers.map(({ tokens }) => tokens),
    map: keptMap(result),
  };
}

/** "page 3", "pages 3 and 7", or that there is none. */
export function citationWords(pages: readonly number[], unit: PageUnit): string {
  return pages.length === 0
    ? `no ${unit} found that supports this`
    : pageList(
        [...pages].sort((a, b) => a - b),
        unit,
      );
}

function reportAnswer({ question, result }: Answer): ReportAnswer {
  const { savedCache, warnings } = result;
  const source = savedCache ? savedCacheWords[savedCache] : "The document was read for this question.";
  return { question: line(question), prose: proseOf(result, 4), notes: [...new Set([source, ...warnings].map(line))] };
}

/** As the first document calls itself, or by its file's name; and how many others there are. */
function titleOf(documents: readonly SummaryResult["document"][]): string {
  const [first] = documents as [SummaryResult["document"]];
  const title = line(first.title ?? "") || line(fileTitle(first.path));
  return documents.length > 1 ? `${title}, and ${documents.length - 1} more` : title;
}

function subtitle(files: readonly string[], read: string): string {
  if (files.length === 1) return `Summary of ${files[0]}. Read: ${read}.`;
  return `Summary across ${files.length} documents: ${new Intl.ListFormat("en").format(files)}.`;
}

/** What supports all that was written, each passage once, in the documents' order. */
function citedPages(results: readonly SummaryResult[]): { document: number; page: number; passage: string }[] {
  const found = new Map<string, { document: number; page: number; passage: string }>();
  for (const { document = 0, pages, passages = [] } of results.flatMap(({ citations }) => citations)) {
    pages.forEach((page, index) => {
      const passage = passages[index];
      if (passage) found.set(JSON.stringify([document, page, passage]), { document, page, passage });
    });
  }
  return [...found.values()].sort((one, other) => one.document - other.document || one.page - other.page);
}

/** A document's number among those of the result, and what to say of it. */
type Named = (document: number, words: string) => string;

/** What was read apart, when not every document was read in one go. */
function partsRow({ furtherDocuments, document, parts }: SummaryResult, named: Named): [string, string][] {
  const documents = [document, ...furtherDocuments];
  if (parts.length <= documents.length) return [];
  const each = parts.map((part) =>
    named(part.document, pageWords(part.pages, documents[part.document]?.coverage.unit ?? "page")),
  );
  return [["Read in", `${parts.length} parts: ${each.join("; ")}`]];
}

function facts(result: SummaryResult, files: readonly string[], named: Named, date: Date): Row[] {
  const { model, kv, budget, timings } = result;
  const documents = [result.document, ...result.furtherDocuments];
  const rows: [string, string][] = [
    ...documents.flatMap(({ pages, tokens, coverage }, document): [string, string][] => [
      ["Document", `${files[document]}, ${pages} ${coverage.unit}${pages === 1 ? "" : "s"}, ${tokens} tokens`],
      ["Read", coverageWords(coverage)],
    ]),
    ...partsRow(result, named),
    ["Model", `${modelName(model.id)}, ${model.layers} layers, context of ${model.contextLength} tokens`],
    ["Policy", result.kvType ? `${result.policy}, stored in ${result.kvType}` : result.policy],
    ...(result.reading === "fast" ? ([["Reading", "fast"]] satisfies [string, string][]) : []),
    [
      "Budget",
      `${budget.requested}: ${formatBytes(budget.bytes)}, ${budget.tokensPerLayer} tokens per layer and KV head`,
    ],
    [
      "KV cache kept",
      `${formatBytes(kv.retainedBytes)} of ${formatBytes(kv.fullBytes)} (${formatShare(kv.retainedBytes, kv.fullBytes)})`,
    ],
    ["KV cache at its peak", formatBytes(kv.peakBytes)],
    ["Memory of the process at its peak", formatBytes(result.memory.peakRssBytes)],
    [
      "Time",
      `${formatDuration(timings.prefillMs + timings.compressMs)} reading, ${formatDuration(timings.decodeMs)} writing`,
    ],
    ["Written", isoDate(date)],
  ];
  return rows.map(([name, value]) => [name, line(value)]);
}

/** Local date and time to the minute, with the offset from UTC so that it means the same everywhere. */
function isoDate(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 16).replace("T", " ");
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${local} UTC${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

/** Text of one line. */
function line(text: string): string {
  return clean(text).replace(/\s+/g, " ").trim();
}

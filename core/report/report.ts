/** What every export says of a run, in words; each format only sets it. */
import { basename, extname } from "node:path";
import { coverageStretches, coverageWords } from "../documents/coverage.js";
import type { PageUnit } from "../documents/document.js";
import { pageList } from "../documents/page-list.js";
import { formatBytes, formatDuration, formatShare } from "../format.js";
import type { SummaryResult } from "../summarize/result.js";
import { type Block, clean, proseOf } from "./prose.js";

export interface ReportOptions {
  /** Shown as the heading; the file's name without its extension when absent. */
  readonly title?: string;
  /** When it was written; now when absent. */
  readonly date?: Date;
}

export interface Report {
  readonly title: string;
  /** The document's file name. */
  readonly file: string;
  readonly prose: readonly Block[];
  readonly unit: PageUnit;
  /** How much was read, in one phrase. */
  readonly read: string;
  /** Every page in order, neighbours of which the same is to be said together: "pages 1 to 9", "read". */
  readonly coverage: readonly (readonly [string, string])[];
  readonly warnings: readonly string[];
  /** Name and value of each fact of the run. */
  readonly facts: readonly (readonly [string, string])[];
  /** Entries that each layer kept. */
  readonly layers: readonly number[];
}

export function reportOf(result: SummaryResult, options: ReportOptions = {}): Report {
  const { document } = result;
  const { unit } = document.coverage;
  const file = line(basename(document.path));
  const pages = (from: number, to: number) =>
    pageList(
      Array.from({ length: to - from + 1 }, (_, index) => from + index),
      unit,
    );
  return {
    title: line(options.title ?? basename(document.path, extname(document.path))),
    file,
    prose: proseOf(result),
    unit,
    read: coverageWords(document.coverage),
    coverage: coverageStretches(document.coverage).map(({ from, to, words }) => [pages(from, to), line(words)]),
    warnings: [...new Set([...document.warnings, ...result.warnings].map(line))],
    facts: facts(result, file, options.date ?? new Date()),
    layers: result.kv.layers.map(({ tokens }) => tokens),
  };
}

/** What a citation says where it stands: "page 3", "pages 3 and 7". */
export function citationWords(pages: readonly number[], unit: PageUnit): string {
  return pages.length === 0
    ? `no ${unit} found that supports this`
    : pageList(
        [...pages].sort((a, b) => a - b),
        unit,
      );
}

function facts(result: SummaryResult, file: string, date: Date): [string, string][] {
  const { document, model, kv, budget, timings } = result;
  const { unit } = document.coverage;
  const s = document.pages === 1 ? "" : "s";
  const rows: [string, string][] = [
    ["Document", `${file}, ${document.pages} ${unit}${s}, ${document.tokens} tokens`],
    ["Read", coverageWords(document.coverage)],
    ["Model", `${model.id}, ${model.layers} layers, context of ${model.contextLength} tokens`],
    ["Policy", result.policy],
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

import { basename, extname } from "node:path";
import { coverageWords } from "../documents/coverage.js";
import { formatBytes, formatDuration, formatShare } from "../format.js";
import type { SummaryResult } from "../summarize/result.js";

export interface MarkdownOptions {
  /** Shown as the heading; the file's name without its extension when absent. */
  readonly title?: string;
  /** When it was written; now when absent. */
  readonly date?: Date;
}

/** The answer as a Markdown file that says where it comes from: document, pages read, model, policy and memory. */
export function summaryMarkdown(result: SummaryResult, options: MarkdownOptions = {}): string {
  const { document, model, kv, budget, timings } = result;
  const { unit } = document.coverage;
  const file = basename(document.path);
  const title = options.title ?? basename(file, extname(file));
  const rows: readonly (readonly [string, string])[] = [
    [
      "Document",
      `${code(file)}, ${document.pages} ${unit}${document.pages === 1 ? "" : "s"}, ${document.tokens} tokens`,
    ],
    ["Read", coverageWords(document.coverage)],
    ["Model", `${cell(model.id)}, ${model.layers} layers, context of ${model.contextLength} tokens`],
    ["Policy", cell(result.policy)],
    [
      "Budget",
      `${cell(budget.requested)}: ${formatBytes(budget.bytes)}, ${budget.tokensPerLayer} tokens per layer and KV head`,
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
    ["Written", isoDate(options.date ?? new Date())],
  ];
  const warnings = [...new Set([...document.warnings, ...result.warnings])];
  const parts = [
    `# ${line(title)}`,
    result.text.trim(),
    ...(warnings.length > 0 ? [`## Warnings\n\n${warnings.map((warning) => `- ${line(warning)}`).join("\n")}`] : []),
    `## How it was made\n\n| | |\n| --- | --- |\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}`,
  ];
  return `${parts.join("\n\n")}\n`;
}

/** Local date and time to the minute, with the offset from UTC so that it means the same everywhere. */
function isoDate(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 16).replace("T", " ");
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${local} UTC${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

function line(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Text that cannot end its cell of a table. */
function cell(text: string): string {
  return line(text).replaceAll("|", "\\|");
}

/** A name as code, whatever backticks it contains (CommonMark, 6.1). */
function code(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return cell(`${fence}${pad}${text}${pad}${fence}`);
}

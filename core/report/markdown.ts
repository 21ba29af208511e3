import type { BlockContent, DefinitionContent, PhrasingContent, RootContent } from "mdast";
import { toMarkdown } from "mdast-util-to-markdown";
import type { SummaryResult } from "../summarize/result.js";
import type { Block, Inline } from "./prose.js";
import { type Report, type ReportOptions, type Row, reportOf } from "./report.js";

/** The summary as a Markdown file that says where it comes from: document, pages read, model, policy and memory. */
export function summaryMarkdown(result: SummaryResult, options: ReportOptions = {}): string {
  const report = reportOf(result, options);
  const parts = [
    `# ${inline(report.title)}`,
    proseMarkdown(report),
    ...(report.answers.length > 0 ? ["## Questions and answers"] : []),
    ...report.answers.map(({ question, prose, notes }) =>
      [
        `### ${inline(question)}`,
        proseMarkdown({ prose, cite: report.cite }),
        ...notes.map((note) => `*${inline(note)}*`),
      ].join("\n\n"),
    ),
    ...(report.cited.length > 0 ? [`## What the cited pages say\n\n${table(report.cited)}`] : []),
    `## What was read\n\n${table(report.coverage)}`,
    ...(report.warnings.length > 0
      ? [`## Warnings\n\n${report.warnings.map((warning) => `- ${inline(warning)}`).join("\n")}`]
      : []),
    `## How it was made\n\n${table(report.facts)}`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** What was written alone, its citations in brackets. */
export function proseMarkdown({ prose, cite }: Pick<Report, "prose" | "cite">): string {
  const children = prose.map((block) => tree(block, cite));
  return toMarkdown({ type: "root", children: children as RootContent[] }, { bullet: "-", rule: "-" }).trim();
}

function tree(block: Block, cite: Report["cite"]): BlockContent {
  const trees = (blocks: readonly Block[]) =>
    blocks.map((child) => tree(child, cite)) as (BlockContent & DefinitionContent)[];
  switch (block.kind) {
    case "heading":
      return { type: "heading", depth: block.level as 2, children: phrases(block.inlines, cite) };
    case "paragraph":
      return { type: "paragraph", children: phrases(block.inlines, cite) };
    case "list":
      return {
        type: "list",
        ordered: block.start !== undefined,
        start: block.start,
        spread: false,
        children: block.items.map((item) => ({ type: "listItem", spread: false, children: trees(item) })),
      };
    case "quote":
      return { type: "blockquote", children: trees(block.blocks) };
    case "code":
      return { type: "code", value: block.inlines.map((part) => plain(part, cite)).join("") };
    case "rule":
      return { type: "thematicBreak" };
  }
}

function plain(part: Inline, cite: Report["cite"]): string {
  if (part.kind === "break") return "\n";
  return part.kind === "text" ? part.text : ` (${cite(part)})`;
}

function phrases(inlines: readonly Inline[], cite: Report["cite"]): PhrasingContent[] {
  return inlines.map((part): PhrasingContent => {
    if (part.kind === "break") return { type: "break" };
    if (part.kind === "citation") return { type: "text", value: plain(part, cite) };
    let node: PhrasingContent = part.code
      ? { type: "inlineCode", value: part.text }
      : { type: "text", value: part.text };
    if (part.emphasis) node = { type: "emphasis", children: [node] };
    if (part.strong) node = { type: "strong", children: [node] };
    return node;
  });
}

/** A line of text in which no character means more than itself. */
function inline(text: string): string {
  return toMarkdown({ type: "paragraph", children: [{ type: "text", value: text }] }).trim();
}

function table(rows: readonly Row[]): string {
  const cell = (text: string) => inline(text).replaceAll("|", "\\|");
  return `| | |\n| --- | --- |\n${rows.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`).join("\n")}`;
}

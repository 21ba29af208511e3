/**
 * The answer as blocks that every export renders in its own way: its Markdown is read by CommonMark's rules, citations
 * are put behind what they support. The text was written by a model from a document that may be hostile, so links show
 * only their words, pictures their description, and HTML is shown as the characters that it is.
 */
import type { List, Nodes, PhrasingContent, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import type { Citation, SummaryResult } from "../summarize/result.js";

export interface TextRun {
  readonly kind: "text";
  readonly text: string;
  readonly strong: boolean;
  readonly emphasis: boolean;
  readonly code: boolean;
}

export type Inline = TextRun | { readonly kind: "break" } | CitationMark;

/** Behind what it supports: the pages that do, none when nothing in the document does, and what they say. */
export interface CitationMark extends Pick<Citation, "pages" | "passages" | "document"> {
  readonly kind: "citation";
}

export type Block =
  /** `level` up to 6, whatever the text begins with. */
  | { readonly kind: "heading"; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: "paragraph"; readonly inlines: readonly Inline[] }
  /** `start` is an ordered list's first number. */
  | { readonly kind: "list"; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | { readonly kind: "code"; readonly inlines: readonly Inline[] }
  | { readonly kind: "rule" };

/** @param top the level of its highest heading; 1 is the report's own title */
export function proseOf({ text, citations }: Pick<SummaryResult, "text" | "citations">, top = 2): Block[] {
  const root = fromMarkdown(text);
  const marks = placed(citations, leavesOf(root));
  return levelled(
    root.children.flatMap((node) => block(node, text, marks)),
    top,
  );
}

function levelled(blocks: readonly Block[], top: number): Block[] {
  const least = Math.min(...blocks.map((each) => (each.kind === "heading" ? each.level : Number.POSITIVE_INFINITY)));
  return blocks.map((each) =>
    each.kind === "heading" ? { ...each, level: Math.min(6, each.level - least + top) } : each,
  );
}

/** Nothing that XML 1.0 forbids (2.2), so that one text serves HTML and DOCX; what is taken out leaves a sign. */
export function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd");
}

/** A piece of the source that shows as text, where it stands there, in UTF-16 units. */
interface Leaf {
  readonly node: Nodes;
  readonly start: number;
  readonly end: number;
}

type Marks = ReadonlyMap<Nodes, readonly { readonly offset: number; readonly mark: CitationMark }[]>;

const SHOWN: ReadonlySet<string> = new Set([
  "text",
  "inlineCode",
  "code",
  "html",
  "image",
  "imageReference",
  "definition",
]);

function leavesOf(node: Nodes): Leaf[] {
  if ("children" in node) return node.children.flatMap(leavesOf);
  const { position } = node;
  if (!SHOWN.has(node.type) || position?.start.offset === undefined || position.end.offset === undefined) return [];
  return [{ node, start: position.start.offset, end: position.end.offset }];
}

/** Each citation at the piece that its stretch ends in; one that ends in marks between two pieces is at the first. */
function placed(citations: readonly Citation[], leaves: readonly Leaf[]): Marks {
  const marks = new Map<Nodes, { offset: number; mark: CitationMark }[]>();
  for (const { end, pages, passages, document } of [...citations].sort((one, other) => one.end - other.end)) {
    const leaf = leaves.findLast(({ start }) => start < end) ?? leaves[0];
    if (!leaf) continue;
    const list = marks.get(leaf.node) ?? [];
    const mark: CitationMark = { kind: "citation", pages, passages, document };
    list.push({ offset: Math.min(end, leaf.end) - leaf.start, mark });
    marks.set(leaf.node, list);
  }
  return marks;
}

interface Style {
  readonly strong: boolean;
  readonly emphasis: boolean;
}

const PLAIN: Style = { strong: false, emphasis: false };

function block(node: RootContent, source: string, marks: Marks): Block[] {
  const blocks = (children: readonly RootContent[]) => children.flatMap((child) => block(child, source, marks));
  switch (node.type) {
    case "heading":
      return [{ kind: "heading", level: node.depth, inlines: inlines(node.children, source, marks) }];
    case "paragraph":
      return [{ kind: "paragraph", inlines: inlines(node.children, source, marks) }];
    case "list":
      return [{ kind: "list", start: startOf(node), items: node.children.map(({ children }) => blocks(children)) }];
    case "blockquote":
      return [{ kind: "quote", blocks: blocks(node.children) }];
    case "code":
      return [{ kind: "code", inlines: leaf(node, node.value, { code: true }, source, marks) }];
    case "thematicBreak":
      return [{ kind: "rule" }];
    case "html":
      return [{ kind: "paragraph", inlines: leaf(node, node.value, {}, source, marks) }];
    case "definition":
      // A reader of Markdown would not show it, but then a part of the answer would be missing.
      return [{ kind: "paragraph", inlines: leaf(node, sourceOf(node, source), {}, source, marks) }];
    default:
      return "children" in node ? blocks(node.children as RootContent[]) : [];
  }
}

const startOf = ({ ordered, start }: List): number | undefined => (ordered ? (start ?? 1) : undefined);

function inlines(nodes: readonly PhrasingContent[], source: string, marks: Marks, style: Style = PLAIN): Inline[] {
  return nodes.flatMap((node): Inline[] => {
    switch (node.type) {
      case "text":
      case "html":
        return leaf(node, node.value, style, source, marks);
      case "inlineCode":
        return leaf(node, node.value, { ...style, code: true }, source, marks);
      case "image":
      case "imageReference":
        return leaf(node, node.alt ?? "", style, source, marks);
      case "break":
        return [{ kind: "break" }];
      case "strong":
        return inlines(node.children, source, marks, { ...style, strong: true });
      case "emphasis":
        return inlines(node.children, source, marks, { ...style, emphasis: true });
      default:
        return "children" in node ? inlines(node.children, source, marks, style) : [];
    }
  });
}

/** A piece of text, cut where citations stand in it. */
function leaf(
  node: Nodes,
  value: string,
  style: Partial<Style> & { readonly code?: boolean },
  source: string,
  marks: Marks,
): Inline[] {
  // A line's end within a paragraph is a space (CommonMark, 6.8).
  const shown = (text: string) => clean(style.code ? text : text.replaceAll("\n", " "));
  const run = (text: string): Inline[] =>
    text === "" ? [] : [{ kind: "text", text: shown(text), strong: false, emphasis: false, code: false, ...style }];
  const raw = sourceOf(node, source);
  const found: Inline[] = [];
  let from = 0;
  for (const { offset, mark } of marks.get(node) ?? []) {
    const to = Math.max(from, valueOffset(raw, value, offset));
    found.push(...run(value.slice(from, to)), mark);
    from = to;
  }
  return [...found, ...run(value.slice(from))];
}

function sourceOf({ position }: Nodes, source: string): string {
  return source.slice(position?.start.offset ?? 0, position?.end.offset ?? 0);
}

/** Where in what is shown a place in its source lies: escapes, entities and the marks at a line's start are not shown. */
function valueOffset(raw: string, value: string, offset: number): number {
  if (offset >= raw.length) return value.length;
  let shown = 0;
  for (let at = 0; at < offset; at++) {
    if (raw[at] === value[shown]) shown++;
    else if (raw[at] === "&") {
      const end = raw.indexOf(";", at);
      if (end > at) at = end;
      shown++;
    }
  }
  return shown;
}

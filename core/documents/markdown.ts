import { extname } from "node:path";
import type { Source, SourceDocument } from "./document.js";
import { decodeText } from "./encoding.js";
import type { Block } from "./sections.js";
import { fileTitle, paragraphsOf, sectionsOf } from "./text.js";

/** Markdown has no magic bytes: among files that are text by content, the name tells it from plain text. */
export function isMarkdownName(path: string): boolean {
  return [".md", ".markdown", ".mdown", ".mkd"].includes(extname(path).toLowerCase());
}

/** Reads Markdown as it is written, its marks included: models read it well. Titled by its first heading. */
export function readMarkdown({ path, bytes }: Source): SourceDocument {
  const { text, warnings } = decodeText(bytes);
  const blocks = markdownBlocks(text.replaceAll("\f", "\n"));
  const title = blocks.find((block) => block.heading)?.text;
  return { path, title: headingText(title) ?? fileTitle(path), kind: "markdown", ...labelled(blocks), warnings };
}

/** Sections labelled by their headings' words, without the marks. */
function labelled(blocks: readonly Block[]): Pick<SourceDocument, "unit" | "pages"> {
  const { unit, pages } = sectionsOf(blocks);
  return { unit, pages: pages.map((page) => (page.label ? { ...page, label: headingText(page.label) } : page)) };
}

/** Headings (ATX: CommonMark 4.2) and the paragraphs between them; what looks like one inside a code fence is none. */
function markdownBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let lines: string[] = [];
  let fence: string | undefined;
  const close = () => {
    blocks.push(...paragraphsOf(lines.join("\n")));
    lines = [];
  };
  for (const line of text.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === undefined) fence = mark;
    else if (mark?.startsWith(fence) && line.trim() === mark) fence = undefined;
    if (fence === undefined && headingText(line) !== undefined) {
      close();
      blocks.push({ text: line, heading: true });
    } else {
      lines.push(line);
    }
  }
  close();
  return blocks;
}

function headingText(line: string | undefined): string | undefined {
  return line === undefined ? undefined : /^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$/.exec(line)?.[1];
}

import { extname } from "node:path";
import type { SourceDocument } from "./document.js";
import { decodeText, fileTitle, readText } from "./text.js";

/** Markdown has no magic bytes: among files that are text by content, the name tells it from plain text. */
export function isMarkdownName(path: string): boolean {
  return [".md", ".markdown", ".mdown", ".mkd"].includes(extname(path).toLowerCase());
}

/** Reads Markdown as it is written, its marks included: models read it well. Titled by its first heading. */
export function readMarkdown(path: string, bytes: Uint8Array): SourceDocument {
  const { text } = decodeText(bytes);
  const heading = /^#[ \t]+(.+?)[ \t]*#*$/m.exec(text)?.[1];
  return { ...readText(path, bytes), title: heading ?? fileTitle(path), kind: "markdown" };
}

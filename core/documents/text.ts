import { basename, extname } from "node:path";
import { type DocumentPage, type Source, type SourceDocument, textPage } from "./document.js";
import { decodeText } from "./encoding.js";
import { type Block, sectionPages } from "./sections.js";

/**
 * Reads plain text in any encoding. A form feed begins a page; a text without one is cut into sections of about a
 * printed page, between paragraphs. Otherwise it stays as it is.
 */
export function readText({ path, bytes }: Source): SourceDocument {
  const { text, warnings } = decodeText(bytes);
  const document = { path, title: fileTitle(path), kind: "text", warnings } as const;
  const parts = text.split("\f");
  if (parts.length > 1) {
    return { ...document, unit: "page", pages: parts.map((part, index) => textPage(index + 1, part)) };
  }
  return { ...document, ...sectionsOf(paragraphsOf(text)) };
}

/** Paragraphs are what empty lines separate; their first line keeps its indent. */
export function paragraphsOf(text: string): Block[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .filter((part) => part.trim() !== "")
    .map((part) => ({ text: part.replace(/^\n+/, "").trimEnd() }));
}

/** Blocks as a document's sections; a document without any has one empty section. */
export function sectionsOf(blocks: readonly Block[]): { unit: "section"; pages: readonly DocumentPage[] } {
  const pages = sectionPages(blocks);
  return { unit: "section", pages: pages.length > 0 ? pages : [textPage(1, "")] };
}

/** A file's name without its folder and extension: the title of a document that names none. */
export function fileTitle(path: string): string {
  return basename(path, extname(path));
}

import { type DocumentPage, textPage } from "./document.js";

/** A paragraph, heading, list item or row of a text that has no pages of its own. */
export interface Block {
  readonly text: string;
  /** Present on headings. */
  readonly heading?: true;
  /** It follows the block before it on the next line: an item of the same list, a row of the same table. */
  readonly close?: true;
}

/** About a printed page: what a citation may name and a reader still finds. UTF-16 units. */
export const SECTION_CHARACTERS = 4000;

/**
 * The sections that take the place of pages: each heading begins one (a heading right after another stays with it),
 * and one that grows longer than SECTION_CHARACTERS is cut between two blocks, a block as long as that between its
 * sentences. Nothing is left out. Labelled by their headings.
 */
export function sectionPages(blocks: readonly Block[]): DocumentPage[] {
  const pages: DocumentPage[] = [];
  let label: string | undefined;
  let parts: string[] = [];
  let length = 0;
  let body = false;
  const close = () => {
    if (parts.length > 0) pages.push(textPage(pages.length + 1, parts.join(""), label));
    parts = [];
    length = 0;
    body = false;
  };
  for (const block of blocks) {
    if (block.heading) {
      if (body) close();
      if (parts.length === 0) label = block.text.replace(/\s+/g, " ");
    }
    for (const [index, piece] of cutLong(block.text).entries()) {
      if (parts.length > 0 && body && length + piece.length > SECTION_CHARACTERS) close();
      if (parts.length > 0) parts.push(block.close && index === 0 ? "\n" : "\n\n");
      parts.push(piece);
      length += piece.length;
      body ||= !block.heading;
    }
  }
  close();
  return pages;
}

/** Blocks as one text, as a page that is not cut holds them. */
export function joinBlocks(blocks: readonly Block[]): string {
  return blocks.map(({ text, close }, index) => (index === 0 ? "" : close ? "\n" : "\n\n") + text).join("");
}

/** A block in pieces no longer than a section: cut behind a line, a sentence, a word, or where nothing else is left. */
export function cutLong(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > SECTION_CHARACTERS) {
    const window = text.slice(start, start + SECTION_CHARACTERS);
    const end =
      lastEnd(window, /\n/g) ?? lastEnd(window, /[.!?。！？]["'”’)\]]*\s|[。！？]/g) ?? lastEnd(window, /\s/g);
    // Never between the halves of a surrogate pair.
    const hard = /[\ud800-\udbff]$/.test(window) ? window.length - 1 : window.length;
    const cut = start + (end ?? hard);
    pieces.push(text.slice(start, cut).replace(/\s+$/, ""));
    start = cut;
  }
  pieces.push(text.slice(start));
  return pieces.filter((piece) => piece.trim() !== "");
}

/** Where the last match in the second half of the text ends. */
function lastEnd(text: string, pattern: RegExp): number | undefined {
  let end: number | undefined;
  for (const match of text.matchAll(pattern)) {
    const at = match.index + match[0].length;
    if (at > text.length / 2) end = at;
  }
  return end;
}

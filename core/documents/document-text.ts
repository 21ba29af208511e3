import type { SourceDocument } from "./document.js";

/** Where one page lies in the joined text: UTF-16 offsets, `end` exclusive. */
export interface PageSpan {
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

export interface DocumentText {
  readonly text: string;
  /** One span for each page, in order; together they cover the text exactly, and a page without text has an empty one. */
  readonly pages: readonly PageSpan[];
}

/** Pages are set apart as paragraphs are: a small model reads on more easily than over "[page 3]" markers. */
const SEPARATOR = "\n\n";

/**
 * The pages joined into the one text that the model reads. The separator after a page belongs to that page's span,
 * so every token of the text has exactly one page it starts on.
 */
export function documentText(document: SourceDocument): DocumentText {
  const lastWithText = document.pages.findLastIndex((page) => page.text !== "");
  const pages: PageSpan[] = [];
  const parts: string[] = [];
  let start = 0;
  document.pages.forEach((page, index) => {
    const part = page.text === "" || index === lastWithText ? page.text : page.text + SEPARATOR;
    parts.push(part);
    pages.push({ number: page.number, start, end: start + part.length });
    start += part.length;
  });
  return { text: parts.join(""), pages };
}

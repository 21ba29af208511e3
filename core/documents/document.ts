/** One document as every reader returns it: pages of text with where they came from and how each was read. */

/** How one page was read. Every page of a document has one: none is left out without a word. */
export type PageReading =
  /** From the file's own text. */
  | { readonly how: "text" }
  /** From its picture, by text recognition; `confidence` is the recogniser's own, 0..1, the mean of its words. */
  | { readonly how: "ocr"; readonly confidence: number }
  /** It holds no text. */
  | { readonly how: "empty" }
  /** It may hold text, but that could not be read; `reason` completes "page 3 could not be read: …". */
  | { readonly how: "failed"; readonly reason: string };

/**
 * What the document's pages are called. PDF: "page". EPUB: "chapter", one file of the book's reading order each.
 * PPTX: "slide". Text with form feeds: "page". What has no pages of its own (DOCX, ODT, HTML, Markdown, other text):
 * "section", begun by each heading and cut between paragraphs where it grows longer than a page (sections.ts).
 */
export type PageUnit = "page" | "chapter" | "slide" | "section";

export interface DocumentPage {
  /** 1-based, as a viewer counts them. */
  readonly number: number;
  /** What the document itself calls it, where that says more: a PDF's page label ("iv"), a heading, a slide's title. */
  readonly label?: string;
  /** Reading-order text; "" exactly when `reading` is "empty" or "failed". */
  readonly text: string;
  readonly reading: PageReading;
}

export type DocumentKind = "pdf" | "docx" | "epub" | "html" | "odt" | "pptx" | "text" | "markdown";

/** A line of a document's own table of contents. */
export interface OutlineEntry {
  readonly title: string;
  /** Number of the page that it begins on. */
  readonly page: number;
  /** 1 for chapters, 2 for what is inside them, and so on. */
  readonly level: number;
}

export interface SourceDocument {
  readonly path: string;
  readonly title: string;
  readonly kind: DocumentKind;
  readonly unit: PageUnit;
  readonly pages: readonly DocumentPage[];
  /** In reading order; only where the file has one (PDF bookmarks). */
  readonly outline?: readonly OutlineEntry[];
  /** Sentences for the user about what was not read, or read in another way than one might think. */
  readonly warnings: readonly string[];
}

/** What a reader is given; `name` is the file's name for messages. A reader may take the bytes over for good. */
export interface Source {
  readonly path: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A page of text as it is, or an empty one. */
export function textPage(number: number, text: string, label?: string): DocumentPage {
  const named = label ? { label } : {};
  if (text.trim() === "") return { number, ...named, text: "", reading: { how: "empty" } };
  return { number, ...named, text, reading: { how: "text" } };
}

export function failedPage(number: number, reason: string, label?: string): DocumentPage {
  return { number, ...(label ? { label } : {}), text: "", reading: { how: "failed", reason } };
}

/** One document as every reader returns it: pages of text with where they came from. */
export interface DocumentPage {
  /** 1-based, as a viewer counts them. */
  readonly number: number;
  /** Reading-order text; "" when the page has none. */
  readonly text: string;
}

export interface SourceDocument {
  readonly path: string;
  readonly title: string;
  readonly kind: "pdf" | "text" | "markdown";
  readonly pages: readonly DocumentPage[];
  /** Sentences for the user about anything that was not read (pages without text, replaced characters). */
  readonly warnings: readonly string[];
}

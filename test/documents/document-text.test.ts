import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SourceDocument } from "../../core/documents/document.js";
import { documentText } from "../../core/documents/document-text.js";
import { pageList } from "../../core/documents/page-list.js";

function documentOf(texts: readonly string[]): SourceDocument {
  const pages = texts.map((text, index) => ({ number: index + 1, text, reading: { how: "text" } as const }));
  return { path: "/a.pdf", title: "a", kind: "pdf", unit: "page", pages, warnings: [] };
}

describe("documentText", () => {
  it("joins pages as paragraphs, without a separator for pages that have no text", () => {
    expect(documentText(documentOf(["", "one", "", "two", ""]))).toEqual({
      text: "one\n\ntwo",
      pages: [
        { number: 1, start: 0, end: 0 },
        { number: 2, start: 0, end: 5 },
        { number: 3, start: 5, end: 5 },
        { number: 4, start: 5, end: 8 },
        { number: 5, start: 8, end: 8 },
      ],
    });
  });

  it("gives spans that cover the text exactly, in order, each beginning with its page's text", () => {
    const texts = fc.array(fc.oneof(fc.constant(""), fc.string({ unit: "grapheme" })), { maxLength: 20 });
    fc.assert(
      fc.property(texts, (pages) => {
        const { text, pages: spans } = documentText(documentOf(pages));
        expect(spans.map((span) => span.number)).toEqual(pages.map((_, index) => index + 1));
        let end = 0;
        spans.forEach((span, index) => {
          const page = pages[index] as string;
          expect(span.start).toBe(end);
          expect(text.slice(span.start, span.end).startsWith(page)).toBe(true);
          expect(text.slice(span.start + page.length, span.end).trim()).toBe("");
          if (page === "") expect(span.end).toBe(span.start);
          end = span.end;
        });
        expect(end).toBe(text.length);
      }),
    );
  });
});

describe("pageList", () => {
  it.each([
    [[4], "page 4"],
    [[1, 2], "pages 1 and 2"],
    [[1, 2, 3, 7], "pages 1 to 3 and 7"],
    [[2, 4, 5, 9, 10, 11], "pages 2, 4, 5 and 9 to 11"],
  ])("%j is %s", (numbers, words) => {
    expect(pageList(numbers)).toBe(words);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SourceDocument, textPage } from "../../core/documents/document.js";
import { documentText } from "../../core/documents/document-text.js";
import {
  chaptersOf,
  contextStart,
  headingsOf,
  type Passage,
  pagesOf,
  passagesOf,
  splitPassages,
} from "../../core/summarize/split.js";

const count = (text: string) => text.split(/\s+/).filter((word) => word !== "").length;
const words = (number: number, word = "word") => `${`${word} `.repeat(number).trim()}.`;

const paged = (pages: readonly string[], more: Partial<SourceDocument> = {}): SourceDocument => ({
  path: "/a.pdf",
  title: "A",
  kind: "pdf",
  unit: "page",
  pages: pages.map((text, index) => textPage(index + 1, text)),
  warnings: [],
  ...more,
});

function parts(document: SourceDocument, most: number) {
  const source = documentText(document);
  const headings = headingsOf(document, source);
  const passages = [...passagesOf(source, headings, { start: 0, end: source.text.length }, most, count)];
  return splitPassages(passages, most).map((held) => {
    const span = { start: (held[0] as Passage).start, end: (held.at(-1) as Passage).end };
    return { text: source.text.slice(span.start, span.end), pages: pagesOf(source.pages, span) };
  });
}

const paragraph = fc.oneof(
  fc.integer({ min: 1, max: 80 }).map((number) => words(number)),
  fc.string({ minLength: 1, maxLength: 200 }),
  fc.constantFrom("Chapter 2", "3.1 Findings", "", "漢字かな交じり文。".repeat(40), "😀".repeat(300)),
);
const page = fc.array(paragraph, { maxLength: 6 }).map((paragraphs) => paragraphs.join("\n\n"));

describe("parts", () => {
  test("hold every character of the document in exactly one place, and no more tokens than allowed", () => {
    fc.assert(
      fc.property(fc.array(page, { minLength: 1, maxLength: 8 }), fc.integer({ min: 5, max: 120 }), (pages, most) => {
        const document = paged(pages);
        const { text } = documentText(document);
        fc.pre(text.trim() !== "");
        const found = parts(document, most);
        expect(found.map((part) => part.text).join("")).toBe(text);
        for (const part of found) expect(count(part.text)).toBeLessThanOrEqual(most);
        for (const [index, { pages: range }] of found.entries()) {
          expect(range.first).toBeGreaterThanOrEqual(found[index - 1]?.pages.last ?? 1);
          expect(range.last).toBeGreaterThanOrEqual(range.first);
        }
      }),
    );
  });

  test("are about equally long, not one full and one nearly empty", () => {
    const found = parts(paged(Array.from({ length: 11 }, () => words(10))), 100);
    expect(found.map(({ text }) => count(text))).toEqual([50, 60]);
  });

  test("begin at a heading where one is near, and never strand one at their end", () => {
    const body = Array.from({ length: 8 }, () => words(10)).join("\n\n");
    const found = parts(paged([`${body}\n\n${words(20)}\n\n2 Results\n\n${body}`]), 120);
    expect(found.map(({ text }) => text.slice(0, 9))).toEqual(["word word", "2 Results"]);
  });

  test("cut a paragraph that is too long behind a sentence", () => {
    const sentences = Array.from({ length: 30 }, () => words(10)).join(" ");
    const found = parts(paged([sentences]), 100);
    expect(found.length).toBeLessThanOrEqual(5);
    for (const { text } of found) expect(text.trim()).toMatch(/\.$/);
  });

  test("of 2,000 pages are found in seconds", () => {
    const pages = Array.from({ length: 2000 }, () => Array.from({ length: 8 }, () => words(40)).join("\n\n"));
    const started = performance.now();
    const found = parts(paged(pages), 7000);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(found).toHaveLength(Math.ceil((2000 * 320) / 7000));
    expect(found.at(-1)?.pages.last).toBe(2000);
  });
});

describe("headings", () => {
  test("are the outline's, where their titles stand", () => {
    const document = paged(["Title\n\nIntroduction\n\nText of it.", "More.\n\nMETHODS\n\nText."], {
      outline: [
        { title: "Introduction", page: 1, level: 1 },
        { title: "Methods", page: 2, level: 2 },
        { title: "Not on the page", page: 2, level: 1 },
      ],
    });
    const source = documentText(document);
    const found = headingsOf(document, source);
    expect(found.map(({ start, level }) => [source.text.slice(start, start + 7), level])).toEqual([
      ["Introdu", 1],
      ["More.\n\n", 1],
      ["METHODS", 2],
    ]);
  });

  test("are the labels of sections, whose Markdown marks or numbers tell the level", () => {
    const document: SourceDocument = {
      ...paged([]),
      kind: "markdown",
      unit: "section",
      pages: [
        textPage(1, "# Harbour\n\nText.", "Harbour"),
        textPage(2, "It goes on.", "Harbour"),
        textPage(3, "## Piers\n\nText.", "Piers"),
        textPage(4, "2.1 Cranes\n\nText.", "2.1 Cranes"),
      ],
    };
    const found = headingsOf(document, documentText(document));
    expect(found.map(({ title, level }) => [title, level])).toEqual([
      ["Harbour", 1],
      ["Piers", 2],
      ["2.1 Cranes", 2],
    ]);
  });

  test("are lines that read like one, in a text that names none", () => {
    const document = paged([`Chapter 1\n\n${words(9)}\n\n2.3 Costs of it\n\n3 men came.\n\n4 Men\nwho came`]);
    const found = headingsOf(document, documentText(document));
    expect(found.map(({ title, level }) => [title, level])).toEqual([
      ["Chapter 1", 1],
      ["2.3 Costs of it", 2],
    ]);
  });

  test("are short lines before longer paragraphs, but not what stands on every page, and no signature", () => {
    const foot = (page: number) => `Annual Review  Page ${page} of 3`;
    const document = paged([
      `The foreword\n\n${words(40)}\n\nAda Byron, Chair\n\nTrade\n\nCargo and ships\n\n${words(40)}\n\n${foot(1)}`,
      `It is said here\n\nso.\n\n${foot(2)}`,
      foot(3),
    ]);
    const found = headingsOf(document, documentText(document));
    expect(found.map(({ title }) => title)).toEqual(["The foreword", "Trade", "Cargo and ships"]);
  });
});

describe("chapters", () => {
  const chapters = (text: string) => {
    const document = paged([text]);
    const source = documentText(document);
    return chaptersOf(source.text, headingsOf(document, source), count).map(({ title, start, end }) => ({
      title,
      text: source.text.slice(start, end),
    }));
  };

  test("are begun by the highest headings that there are two of, with what comes before them", () => {
    const text = `${words(70)}\n\nChapter 1\n\n${words(70)}\n\n1.1 Detail\n\n${words(70)}\n\nChapter 2\n\n${words(70)}`;
    const found = chapters(text);
    expect(found.map(({ title }) => title)).toEqual(["Beginning", "Chapter 1", "Chapter 2"]);
    expect(found.map((chapter) => chapter.text).join("")).toBe(text);
  });

  test("that hold nothing but a title are read with the next, and the last with the one before", () => {
    const text = `Part 1\n\nChapter 1\n\n${words(70)}\n\nChapter 2\n\n${words(70)}\n\nAppendix A\n\nNone`;
    const found = chapters(text);
    expect(found.map(({ title }) => title)).toEqual(["Part 1: Chapter 1", "Chapter 2"]);
    expect(found.map((chapter) => chapter.text).join("")).toBe(text);
  });

  test("are none where there is one heading at most", () => {
    expect(chapters(`Chapter 1\n\n${words(70)}`)).toEqual([]);
  });
});

test("context is the last sentences before a part, as many as fit", () => {
  const text = `${words(30)} ${words(5, "near")} ${words(4, "last")}\n\nThe part.`;
  const place = text.indexOf("The part.");
  expect(text.slice(contextStart(text, place, 10, count), place).trim()).toBe(
    "near near near near near. last last last last.",
  );
  expect(contextStart(text, place, 0, count)).toBe(place);
  expect(contextStart(text, place, 1000, count)).toBe(0);
});

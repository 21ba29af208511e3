import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Coverage,
  coverageOf,
  coverageStretches,
  coverageWarnings,
  coverageWords,
} from "../../core/documents/coverage.js";
import type { DocumentPage, PageReading } from "../../core/documents/document.js";

const page = (reading: PageReading, index: number): DocumentPage => ({
  number: index + 1,
  text: reading.how === "text" || reading.how === "ocr" ? "Words." : "",
  reading,
});
const coverage = (...readings: PageReading[]) => coverageOf({ unit: "page", pages: readings.map(page) });

describe("coverage", () => {
  it("has every page in exactly one list, in order", () => {
    const reading = fc.oneof<fc.Arbitrary<PageReading>[]>(
      fc.constant({ how: "text" }),
      fc.constant({ how: "empty" }),
      fc.record({ how: fc.constant("ocr" as const), confidence: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.record({ how: fc.constant("failed" as const), reason: fc.constantFrom("it is damaged", "it takes too long") }),
    );
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 40 }), (readings) => {
        const { text, ocr, empty, failed } = coverage(...readings);
        const lists = [text, ocr.map((each) => each.page), empty, failed.map((each) => each.page)];
        for (const list of lists) expect(list).toEqual([...list].sort((one, other) => one - other));
        expect(lists.flat().sort((one, other) => one - other)).toEqual(readings.map((_, index) => index + 1));
      }),
    );
  });

  it("is put into words with all that is not plain text", () => {
    expect(coverageWords(coverage({ how: "text" }, { how: "text" }))).toBe("all 2 pages");
    expect(
      coverageWords(
        coverage(
          { how: "text" },
          { how: "ocr", confidence: 0.95 },
          { how: "ocr", confidence: 0.879 },
          { how: "empty" },
          { how: "failed", reason: "it is damaged" },
        ),
      ),
    ).toBe(
      "pages 1 to 3 of 5 (pages 2 and 3 by text recognition, with a confidence of 91 % (lowest 87 %); no text on page 4; page 5 could not be read)",
    );
    expect(coverageWords(coverageOf({ unit: "slide", pages: [page({ how: "text" }, 0)] }))).toBe("its only slide");
  });

  it("warns of unsure recognition, and of failures by their reasons", () => {
    expect(coverageWarnings(coverage({ how: "text" }))).toEqual([]);
    expect(
      coverageWarnings(
        coverage(
          { how: "ocr", confidence: 0.7 },
          { how: "failed", reason: "it is damaged" },
          { how: "failed", reason: "it takes too long to read" },
          { how: "failed", reason: "it is damaged" },
        ),
      ),
    ).toEqual([
      "Scanned: the text of page 1 was recognised (OCR), with a confidence of 70 %.",
      "Recognition was unsure on page 1: check what is said from there.",
      "Not read: pages 2 and 4, because it is damaged.",
      "Not read: page 3, because it takes too long to read.",
    ]);
  });
});

it("puts every page in exactly one stretch, in order, and neighbours apart only where something else is to be said", () => {
  const kinds = fc.array(fc.constantFrom("text", "ocr", "unsure", "empty", "failed"), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(kinds, (hows) => {
      const coverage: Coverage = { unit: "page", text: [], ocr: [], empty: [], failed: [] };
      hows.forEach((how, index) => {
        const page = index + 1;
        if (how === "text" || how === "empty") coverage[how].push(page);
        else if (how === "failed") coverage.failed.push({ page, reason: "no" });
        else coverage.ocr.push({ page, confidence: how === "ocr" ? 0.95 : 0.7 });
      });
      const stretches = coverageStretches(coverage);
      expect(stretches.flatMap(({ how, from, to }) => Array(to - from + 1).fill(how))).toEqual(hows);
      stretches.slice(1).forEach(({ words }, index) => {
        expect(words).not.toBe(stretches[index]?.words);
      });
    }),
  );
});

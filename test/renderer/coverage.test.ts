import fc from "fast-check";
import { expect, it } from "vitest";
import type { Coverage } from "../../electron/contract.js";
import { coverageLines, pageRows, stretches } from "../../renderer/view/coverage.js";

const mixed: Coverage = {
  unit: "page",
  text: [1, 2, 3, 6],
  ocr: [
    { page: 4, confidence: 0.914 },
    { page: 5, confidence: 0.6 },
  ],
  empty: [7],
  failed: [
    { page: 8, reason: "it is damaged" },
    { page: 10, reason: "it is damaged" },
    { page: 9, reason: "it takes too long" },
  ],
};

it("has a line for each way in which pages were read, with reasons and confidence", () => {
  expect(coverageLines(mixed).map(({ name, words }) => `${name} | ${words}`)).toEqual([
    "Read | 4 pages: 1–3, 6",
    "Recognised (OCR) | 1 page: 4, confidence 91 %",
    "Recognised, unsure | 1 page: 5, confidence 60 %",
    "Empty | 1 page: 7",
    "Not read | 2 pages: 8, 10, because it is damaged",
    "Not read | 1 page: 9, because it takes too long",
  ]);
});

it("has no line without pages", () => {
  expect(coverageLines({ ...mixed, ocr: [], empty: [], failed: [] })).toHaveLength(1);
});

it("draws every page exactly once, whatever a document is mixed of", () => {
  const kinds = fc.array(fc.constantFrom("text", "ocr", "unsure", "empty", "failed"), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(kinds, (hows) => {
      const coverage: Coverage = { unit: "page", text: [], ocr: [], empty: [], failed: [] };
      hows.forEach((how, index) => {
        const page = index + 1;
        if (how === "text") coverage.text.push(page);
        else if (how === "empty") coverage.empty.push(page);
        else if (how === "failed") coverage.failed.push({ page, reason: "no" });
        else coverage.ocr.push({ page, confidence: how === "ocr" ? 0.95 : 0.7 });
      });
      const drawn = stretches(pageRows(coverage)).flatMap(({ how, from, to }) => Array(to - from + 1).fill(how));
      expect(drawn).toEqual(hows);
    }),
  );
});

import { expect, it } from "vitest";
import type { Coverage } from "../../electron/contract.js";
import { coverageLines } from "../../renderer/view/coverage.js";

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
    "Text | 4 pages: 1–3, 6",
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

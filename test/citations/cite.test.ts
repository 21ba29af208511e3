import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { citationSchema, citationsOf } from "../../core/citations/citation.js";
import { labelledSummaries } from "../eval/citations/labelled.js";
import { measured } from "../eval/citations/measure.js";

const report = {
  pages: [
    { number: 1, text: "The harbour was rebuilt in 1984.\nIts gate stayed shut for 9 hours in the storm of December." },
    { number: 2, text: "" },
    { number: 3, text: "Dredging cost £2.07 million. The dredger removed 318,000 cubic metres of silt in 49 days." },
    { number: 4, text: "A tender for the next campaign follows in January, together with two neighbouring ports." },
  ],
};
const pagesOf = (text: string, documents = [report]) => citationsOf(text, documents).map(({ pages }) => pages);

describe("citationsOf", () => {
  it("names the page that says what a sentence says, with the words that do", () => {
    const text = "The dredging campaign cost £2.07 million. In December the gate was shut for nine hours.";
    const citations = citationsOf(text, [report]);
    expect(citations.map(({ start, end, pages }) => [text.slice(start, end), pages])).toEqual([
      ["The dredging campaign cost £2.07 million.", [3]],
      ["In December the gate was shut for nine hours.", [1]],
    ]);
    expect(citations[1]?.passages).toEqual(["Its gate stayed shut for 9 hours in the storm of December."]);
  });

  it("names both pages of a sentence that joins what they say", () => {
    const text =
      "The dredger removed 318,000 cubic metres of silt, and a tender with two neighbouring ports follows in January.";
    expect(pagesOf(text)).toEqual([[3, 4]]);
  });

  it("names none where a figure is wrong, or the whole sentence is invented", () => {
    expect(pagesOf("Dredging cost £2.6 million.")).toEqual([[]]);
    expect(pagesOf("The dredger removed 318,000 cubic metres of silt in 94 days.")).toEqual([[]]);
    expect(pagesOf("Passengers complained about cold coffee.")).toEqual([[]]);
    expect(pagesOf("It was so.")).toEqual([[]]);
  });

  it("says nothing of a line that only announces what follows", () => {
    expect(pagesOf("Here is what matters:\n\n- The harbour was rebuilt in 1984.")).toEqual([[1]]);
  });

  it("tells documents apart", () => {
    const other = { pages: [{ number: 3, text: "The museum's loom was repaired by two restorers." }] };
    const [loom, both] = [
      citationsOf("Two restorers repaired the loom of the museum.", [report, other]),
      citationsOf("Two restorers repaired the museum's loom while the dredger removed 318,000 cubic metres of silt.", [
        report,
        other,
      ]),
    ];
    expect(loom).toMatchObject([{ document: 1, pages: [3] }]);
    expect(both.map(({ document, pages }) => [document, pages])).toEqual([
      [undefined, [3]],
      [1, [3]],
    ]);
    expect(both[0]?.end).toBe(both[1]?.end);
  });

  it("cites nothing for an empty answer, and says so for an empty document", () => {
    expect(citationsOf("", [report])).toEqual([]);
    expect(pagesOf("The harbour was rebuilt.", [{ pages: [{ number: 1, text: "" }] }])).toEqual([[]]);
    expect(pagesOf("The harbour was rebuilt.", [])).toEqual([[]]);
  });

  it("names the page of a sentence that was copied from it, in a document of other words", () => {
    const word = fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz"), minLength: 5, maxLength: 9 });
    const words = fc.uniqueArray(word, { minLength: 60, maxLength: 60, selector: (text) => text.slice(0, 4) });
    fc.assert(
      fc.property(words, fc.nat({ max: 4 }), (all, chosen) => {
        const pages = Array.from({ length: 5 }, (_, page) => ({
          number: page + 1,
          text: `${all.slice(12 * page, 12 * page + 12).join(" ")}.`,
        }));
        const [only, ...further] = citationsOf(pages[chosen]!.text, [{ pages }]);
        expect(further).toEqual([]);
        expect(only).toMatchObject({ pages: [chosen + 1], score: expect.closeTo(1) });
      }),
      { numRuns: 50 },
    );
  });

  it("keeps its form, whatever summary and pages are", () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string()), (text, texts) => {
        const pages = texts.map((page, index) => ({ number: index + 1, text: page }));
        for (const citation of citationsOf(text, [{ pages }])) {
          expect(citationSchema.parse(citation)).toEqual(citation);
          expect(citation.passages).toHaveLength(citation.pages.length);
        }
      }),
    );
  });
});

it("reaches its goal on the half of the labelled summaries that it was not tuned on", async () => {
  const summaries = await labelledSummaries("reporting");
  const { cited, right, supporting, found, unsupported, markedRightly } = measured(summaries);
  expect(right / cited).toBeGreaterThanOrEqual(0.8);
  expect(found / supporting).toBeGreaterThanOrEqual(0.7);
  expect(markedRightly / unsupported).toBeGreaterThanOrEqual(0.7);
});

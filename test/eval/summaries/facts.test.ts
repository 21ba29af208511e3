import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleReport } from "../documents.js";
import { facts, unsupported, unsupportedRate } from "./facts.js";

describe("the facts of a summary", () => {
  it("are numbers, months and names, not the first words of sentences", () => {
    expect(facts("The port handled 1,550,000 tonnes. Growth came from Harrow Mills on 3 May. I'd say so.")).toEqual([
      "1550000",
      "3",
      "harrow",
      "mills",
      "may",
    ]);
  });

  it("that a document lacks are named", () => {
    const document = "On 14 November 2024 Ms Olufsen's coaster ran aground; 1,550,000 tonnes were lost.";
    expect(unsupported("It was Olufsen on Nov. 14, and 1550000 tonnes.", document)).toEqual([]);
    expect(unsupported("It was Martens on Dec. 15, and 1.5 tonnes.", document)).toEqual([
      "15",
      "1.5",
      "martens",
      "dec",
    ]);
    expect(unsupportedRate("It was Olufsen or Martens.", document)).toBe(0.5);
    expect(unsupportedRate("it says nothing.", document)).toBe(0);
  });

  it("of a document's own sentences are all in the document", () => {
    const sentences = sampleReport.split(/(?<=[.!?])\s+/);
    fc.assert(
      fc.property(fc.subarray(sentences, { maxLength: 5 }), (some) => {
        expect(unsupported(some.join(" "), sampleReport)).toEqual([]);
      }),
    );
  });
});

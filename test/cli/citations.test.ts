import { describe, expect, it } from "vitest";
import { citationLines } from "../../core/cli/citations.js";
import { citations, summaryResult } from "../report/fixture.js";

const text = "It settled.\nDivers counted 212\nblocks. The mayor sang.";

describe("citationLines", () => {
  it("names the pages, and each sentence that none supports", () => {
    const cited = citations(text, [
      ["It settled.", [7, 2]],
      ["Divers counted 212\nblocks.", []],
      ["The mayor sang.", [2, 3]],
    ]);
    expect(citationLines(summaryResult({ text, citations: cited }))).toEqual([
      "Supported by pages 2, 3 and 7.",
      "No page was found that supports:",
      "  Divers counted 212 blocks.",
    ]);
  });

  it("tells documents apart", () => {
    const base = summaryResult();
    const [first, second] = citations(text, [
      ["It settled.", [2]],
      ["The mayor sang.", [4]],
    ]);
    const result = summaryResult({
      text,
      citations: [first!, { ...second!, document: 1 }],
      document: { ...base.document, path: "/a/one.pdf" },
      furtherDocuments: [{ ...base.document, path: "/a/two.pdf" }],
    });
    expect(citationLines(result)).toEqual(["Supported by one.pdf: page 2; two.pdf: page 4."]);
  });

  it("says nothing of an answer without sentences", () => {
    expect(citationLines(summaryResult({ text: "", citations: [] }))).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { parseSummaryJson, summaryJson } from "../../core/report/json.js";
import { richAnswers, richResult } from "./fixture.js";

describe("a summary as JSON", () => {
  it("is read again as it was", () => {
    expect(parseSummaryJson(summaryJson(richResult()), "a.json")).toEqual({ result: richResult(), answers: [] });
    expect(parseSummaryJson(summaryJson(richResult(), richAnswers()), "a.json")).toEqual({
      result: richResult(),
      answers: richAnswers(),
    });
  });

  it.each([
    ["no JSON", "# Summary", "file-type", "no JSON"],
    ["other JSON", '{"name":"x"}', "file-type", "no summary of Precis"],
    ["a later version's", '{"format":"precis-summary","version":2}', "file-type", "newer"],
    [
      "a damaged one",
      summaryJson(richResult()).replace('"pages": 5', '"pages": "five"'),
      "file-damaged",
      "document.pages",
    ],
  ])("is refused when it is %s", (_what, text, code, words) => {
    expect(() => parseSummaryJson(text, "a.json")).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
  });
});

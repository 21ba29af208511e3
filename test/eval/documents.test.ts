import { describe, expect, it } from "vitest";
import { longBenchDocuments, samplePieces, sampleReport } from "./documents.js";

describe("a LongBench file", () => {
  it("gives its documents and references, with line ends where the data set has a word for them", () => {
    const line = JSON.stringify({ context: "One. NEWLINE_CHAR NEWLINE_CHAR Two.", answers: ["– Both."], length: 2 });
    expect(longBenchDocuments("news.jsonl", `${line}\n\n${line}\n`)).toEqual([
      { id: "data-1", text: "One.\n\nTwo.", references: ["– Both."] },
      { id: "data-3", text: "One.\n\nTwo.", references: ["– Both."] },
    ]);
  });

  it.each(["[]", "{", "null", '{"context": 1, "answers": []}', '{"context": "text"}'])(
    "names the line that is something else: %s",
    (line) => {
      expect(() => longBenchDocuments("news.jsonl", `{"context":"","answers":[]}\n${line}`)).toThrow(
        /news\.jsonl, line 2/,
      );
    },
  );
});

describe("the sample report", () => {
  it("is cut between chapters, into pieces of the length asked for, and nothing is lost but what stands before", () => {
    const measure = (text: string) => text.length;
    const pieces = samplePieces(measure, 8000);
    expect(pieces.length).toBeGreaterThan(2);
    const text = pieces.map((piece) => piece.text).join("\n\n");
    expect(text).toBe(
      sampleReport
        .slice(sampleReport.indexOf("## "))
        .trim()
        .replace(/\n{2,}(?=## )/g, "\n\n"),
    );
    for (const piece of pieces.slice(0, -1)) expect(piece.text).toMatch(/^## /);
  });
});

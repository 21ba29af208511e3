import { describe, expect, it } from "vitest";
import { documentCases } from "./document-cases.js";
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

describe("documents to summarise", () => {
  const documents = [6000, 2000, 900, 3000, 4000, 7000, 2500, 1500].map((tokens, index) => ({
    id: `data-${index + 1}`,
    text: "x".repeat(tokens),
    references: [],
  }));
  const chosen = (size: "quick" | "full", lengths?: readonly number[]) =>
    documentCases(
      { documents, measure: (text) => text.length, size, split: "reporting", lengths },
      { quick: 2, usual: 3, full: 8 },
    ).map(({ document, groups }) => [document.length, ...groups]);

  it("are the first short ones, and then some long ones, uncut", () => {
    expect(chosen("quick")).toEqual([2000, 3000].map((tokens) => [tokens, "short documents"]));
    expect(chosen("full")).toEqual([
      ...[2000, 3000, 2500, 1500].map((tokens) => [tokens, "short documents"]),
      ...[6000, 7000].map((tokens) => [tokens, "long documents"]),
    ]);
  });

  it("are of the lengths asked for", () => {
    expect(chosen("full", [8192]).map(([tokens]) => tokens)).toEqual([6000, 7000]);
    expect(chosen("full", [2048]).map(([tokens]) => tokens)).toEqual([2000, 3000, 2500, 1500]);
  });
});

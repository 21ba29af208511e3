import { lexer, type Tokens } from "marked";
import { describe, expect, it } from "vitest";
import { summaryMarkdown } from "../../core/report/markdown.js";
import type { SummaryResult } from "../../core/summarize/result.js";

const MIB = 2 ** 20;

const result: SummaryResult = {
  text: "The harbour had a good year.\n\n- Trade grew.\n",
  citations: [],
  document: {
    path: "/home/ada/a|b `draft`.pdf",
    pages: 5,
    tokens: 6270,
    pagesRead: [1, 2, 3, 5],
    coverage: { unit: "page", text: [1, 2, 5], ocr: [{ page: 3, confidence: 0.914 }], empty: [4], failed: [] },
    warnings: ["No text on page 4 (scanned or blank): nothing of it was read."],
  },
  furtherDocuments: [],
  parts: [{ document: 0, pages: { first: 1, last: 5 }, tokens: 6270 }],
  model: { id: "smollm2-135m", path: "/models/m.gguf", layers: 30, kvHeads: 3, contextLength: 8192 },
  policy: "dynamickv",
  budget: { requested: "6.9%", bytes: 10 * MIB, tokensPerLayer: 442 },
  kv: { fullBytes: 160 * MIB, retainedBytes: 10 * MIB, peakBytes: 33.5 * MIB, layers: [] },
  memory: { peakRssBytes: 300 * MIB },
  timings: {
    loadMs: 400,
    readMs: 700,
    prefillMs: 61_000,
    compressMs: 1000,
    firstTokenMs: 12,
    decodeMs: 2500,
    decodeTokens: 180,
  },
  warnings: ["Line one\nline two.", "No text on page 4 (scanned or blank): nothing of it was read."],
};

/** The facts as a Markdown reader sees them. */
function facts(markdown: string): Record<string, string> {
  const table = lexer(markdown).find((token): token is Tokens.Table => token.type === "table");
  return Object.fromEntries((table?.rows ?? []).map(([name, value]) => [name?.text, value?.text]));
}

describe("summaryMarkdown", () => {
  it("has the title, the answer and the facts of the run", () => {
    const markdown = summaryMarkdown(result, { title: "The  year", date: new Date("2026-03-01T12:00:00Z") });
    expect(markdown.startsWith("# The year\n\nThe harbour had a good year.\n\n- Trade grew.\n\n## Warnings\n\n")).toBe(
      true,
    );
    expect(facts(markdown)).toEqual({
      Document: "``a|b `draft`.pdf``, 5 pages, 6270 tokens",
      Read: "pages 1 to 3 and 5 of 5 (page 3 by text recognition, with a confidence of 91 %; no text on page 4)",
      Model: "smollm2-135m, 30 layers, context of 8192 tokens",
      Policy: "dynamickv",
      Budget: "6.9%: 10.0 MiB, 442 tokens per layer and KV head",
      "KV cache kept": "10.0 MiB of 160.0 MiB (6.3%)",
      "KV cache at its peak": "33.5 MiB",
      "Memory of the process at its peak": "300.0 MiB",
      Time: "1 min 2 s reading, 2.5 s writing",
      Written: expect.stringMatching(/^2026-03-0[12] \d\d:\d\d UTC[+-]\d\d:\d\d$/),
    });
  });

  it("names each warning once, on a line of its own", () => {
    const markdown = summaryMarkdown(result);
    expect(markdown).toContain(
      "## Warnings\n\n- No text on page 4 (scanned or blank): nothing of it was read.\n- Line one line two.\n\n##",
    );
  });

  it("has no warnings section when there are none, and is titled by the file", () => {
    const markdown = summaryMarkdown({
      ...result,
      document: {
        ...result.document,
        path: "/x/year.epub",
        pages: 1,
        pagesRead: [1],
        coverage: { unit: "chapter", text: [1], ocr: [], empty: [], failed: [] },
        warnings: [],
      },
      warnings: [],
    });
    expect(markdown).not.toContain("Warnings");
    expect(markdown.startsWith("# year\n")).toBe(true);
    expect(facts(markdown)).toMatchObject({
      Document: "`year.epub`, 1 chapter, 6270 tokens",
      Read: "its only chapter",
    });
  });
});

import fc from "fast-check";
import { lexer, type Tokens, walkTokens } from "marked";
import { describe, expect, it } from "vitest";
import { summaryMarkdown } from "../../core/report/markdown.js";
import type { Block, Inline } from "../../core/report/prose.js";
import { reportOf } from "../../core/report/report.js";
import { richAnswers, richResult, summaryResult, titled } from "./fixture.js";

const result = summaryResult();

/** The facts as a Markdown reader sees them. */
function facts(markdown: string): Record<string, string> {
  const table = lexer(markdown).findLast((token): token is Tokens.Table => token.type === "table");
  return Object.fromEntries((table?.rows ?? []).map(([name, value]) => [name?.text, value?.text]));
}

describe("summaryMarkdown", () => {
  it("has the title, the answer and the facts of the run", () => {
    const markdown = summaryMarkdown(titled(result, "The  year"), { date: new Date("2026-03-01T12:00:00Z") });
    expect(markdown).toMatch(/^# The year\n\nThe harbour had a good year\.\n\n- Trade grew\.\n\n## What was read\n\n/);
    expect(facts(markdown)).toEqual({
      Document: "a|b \\`draft\\`.pdf, 5 pages, 6270 tokens",
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

  it("has what was asked about the document, with where each answer is from", () => {
    const markdown = summaryMarkdown(result, { answers: richAnswers() });
    expect(markdown).toContain(
      "- Trade grew.\n\n## Questions and answers\n\n### How far did it \\<b>settle\\</b> | sink?\n\n" +
        "#### In short\n\nIt settled by *41 cm*. (page 1)\n\n*The document was read for this question.*\n\n" +
        "### Who pays?\n\nThat is left open.\n\n*The document was not read again: this is from what was kept",
    );
    expect(markdown).toContain("| page 1 | The outer breakwater settled by 41 cm. |");
    expect(markdown.match(/The document was not read again/g)).toHaveLength(1);
  });

  it("says so where the document was read fast", () => {
    expect(facts(summaryMarkdown(summaryResult({ reading: "fast" }))).Reading).toBe("fast");
  });

  it("names each warning once, on a line of its own", () => {
    const markdown = summaryMarkdown(result);
    expect(markdown).toContain(
      "## Warnings\n\n- No text on page 4: nothing of it was read.\n- Line one line two.\n\n##",
    );
  });

  it("has no warnings section when there are none, is titled by the file and names the model as the catalogue does", () => {
    const markdown = summaryMarkdown({
      ...result,
      model: { ...result.model, id: "smollm2-135m-instruct" },
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
      Document: "year.epub, 1 chapter, 6270 tokens",
      Read: "its only chapter",
      Model: "SmolLM2 135M Instruct, 30 layers, context of 8192 tokens",
    });
  });

  it("says of every page how it was read", () => {
    expect(summaryMarkdown(result)).toContain(
      "## What was read\n\n| | |\n| --- | --- |\n| pages 1 and 2 | read |\n| page 3 | recognised, confidence 91 % |\n| page 4 | no text |\n| page 5 | read |\n\n",
    );
  });

  it("puts the pages behind what they support, and says what nothing supports", () => {
    const markdown = summaryMarkdown(richResult());
    expect(markdown).toContain("settled by 41 cm. (page 1) Divers counted *212 blocks*. (pages 2, 3 and 7)\n");
    expect(markdown).toContain("It did so before. (page 5)\n");
    expect(markdown).toContain("in 2019 & more later. (page 4)\n");
    expect(markdown).toContain(
      "**No one was hurt.** (no page found that supports this) See the appendix and a picture.",
    );
  });

  it("lets nothing that a model writes become a link, a picture or HTML", () => {
    const hostile =
      "<script>x()</script>\n\n<b>a</b> [b](http://e.org) ![c](http://e.org/c.png) <http://e.org>\n\n[d]: http://e.org/d";
    const title = "![t](http://e.org/t.png) <img src=x>";
    const warnings = ["<img src=x> [w](http://e.org)"];
    const markdown = summaryMarkdown(titled(summaryResult({ text: hostile, warnings }), title));
    const found: string[] = [];
    walkTokens(lexer(markdown), (token) => {
      // An address written out is made a link by GitHub's rules; it shows where it leads.
      if (token.type === "link" && token.text === token.href) return;
      if (["html", "link", "image", "def"].includes(token.type)) found.push(token.raw);
    });
    expect(found).toEqual([]);
  });

  it("keeps every letter, whatever the text, and every citation in its order", () => {
    const text = fc.array(
      fc.constantFrom(
        "word. ",
        "**",
        "*",
        "`",
        "> ",
        "- ",
        "1. ",
        "\n",
        "\n\n",
        "# ",
        "&amp;",
        "\\*",
        "<b>",
        "[x](y)",
        "é ",
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 6 }), (pieces, ends) => {
        const joined = pieces.join("");
        const cited = ends
          .filter((end) => end > 0 && end <= joined.length)
          .sort((a, b) => a - b)
          .map((end, index) => ({ start: 0, end, pages: [index + 1] }));
        const { prose } = reportOf(summaryResult({ text: joined, citations: cited }));
        const letters = (of: string) => of.match(/word|é/g)?.join("") ?? "";
        expect(letters(textOf(prose))).toBe(letters(joined));
        if (textOf(prose) !== "") expect(pagesOf(prose)).toEqual(cited.map(({ pages }) => pages[0]));
      }),
    );
  });
});

function inlinesOf(blocks: readonly Block[]): Inline[] {
  return blocks.flatMap((block) => {
    if (block.kind === "list") return block.items.flatMap(inlinesOf);
    if (block.kind === "quote") return inlinesOf(block.blocks);
    return block.kind === "rule" ? [] : [...block.inlines];
  });
}
const textOf = (blocks: readonly Block[]) =>
  inlinesOf(blocks)
    .map((part) => (part.kind === "text" ? part.text : ""))
    .join("");
const pagesOf = (blocks: readonly Block[]) =>
  inlinesOf(blocks).flatMap((part) => (part.kind === "citation" ? part.pages : []));

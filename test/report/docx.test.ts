import fc from "fast-check";
import JSZip from "jszip";
import mammoth from "mammoth";
import { describe, expect, it } from "vitest";
import { summaryDocx } from "../../core/report/docx.js";
import { richAnswers, richResult, summaryResult, titled } from "./fixture.js";

const htmlOf = async (docx: Uint8Array) => (await mammoth.convertToHtml({ buffer: Buffer.from(docx) })).value;
const part = async (docx: Uint8Array, name: string) => (await JSZip.loadAsync(docx)).file(name)?.async("string") ?? "";

describe("summaryDocx", () => {
  it("has headings, lists and tables that Word knows as such", async () => {
    const html = await htmlOf(await summaryDocx(titled(richResult(), "The year")));
    expect(html).toContain("<h1>What was found</h1>");
    expect(html).toContain("<h1>What was read</h1><table>");
    expect(html).toMatch(
      /<ul><li>The quay wall[^<]*\(page 5\)<ol><li>First inside\.<\/li><li>Second inside\.<\/li><\/ol>/,
    );
    expect(html).toContain("<strong>outer breakwater</strong> settled by 41 cm. (page 1) Divers");
    expect(html).toContain("<td><p>page 3</p></td><td><p>recognised, confidence 91 %</p></td>");
    expect(html).not.toContain("href");
  });

  it("has what was asked about the document, under headings of their own", async () => {
    const html = await htmlOf(await summaryDocx(summaryResult(), { answers: richAnswers() }));
    expect(html).toContain("<h1>Questions and answers</h1><h2>How far did it &lt;b&gt;settle&lt;/b&gt; | sink?</h2>");
    expect(html).toContain("<h3>In short</h3><p>It settled by <em>41 cm</em>. (page 1)</p>");
    expect(html).toContain("<h2>Who pays?</h2><p>That is left open.</p><p>The document was not read again");
  });

  it("counts each ordered list by itself, from its own first number", async () => {
    const numbering = await part(
      await summaryDocx(summaryResult({ text: "3. a\n4. b\n\ntext\n\n1. c" })),
      "word/numbering.xml",
    );
    const first = [...numbering.matchAll(/<w:lvl w:ilvl="0"[^>]*><w:start w:val="(\d+)"\/><w:numFmt w:val="decimal"/g)];
    expect(first.map(([, start]) => start)).toEqual(["3", "1"]);
  });

  it("sets what is written from right to left so", async () => {
    const xml = await part(await summaryDocx(summaryResult({ text: "שלום עולם\n\nHello" })), "word/document.xml");
    expect(xml.match(/<w:bidi\/>/g)).toHaveLength(1);
  });

  it("is a whole file with every word, whatever stands in the answer and the names", async () => {
    const pieces = fc.array(
      fc.constantFrom(
        "<w:p>",
        "]]>",
        "&",
        "&#0;",
        '"',
        "\u0000",
        "\u000b",
        "\ud800",
        "\uffff",
        "word ",
        "\n\n",
        "- ",
        "> ",
        "5. ",
      ),
      { maxLength: 15 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, pieces, async (text, name) => {
        const result = summaryResult({ text: text.join(""), warnings: [name.join("")] });
        const docx = await summaryDocx(titled(result, name.join("")));
        const words = (of: string) => of.match(/word/g)?.length ?? 0;
        const xml = await part(docx, "word/document.xml");
        // biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids them
        expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u);
        expect(words(await htmlOf(docx))).toBe(words(text.join("")) + 2 * words(name.join("")));
      }),
      { numRuns: 12 },
    );
  }, 60_000);
});

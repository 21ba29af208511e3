import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { proseHtml, summaryHtml } from "../../core/report/html.js";
import { reportOf } from "../../core/report/report.js";
import { citations, richAnswers, richResult, summaryResult, titled } from "./fixture.js";

const documentOf = (html: string) => parseHTML(html).document;

describe("summaryHtml", () => {
  it("has the answer with its citations, every page, the warnings and the facts", () => {
    const document = documentOf(summaryHtml(titled(richResult(), "The year")));
    expect(document.title).toBe("The year");
    expect(document.querySelector("article p")?.textContent).toBe(
      "The outer breakwater settled by 41 cm. (page 1) Divers counted 212 blocks. (pages 2, 3 and 7)",
    );
    expect(document.querySelector("article ul > li > ol > li")?.textContent).toBe("First inside.");
    expect(document.querySelector('article ol[start="3"] > li')?.textContent).toBe("Rebuild the northern arm.");
    expect(document.querySelector(".unsupported")?.textContent).toBe("(no page found that supports this)");
    expect([...document.querySelectorAll("h1, h2")].map((heading) => heading.textContent)).toEqual([
      "The year",
      "What was found",
      "What was read",
      "Warnings",
      "How it was made",
    ]);
    const rows = [...document.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent));
    expect(rows).toContainEqual(["page 3", "recognised, confidence 91 %"]);
    expect(rows).toContainEqual(["KV cache at its peak", "33.5 MiB"]);
  });

  it("has what was asked about the document, under headings in order", () => {
    const document = documentOf(summaryHtml(summaryResult(), { answers: richAnswers() }));
    const section = document.querySelector("article section");
    expect([...(section?.children ?? [])].map(({ tagName, textContent }) => [tagName, textContent])).toEqual([
      ["H2", "Questions and answers"],
      ["H3", "How far did it <b>settle</b> | sink?"],
      ["H4", "In short"],
      ["P", "It settled by 41 cm. (page 1)"],
      ["P", "The document was read for this question."],
      ["H3", "Who pays?"],
      ["P", "That is left open."],
      ["P", expect.stringMatching(/^The document was not read again/)],
    ]);
  });

  it("draws what each layer kept", () => {
    const { kv } = summaryResult();
    const layers = [100, 50, 200].map((tokens, layer) => ({ layer, tokens, bytes: 1 }));
    const document = documentOf(summaryHtml(summaryResult({ kv: { ...kv, layers } })));
    const bars = [...document.querySelectorAll("svg rect")].map((bar) => bar.getAttribute("height"));
    expect(bars).toEqual(["50.00", "25.00", "100.00"]);
  });

  it("keeps headings in order, however deep the answer's own begin", () => {
    const document = documentOf(summaryHtml(summaryResult({ text: "#### Deep\n\n###### Deeper" })));
    expect([...document.querySelectorAll("article > *")].map(({ tagName }) => tagName)).toEqual(["H2", "H4"]);
  });

  it("loads nothing and runs nothing, whatever stands in the document, the answer and the names", () => {
    const pieces = fc.array(
      fc.constantFrom(
        ...[
          "<script>",
          "</style>",
          "</title>",
          "<img src=x onerror=x>",
          "<!--",
          "-->",
          "]]>",
          '"',
          "'",
          "&lt;",
          "\u0000",
        ],
        ...[
          "[a](javascript:x)",
          "![a](http://e.org/x)",
          "<http://e.org>",
          "\n\n",
          "```\n",
          "> ",
          "- ",
          "word",
          "\ud800",
        ],
      ),
      { maxLength: 12 },
    );
    const hostile = pieces.map((all) => all.join(""));
    fc.assert(
      fc.property(hostile, hostile, hostile, (text, name, warning) => {
        const result = summaryResult({ text, warnings: [warning], policy: name });
        const html = summaryHtml({ ...result, document: { ...result.document, path: `/x/${name}`, title: name } });
        const document = documentOf(html);
        const tags = new Set([...document.querySelectorAll("*")].map(({ localName }) => localName));
        for (const tag of ["script", "img", "a", "iframe", "link", "object", "base"]) expect(tags).not.toContain(tag);
        for (const element of document.querySelectorAll("*")) {
          for (const { name: attribute } of element.attributes) expect(attribute).not.toMatch(/^on|^src$|^href$/);
        }
        expect(document.querySelectorAll("style")).toHaveLength(1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(html).not.toMatch(/[\u0000-\u0008]|\p{Surrogate}/u);
      }),
    );
  });

  it("shows every character of a plain answer", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "<", ">", "&", '"', "'", "é", "港", "😀"), minLength: 1 });
    fc.assert(
      fc.property(text, (words) => {
        const code = `\`\`\`\n${words}\n\`\`\``;
        const html = proseHtml(reportOf(summaryResult({ text: code })));
        expect(documentOf(html).querySelector("code")?.textContent).toBe(words);
      }),
    );
  });
});

it("puts a citation where its stretch ends, though escapes and entities are longer than what they show", () => {
  const text = "A \\* b &amp; c. Next \\& last.";
  const cited = citations(text, [
    ["A \\* b &amp; c.", [1]],
    ["Next \\& last.", [2]],
  ]);
  const { document } = summaryResult();
  const slides = { ...document, coverage: { ...document.coverage, unit: "slide" as const } };
  const report = reportOf(summaryResult({ text, citations: cited, document: slides }));
  expect(documentOf(proseHtml(report)).querySelector("p")?.textContent).toBe(
    "A * b & c. (slide 1) Next & last. (slide 2)",
  );
});

it("names the document of every claim and page when there are several, and says what the cited pages say", () => {
  const text = "It settled. It was paid.";
  const { document } = summaryResult();
  const [settled, paid] = citations(text, [
    ["It settled.", [2]],
    ["It was paid.", [7]],
  ]);
  const result = summaryResult({
    text,
    citations: [
      { ...settled!, passages: ["The wall settled by 41 cm."] },
      { ...paid!, passages: ["Paid in full."], document: 1 },
    ],
    furtherDocuments: [{ ...document, path: "/x/minutes.pdf", warnings: ["Page 9 is blank."] }],
    parts: [0, 0, 1].map((document, index) => ({ document, pages: { first: 1, last: 2 + index }, tokens: 10 })),
  });
  const html = documentOf(summaryHtml(result));
  expect(html.querySelector("article p")?.textContent).toBe(
    "It settled. (a|b `draft`.pdf, page 2) It was paid. (minutes.pdf, page 7)",
  );
  const rows = [...html.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent));
  expect(rows).toContainEqual(["a|b `draft`.pdf, page 2", "The wall settled by 41 cm."]);
  expect(rows).toContainEqual(["minutes.pdf, page 7", "Paid in full."]);
  expect(rows).toContainEqual(["minutes.pdf, page 4", "no text"]);
  expect(rows).toContainEqual([
    "Read in",
    "3 parts: a|b `draft`.pdf, pages 1 and 2; a|b `draft`.pdf, pages 1 to 3; minutes.pdf, pages 1 to 4",
  ]);
  expect(html.querySelector(".warnings")?.textContent).toContain("Page 9 is blank.");
  expect(html.querySelector("h1")?.textContent).toBe("a|b `draft`, and 1 more");
  expect(html.querySelector("header p")?.textContent).toContain("2 documents: a|b `draft`.pdf and minutes.pdf");
});

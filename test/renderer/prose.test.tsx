import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Prose } from "../../renderer/components/Prose.js";
import type { Unit } from "../../renderer/view/format.js";

const text = "It **settled**. The mayor sang.\n\n- Blocks *moved.*\n\n<b>x</b> [y](https://example.org/)";
const sentence = (words: string, pages: number[], passages = pages.map((page) => `said on ${page}`)) => {
  const start = text.indexOf(words);
  return { start, end: start + words.length, pages, passages };
};
const citations = [
  sentence("It **settled**.", [3, 1200]),
  sentence("The mayor sang.", []),
  sentence("Blocks *moved.*", [7]),
];
const document = (path: string, unit: Unit = "page") => ({
  path,
  pages: 9,
  tokens: 900,
  pagesRead: [],
  coverage: { unit, text: [], ocr: [], empty: [], failed: [] },
  warnings: [],
});
const result = { citations, document: document("/a/harbour.pdf"), furtherDocuments: [] };
const shown = (markup: string) => markup.replace(/<[^>]+>/g, "|").replace(/\|+/g, "|");

describe("an answer in the window", () => {
  it("has a chip with the page's name behind each sentence, described by what the page says", () => {
    const markup = renderToStaticMarkup(
      <Prose text={text} result={{ ...result, document: document("/a/talk.pptx", "slide") }} />,
    );
    expect(shown(markup)).toContain("It |settled|.|slide\u00a03|Slide 3| said on 3|slide\u00a01,200|");
    expect(markup).toMatch(/<button[^>]*aria-describedby="([^"]+)"[^>]*>slide\u00a07<.*id="\1"[^>]*><strong>Slide 7</);
    expect(markup.indexOf("slide\u00a07")).toBeLessThan(markup.indexOf("</li>"));
  });

  it("keeps a chip on the line of the last word, and no more than that", () => {
    const tied = (words: string) => {
      const citation = { start: 0, end: words.length, pages: [3], passages: [""] };
      const markup = renderToStaticMarkup(<Prose text={words} result={{ ...result, citations: [citation] }} />);
      return /<span class="tied"><span>(.*?)<\/span><button/.exec(markup)?.[1];
    };
    expect(tied("The wall settled by 41 cm.")).toBe("cm.");
    expect(tied("岸壁は四十一センチ沈下した。")).toBe("。");
  });

  it("names the document of each page when there are several", () => {
    const from = citations.map((citation, index) => ({ ...citation, document: index === 2 ? 1 : undefined }));
    const several = { ...result, citations: from, furtherDocuments: [document("/a/minutes.docx", "section")] };
    const markup = renderToStaticMarkup(<Prose text={text} result={several} />);
    expect(markup).toContain('aria-label="p.\u00a03, harbour.pdf"');
    expect(markup).toContain('aria-label="sec.\u00a07, minutes.docx"');
  });

  it("says in words that a sentence has no support, and marks that sentence alone", () => {
    const markup = renderToStaticMarkup(<Prose text={text} result={result} />);
    const marked = [...markup.matchAll(/<span class="unsupported">(.*?)<\/span>/g)].map(([, words]) => words);
    expect(marked.join("")).toBe("The mayor sang.");
    expect(markup).toContain("(No page was found that supports this sentence.)");
  });

  it("leads nowhere, and shows HTML as the characters that it is", () => {
    const markup = renderToStaticMarkup(<Prose text={text} />);
    expect(markup).not.toMatch(/<a\b/);
    expect(markup).toContain("&lt;b&gt;x&lt;/b&gt; y");
    expect(markup).not.toContain("<button");
  });
});

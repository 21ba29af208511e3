import { describe, expect, it } from "vitest";
import type { SourceDocument } from "../../core/documents/document.js";
import { openDocument } from "../../core/documents/open.js";
import { temporaryFolder } from "./folder.js";
import { docxParts, epubParts, odtParts, type Parts, pptxParts, shape, wordParagraph, zipOf } from "./zips.js";

const write = temporaryFolder();
/** The file's name says nothing about what it is. */
const open = async (content: string | Uint8Array) => openDocument(await write("document.bin", content));
const openZip = async (parts: Parts) => open(await zipOf(parts));
const read = ({ pages }: SourceDocument) => pages.map(({ label, text }) => [label, text]);

describe("DOCX", () => {
  const table = (rows: readonly (readonly string[])[]) =>
    `<w:tbl>${rows.map((row) => `<w:tr>${row.map((cell) => `<w:tc>${wordParagraph(cell)}</w:tc>`).join("")}</w:tr>`).join("")}</w:tbl>`;

  it("is read in sections by its headings, with tables, notes and without deleted text", async () => {
    const noted = '<w:p><w:r><w:t>Silt was removed</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>';
    const changed =
      '<w:p><w:del w:id="1"><w:r><w:delText>Ten</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>Twelve</w:t></w:r></w:ins><w:r><w:t xml:space="preserve"> boats came.</w:t></w:r></w:p>';
    const body =
      wordParagraph("Dredging", "Title") +
      noted +
      wordParagraph("Costs &amp; income", "Heading1") +
      table([
        ["Timber", "418"],
        ["Grain", "287"],
      ]) +
      changed;
    const document = await openZip(docxParts(body));
    expect(document).toMatchObject({ kind: "docx", unit: "section", title: "The dredging", warnings: [] });
    expect(read(document)).toEqual([
      ["Dredging", "Dredging\n\nSilt was removed[1]"],
      ["Costs & income", expect.stringContaining("Costs & income\n\nTimber  418\nGrain  287\n\nTwelve boats came.")],
    ]);
    expect(document.pages.at(-1)?.text).toContain("Measured in May.");
  });

  it("of nothing but pictures is refused with a way to have them read", async () => {
    await expect(openZip(docxParts("<w:p/>", { "word/media/scan.png": "pixels" }))).rejects.toMatchObject({
      code: "no-text-layer",
      next: expect.stringContaining("export it as PDF"),
    });
  });

  it("without its main part is refused with the reason", async () => {
    const { "word/document.xml": _, ...parts } = docxParts("");
    await expect(openZip(parts)).rejects.toMatchObject({
      code: "file-damaged",
      message: expect.stringContaining("Word document"),
      next: expect.stringContaining("PDF"),
    });
  });
});

describe("ODT", () => {
  it("is read in sections, with lists, tables, notes where they stand, and without comments", async () => {
    const body =
      '<text:tracked-changes><text:p>Gone.</text:p></text:tracked-changes><text:h text:outline-level="1">The quay</text:h>' +
      '<text:p>It is<text:s text:c="900000000"/>old<text:note><text:note-citation>1</text:note-citation><text:note-body>' +
      "<text:p>Built in 1820.</text:p></text:note-body></text:note>.<office:annotation><text:p>Sure?</text:p></office:annotation></text:p>" +
      "<text:list><text:list-item><text:p>stone</text:p></text:list-item><text:list-item><text:p>oak</text:p></text:list-item></text:list>" +
      '<table:table><table:table-row table:number-rows-repeated="1000000"><table:table-cell><text:p>Length</text:p></table:table-cell>' +
      '<table:table-cell table:number-columns-repeated="16384"><text:p>90 m</text:p></table:table-cell></table:table-row>' +
      "<table:table-row><table:table-cell><text:p>Depth</text:p></table:table-cell><table:table-cell><text:p>7 m</text:p></table:table-cell></table:table-row></table:table>";
    const document = await openZip(odtParts(body));
    expect(document).toMatchObject({ kind: "odt", unit: "section", title: "The quay", warnings: [] });
    expect(read(document)).toEqual([
      ["The quay", "The quay\n\nIt is old (Built in 1820.).\n\n- stone\n- oak\n\nLength  90 m\nDepth  7 m"],
    ]);
  });

  it("with a password is refused", async () => {
    const manifest = "<manifest:manifest><manifest:encryption-data/></manifest:manifest>";
    await expect(openZip(odtParts("", { "META-INF/manifest.xml": manifest }))).rejects.toMatchObject({
      code: "file-encrypted",
      message: expect.stringContaining("password"),
    });
  });
});

describe("PPTX", () => {
  it("is read slide by slide in the order of the presentation, with notes, tables and hidden slides", async () => {
    const cell = (text: string) => `<a:tc><a:txBody><a:p><a:r><a:t>${text}</a:t></a:r></a:p></a:txBody></a:tc>`;
    const table = `<p:graphicFrame><a:tbl><a:tr>${cell("Timber")}${cell("418")}</a:tr><a:tr>${cell("Grain")}${cell("287")}</a:tr></a:tbl></p:graphicFrame>`;
    const document = await openZip(
      pptxParts([
        {
          shapes: shape("Harbour plans", "ctrTitle") + shape("Deeper\nand wider") + shape("1", "sldNum"),
          notes: "Say hello.",
        },
        { shapes: shape("Cargo", "title") + table, hidden: true },
        { shapes: "<p:pic/>" },
      ]),
    );
    expect(document).toMatchObject({ kind: "pptx", unit: "slide", title: "Harbour plans" });
    expect(read(document)).toEqual([
      ["Harbour plans", "Harbour plans\n\nDeeper\n\nand wider\n\nNotes: Say hello."],
      ["Cargo", "Cargo\n\nTimber  418\nGrain  287"],
      [undefined, ""],
    ]);
    expect(document.warnings).toEqual([
      expect.stringContaining("Hidden in the presentation, but read: slide 2"),
      expect.stringContaining("No text on slide 3"),
    ]);
  });

  it("names a slide whose part is missing and reads the others", async () => {
    const { "ppt/slides/slide1.xml": _, ...parts } = pptxParts([{ shapes: shape("One") }, { shapes: shape("Two") }]);
    const document = await openZip(parts);
    expect(read(document)).toEqual([
      [undefined, "One"],
      [undefined, ""],
    ]);
    expect(document.warnings).toEqual([expect.stringMatching(/^Not read: slide 2, because .*missing/)]);
  });
});

describe("EPUB", () => {
  const chapters = [
    ["zwei.xhtml", "<h1>The tide</h1><p>It turned at&nbsp;four &mdash; early.</p>"],
    ["a b.xhtml", "<p>And <i>again</i> at noon.</p><p hidden=''>Nobody sees this.</p>"],
  ] as const;

  it("is read chapter by chapter in the order of its spine, named by its contents", async () => {
    const document = await openZip(epubParts(chapters));
    expect(document).toMatchObject({ kind: "epub", unit: "chapter", title: "Tides & Quays", warnings: [] });
    expect(read(document)).toEqual([
      ["Part 1", "The tide\n\nIt turned at four — early."],
      ["Part 2", "And again at noon."],
    ]);
  });

  it("with protected chapters is refused; with obfuscated fonts only it is read", async () => {
    const locked = (part: string) => ({
      "META-INF/encryption.xml": `<encryption><EncryptedData><CipherData><CipherReference URI="${part}"/></CipherData></EncryptedData></encryption>`,
    });
    await expect(openZip(epubParts(chapters, locked("OEBPS/text/zwei.xhtml")))).rejects.toMatchObject({
      code: "file-encrypted",
      message: expect.stringContaining("DRM"),
    });
    expect((await openZip(epubParts(chapters, locked("OEBPS/fonts/a.otf")))).pages).toHaveLength(2);
  });

  it("names a chapter that is missing and reads the others", async () => {
    const { "OEBPS/text/zwei.xhtml": _, ...parts } = epubParts(chapters);
    const document = await openZip(parts);
    expect(document.warnings).toEqual([expect.stringMatching(/^Not read: chapter 1, because .*missing/)]);
    expect(document.pages[1]?.text).toBe("And again at noon.");
  });
});

describe("HTML", () => {
  const story = Array.from(
    { length: 12 },
    (_, n) => `<p>Paragraph ${n}: the harbour was deepened, and the fleet, which had waited, went out.</p>`,
  );

  it("is read as its article, and says how much stood around it", async () => {
    const document = await open(
      `<!DOCTYPE html><html><head><title>The harbour</title></head><body><nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop</a></li></ul></nav>
      <article><h1>Deeper again</h1>${story.join("\n")}</article><footer>All rights reserved</footer></body></html>`,
    );
    expect(document).toMatchObject({ kind: "html", unit: "section", title: "The harbour" });
    const text = document.pages.map((page) => page.text).join("\n\n");
    expect(text).toMatch(/^Deeper again\n\nParagraph 0: the harbour/);
    expect(text).toContain("Paragraph 11:");
    expect(text).not.toContain("Shop");
    expect(document.warnings).toEqual([expect.stringMatching(/Only the article was read: \d+ words/)]);
  });

  it("without an article is read whole, without a warning", async () => {
    const document = await open(
      "<html><body><h2>Opening times</h2><ul><li>Monday: nine<ol><li>to five</ol><li>Sunday: never</ul>",
    );
    expect(read(document)).toEqual([
      ["Opening times", "Opening times\n\n- Monday: nine\n  1. to five\n- Sunday: never"],
    ]);
    expect(document.warnings).toEqual([]);
  });

  it("is read in the encoding that it declares", async () => {
    const html = '<html><head><meta charset="iso-8859-1"></head><body><p>Gr\xf6\xdfe</p></body></html>';
    expect((await open(Buffer.from(html, "latin1"))).pages[0]?.text).toBe("Größe");
  });

  it("keeps rows of tables and preformatted text", async () => {
    const document = await open(
      "<html><body><table><tr><th>Timber</th><td><p>418</p></td></tr><tr><th>Grain<td>287</tr></table><pre>  a\n    b</pre>",
    );
    expect(document.pages[0]?.text).toBe("Timber  418\nGrain  287\n\n  a\n    b");
  });
});

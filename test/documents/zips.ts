/** Writers of small zipped documents (DOCX, PPTX, ODT, EPUB), sound and unsound, part by part. */
import JSZip from "jszip";

export type Parts = Readonly<Record<string, string | Uint8Array>>;

export function zipOf(parts: Parts): Promise<Buffer> {
  const zip = new JSZip();
  for (const [name, content] of Object.entries(parts)) zip.file(name, content);
  return zip.generateAsync({ type: "nodebuffer", compression: "DEFLATE" });
}

const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
const R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships";

function rels(entries: readonly (readonly [id: string, type: string, target: string])[]): string {
  const all = entries.map(([id, type, target]) => `<Relationship Id="${id}" Type="${R}/${type}" Target="${target}"/>`);
  return `${XML}<Relationships xmlns="${RELATIONSHIPS}">${all.join("")}</Relationships>`;
}

function core(title: string): string {
  return (
    `${XML}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
    `xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${title}</dc:title></cp:coreProperties>`
  );
}

/** Parts of a DOCX with the given children of its body. */
export function docxParts(body: string, more: Parts = {}): Parts {
  return {
    "[Content_Types].xml":
      `${XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
      '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
      '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": rels([["rId1", "officeDocument", "word/document.xml"]]),
    "word/_rels/document.xml.rels": rels([
      ["s", "styles", "styles.xml"],
      ["f", "footnotes", "footnotes.xml"],
    ]),
    "word/styles.xml":
      `${XML}<w:styles xmlns:w="${W}"><w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>` +
      '<w:style w:type="paragraph" w:styleId="Title"><w:name w:val="Title"/></w:style></w:styles>',
    "word/footnotes.xml": `${XML}<w:footnotes xmlns:w="${W}"><w:footnote w:id="2"><w:p><w:r><w:t>Measured in May.</w:t></w:r></w:p></w:footnote></w:footnotes>`,
    "word/document.xml": `${XML}<w:document xmlns:w="${W}"><w:body>${body}</w:body></w:document>`,
    "docProps/core.xml": core("The dredging"),
    ...more,
  };
}

export function wordParagraph(text: string, style?: string): string {
  return `<w:p>${style ? `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>` : ""}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

const ODF = [
  ["office", "office"],
  ["text", "text"],
  ["table", "table"],
]
  .map(([prefix, name]) => `xmlns:${prefix}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`)
  .join(" ");

export function odtParts(body: string, more: Parts = {}): Parts {
  return {
    mimetype: "application/vnd.oasis.opendocument.text",
    "content.xml": `${XML}<office:document-content ${ODF}><office:body><office:text>${body}</office:text></office:body></office:document-content>`,
    "meta.xml": `${XML}<office:document-meta ${ODF} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta><dc:title>The quay</dc:title></office:meta></office:document-meta>`,
    ...more,
  };
}

const P = "http://schemas.openxmlformats.org/presentationml/2006/main";
const A = "http://schemas.openxmlformats.org/drawingml/2006/main";

/** A shape with one paragraph a line; `placeholder` is its type, as "title". */
export function shape(text: string, placeholder?: string): string {
  const kind = placeholder ? `<p:nvPr><p:ph type="${placeholder}"/></p:nvPr>` : "<p:nvPr/>";
  const lines = text.split("\n").map((line) => `<a:p><a:r><a:t>${line}</a:t></a:r></a:p>`);
  return `<p:sp><p:nvSpPr>${kind}</p:nvSpPr><p:txBody>${lines.join("")}</p:txBody></p:sp>`;
}

export interface Slide {
  readonly shapes: string;
  readonly notes?: string;
  readonly hidden?: boolean;
}

/** Slides in their order; their files are numbered the other way round, as after much editing. */
export function pptxParts(slides: readonly Slide[], more: Parts = {}): Parts {
  const file = (index: number) => slides.length - index;
  const parts: Record<string, string> = {
    "_rels/.rels": rels([["rId1", "officeDocument", "ppt/presentation.xml"]]),
    "ppt/presentation.xml": `${XML}<p:presentation xmlns:p="${P}" xmlns:r="${R}"><p:sldIdLst>${slides
      .map((_, index) => `<p:sldId id="${256 + index}" r:id="r${index}"/>`)
      .join("")}</p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": rels(
      slides.map((_, index) => [`r${index}`, "slide", `slides/slide${file(index)}.xml`] as const),
    ),
    "docProps/core.xml": core("Harbour plans"),
  };
  slides.forEach(({ shapes, notes, hidden }, index) => {
    const show = hidden ? ' show="0"' : "";
    const tree = (content: string) => `<p:cSld><p:spTree>${content}</p:spTree></p:cSld>`;
    parts[`ppt/slides/slide${file(index)}.xml`] =
      `${XML}<p:sld xmlns:p="${P}" xmlns:a="${A}"${show}>${tree(shapes)}</p:sld>`;
    if (notes === undefined) return;
    parts[`ppt/slides/_rels/slide${file(index)}.xml.rels`] = rels([
      ["n", "notesSlide", `../notesSlides/n${index}.xml`],
    ]);
    parts[`ppt/notesSlides/n${index}.xml`] = `${XML}<p:notes xmlns:p="${P}" xmlns:a="${A}">${tree(
      shape("7", "sldNum") + shape(notes, "body"),
    )}</p:notes>`;
  });
  return { ...parts, ...more };
}

/** Chapters as [file, XHTML body], in the order of the spine, which is not the order of the manifest. */
export function epubParts(chapters: readonly (readonly [file: string, body: string])[], more: Parts = {}): Parts {
  const items = chapters.map(
    ([file], index) => `<item id="c${index}" href="text/${file}" media-type="application/xhtml+xml"/>`,
  );
  const parts: Record<string, string> = {
    mimetype: "application/epub+zip",
    "META-INF/container.xml": `${XML}<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>`,
    "OEBPS/book.opf": `${XML}<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Tides &amp; Quays</dc:title></metadata><manifest>${items
      .reverse()
      .join(
        "",
      )}<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest><spine>${chapters
      .map((_, index) => `<itemref idref="c${index}"/>`)
      .join("")}</spine></package>`,
    "OEBPS/nav.xhtml": `<html><body><nav><ol>${chapters
      .map(([file], index) => `<li><a href="text/${encodeURIComponent(file)}">Part <b>${index + 1}</b></a></li>`)
      .join("")}</ol></nav></body></html>`,
  };
  for (const [file, body] of chapters) {
    parts[`OEBPS/text/${file}`] =
      `${XML}<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/></head><body>${body}</body></html>`;
  }
  return { ...parts, ...more };
}

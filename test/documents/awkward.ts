/** Awkward PDFs of our own making, written object by object where pdfkit is too well-behaved. */
import { drawnPdf, rawPdf } from "./pdfs.js";

export const stream = (content: string, dictionary = "") =>
  `<< ${dictionary} /Length ${content.length} >>\nstream\n${content}\nendstream`;

export const HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";

export interface RawPage {
  readonly content: string;
  /** More entries of the page's dictionary, as "/Rotate 90". */
  readonly entries?: string;
}

export interface RawOptions {
  /** Entries of the catalogue. */
  readonly catalogue?: string;
  /** The font /F, and further objects, numbered from `firstFree`. */
  readonly font?: string;
  readonly objects?: readonly string[];
}

/** Object number of the first of RawOptions.objects. */
export const firstFree = (pages: number) => 4 + 2 * pages;

/** A PDF of A4 pages with one font /F; object 3 is the font, pages are 4, 6, 8, … */
export function pagesPdf(
  pages: readonly RawPage[],
  { catalogue = "", font = HELVETICA, objects = [] }: RawOptions = {},
): Buffer {
  const kids = pages.map((_, index) => `${4 + 2 * index} 0 R`).join(" ");
  return rawPdf([
    `<< /Type /Catalog /Pages 2 0 R ${catalogue} >>`,
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    font,
    ...pages.flatMap(({ content, entries = "" }, index) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${5 + 2 * index} 0 R ` +
        `/Resources << /Font << /F 3 0 R >> >> ${entries} >>`,
      stream(content),
    ]),
    ...objects,
  ]);
}

/** Text at a place: x and y from the lower left, in points. */
export function at(x: number, y: number, text: string, size = 11): string {
  return `BT /F ${size} Tf ${x} ${y} Td (${text}) Tj ET\n`;
}

/** Text whose lines run upwards, as on a page that is shown turned by 90 degrees clockwise. */
export function upwards(x: number, y: number, text: string): string {
  return `BT /F 11 Tf 0 1 -1 0 ${x} ${y} Tm (${text}) Tj ET\n`;
}

const hex = (text: string) =>
  [...text].map((character) => character.charCodeAt(0).toString(16).padStart(4, "0")).join("");

/** A composite font whose codes are UTF-16 and whose ToUnicode map says so, with nothing embedded; glyphs are 600 wide. */
function compositeFont(encoding: string, descendant: string, toUnicode = ""): string {
  return (
    `<< /Type /Font /Subtype /Type0 /BaseFont /Made /Encoding ${encoding} ${toUnicode} /DescendantFonts [ ` +
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Made /DW 600 ${descendant} ` +
    "/FontDescriptor << /Type /FontDescriptor /FontName /Made /Flags 4 /FontBBox [0 -200 1000 800] /Ascent 800 /Descent -200 /CapHeight 700 /ItalicAngle 0 /StemV 80 >> >> ] >>"
  );
}

const IDENTITY_TO_UNICODE =
  "/CIDInit /ProcSet findresource begin begincmap /CMapName /Made def /CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange " +
  "1 beginbfrange <0000> <ffff> <0000> endbfrange endcmap end";

/** Lines of text in a font whose codes are UTF-16, at 12 points from (72, 760) downwards, each drawn as it is given. */
export function unicodePdf(lines: readonly string[]): Buffer {
  return unicodeContent(
    lines.map((line, index) => `BT /F 12 Tf 72 ${760 - 16 * index} Td <${hex(line)}> Tj ET`).join("\n"),
  );
}

/** Words drawn one by one along a line from right to left, each from left to right as it is seen. */
export function fromRightPdf(seen: readonly string[]): Buffer {
  let x = 400;
  const drawn = seen.map((word) => {
    x -= word.length * 7.2 + 4;
    return `BT /F 12 Tf ${x.toFixed(1)} 700 Td <${hex(word)}> Tj ET`;
  });
  return unicodeContent(drawn.join("\n"));
}

function unicodeContent(content: string): Buffer {
  return pagesPdf([{ content }], {
    font: compositeFont(
      "/Identity-H",
      "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
      `/ToUnicode ${firstFree(1)} 0 R`,
    ),
    objects: [stream(IDENTITY_TO_UNICODE)],
  });
}

/** Japanese in a predefined CMap of UTF-16 codes, with no font embedded: read through pdf.js' own character maps. */
export function predefinedCmapPdf(lines: readonly string[], vertical = false): Buffer {
  const content = lines
    .map(
      (line, index) =>
        `BT /F 12 Tf ${vertical ? `${500 - 20 * index} 760` : `72 ${760 - 16 * index}`} Td <${hex(line)}> Tj ET`,
    )
    .join("\n");
  const descendant = "/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 6 >>";
  return pagesPdf([{ content }], { font: compositeFont(vertical ? "/UniJIS-UTF16-V" : "/UniJIS-UTF16-H", descendant) });
}

/** Chinese in an embedded CMap: one-byte codes of our own, to CIDs of Adobe-GB1, and no ToUnicode map. */
export function embeddedCmapPdf(): { pdf: Buffer; text: string } {
  // CIDs of 港 and 中 in Adobe-GB1.
  const cmap =
    "/CIDInit /ProcSet findresource begin begincmap /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> def " +
    "/CMapName /Made def /CMapType 1 def 1 begincodespacerange <00> <ff> endcodespacerange " +
    "2 begincidchar <41> 1750 <42> 4559 endcidchar endcmap end";
  const pdf = pagesPdf([{ content: "BT /F 12 Tf 72 700 Td (AB) Tj ET" }], {
    font: compositeFont(`${firstFree(1)} 0 R`, "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >>"),
    objects: [
      stream(cmap, "/Type /CMap /CMapName /Made /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >>"),
    ],
  });
  return { pdf, text: "港中" };
}

const SENTENCES = [
  "The dredger worked through the night and the",
  "silt went out with the tide. In the morning the",
  "pilots measured the channel and found that the",
  "depth was as it had been promised in the spring.",
  "The council paid what it owed, and the vessel left",
  "for the north, where another harbour had waited.",
];
const OTHERS = [
  "Timber came in larger ships than in the year before,",
  "and the cranes at the old quay were too small for it.",
  "Two were replaced in June. The third stands still,",
  "because its rails are listed, and nobody may move",
  "them without leave. The museum hopes that it will",
  "stay, and the harbour master hopes that it will not.",
];

/** Two columns, drawn line by line across both; `row` is one line's worth of both. */
export function interleavedColumns(): { pdf: Buffer; text: string } {
  const rows = SENTENCES.map(
    (line, index) => at(60, 700 - 14 * index, line, 10) + at(320, 700 - 14 * index, OTHERS[index] ?? "", 10),
  );
  const content = `${at(60, 740, "A year of work in the harbour of Saltmere and at its quays, in two columns", 14)}${rows.join("")}${at(60, 590, "Both columns end above this line, which reaches over the whole width of the page.", 12)}`;
  return {
    pdf: pagesPdf([{ content }]),
    text: [
      "A year of work in the harbour of Saltmere and at its quays, in two columns",
      SENTENCES.join(" "),
      OTHERS.join(" "),
      "Both columns end above this line, which reaches over the whole width of the page.",
    ].join("\n\n"),
  };
}

/** A report with a running head that changes sides, a footer that counts pages, and a sum at the foot of each page. */
export function furnishedPdf(pages: number): Promise<Buffer> {
  return drawnPdf(
    Array.from({ length: pages }, (_, index) => (doc) => {
      doc.font("Times-Roman").fontSize(9);
      doc.text(index % 2 === 0 ? "Saltmere Harbour" : "Annual Review 2024", 72, 30, { lineBreak: false });
      doc.fontSize(12).text(`Text of part ${index + 1}, which says something else than the others.`, 72, 120);
      doc.text(`Carried over: ${(index + 1) * 137 + 41}`, 72, 780, { lineBreak: false });
      doc.fontSize(9).text(`Page ${index + 1} of ${pages}`, 280, 810, { lineBreak: false });
    }),
    { margin: 0 },
  );
}

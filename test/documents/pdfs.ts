/** Writers of small PDFs, sound and unsound, so that no binary file needs to be kept for the tests. */
import PDFDocument from "pdfkit";

type Draw = (doc: PDFKit.PDFDocument) => void;

/** A PDF with one page per function, drawn by pdfkit. */
export async function drawnPdf(pages: readonly Draw[], options: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  const doc = new PDFDocument({ autoFirstPage: false, size: "A4", ...options });
  const chunks: Buffer[] = [];
  doc.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => doc.on("end", resolve));
  for (const draw of pages) {
    doc.addPage();
    draw(doc);
  }
  doc.end();
  await ended;
  return Buffer.concat(chunks);
}

const WORDS = "tide harbour dredger of the timber quay a vessel in depth was and measured council silt under".split(
  " ",
);

/** Words at random, a full stop after every thirteenth: the same at every start (Park and Miller's generator). */
function randomWords(): (count: number) => string {
  let state = 1;
  const word = () => {
    state = (state * 48271) % 2147483647;
    return WORDS[state % WORDS.length];
  };
  return (count) => Array.from({ length: count }, (_, n) => (n % 13 === 12 ? `${word()}.` : word())).join(" ");
}

/** Pages of 450 words, no page like another. */
export function pagesOfWords(pages: number): Promise<Buffer> {
  const next = randomWords();
  return drawnPdf(
    Array.from({ length: pages }, () => (doc) => {
      doc.font("Times-Roman").fontSize(11).text(next(450), 72, 72, { width: 450 });
    }),
  );
}

/** Pages that are much to draw and little to read: a table of 400 cells and a caption of two words, each elsewhere. */
export function pagesOfTables(pages: number): Promise<Buffer> {
  const next = randomWords();
  return drawnPdf(
    Array.from({ length: pages }, (_, page) => (doc) => {
      for (let cell = 0; cell < 400; cell++) {
        const [x, y] = [72 + 22 * (cell % 20), 160 + 30 * Math.floor(cell / 20)];
        const shade = 160 + ((cell * 37 + page * 11) % 90);
        doc.rect(x, y, 20, 28).fillAndStroke([shade, shade, 230], "black");
      }
      doc.fillColor("black").font("Times-Roman").fontSize(12);
      doc.text(next(2), 72 + 30 * (page % 7), 130, { lineBreak: false });
    }),
  );
}

export const words =
  (text: string): Draw =>
  (doc) => {
    doc.font("Times-Roman").fontSize(12).text(text);
  };

/** A grey picture over the page, as a scanner leaves it. */
export const scan: Draw = (doc) => {
  doc.image(Buffer.from(ONE_PIXEL_PNG, "base64"), 0, 0, { width: 595, height: 842 });
};

/** Lines at given places: x from the left, y from the top, in points, 12 point Times. */
export const linesAt =
  (lines: readonly (readonly [x: number, y: number, text: string])[]): Draw =>
  (doc) => {
    doc.font("Times-Roman").fontSize(12);
    for (const [x, y, text] of lines) doc.text(text, x, y, { lineBreak: false });
  };

/** A PDF of the given objects (numbered from 1, the first is the catalogue) with a right cross-reference table. */
export function rawPdf(objects: readonly string[]): Buffer {
  let text = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = text.length;
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const size = objects.length + 1;
  const table = `xref\n0 ${size}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${size} /Root 1 0 R >>\n`;
  return Buffer.from(`${text}${table}startxref\n${text.length}\n%%EOF\n`, "latin1");
}

const ONE_PIXEL_PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";

export interface PictureOf {
  readonly width: number;
  readonly height: number;
  readonly colours: "/DeviceRGB" | "/DeviceGray";
  readonly bits: number;
  readonly data: Buffer;
  readonly filter?: string;
}

/** A PDF whose pages have Helvetica as /F and a picture as /I, without a cross-reference table: readers find the objects. */
export function binaryPdf(
  pages: readonly { readonly content: string; readonly picture: PictureOf | undefined }[],
): Buffer {
  const object = (number: number, body: string, data?: Buffer) =>
    data === undefined
      ? [Buffer.from(`${number} 0 obj\n${body}\nendobj\n`)]
      : [
          Buffer.from(`${number} 0 obj\n<< ${body} /Length ${data.length} >>\nstream\n`),
          data,
          Buffer.from("\nendstream\nendobj\n"),
        ];
  const kids = pages.map((_, index) => `${4 + 3 * index} 0 R`).join(" ");
  const parts = [
    Buffer.from("%PDF-1.4\n"),
    ...object(1, "<< /Type /Catalog /Pages 2 0 R >>"),
    ...object(2, `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`),
    ...object(3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"),
    ...pages.flatMap(({ content, picture }, index) => {
      const first = 4 + 3 * index;
      const images = picture ? `/XObject << /I ${first + 2} 0 R >>` : "";
      return [
        ...object(
          first,
          `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${first + 1} 0 R /Resources << /Font << /F 3 0 R >> ${images} >> >>`,
        ),
        ...object(first + 1, "", Buffer.from(content)),
        ...(picture
          ? object(
              first + 2,
              `/Type /XObject /Subtype /Image /Width ${picture.width} /Height ${picture.height} /ColorSpace ${picture.colours} ` +
                `/BitsPerComponent ${picture.bits} ${picture.filter ? `/Filter ${picture.filter}` : ""}`,
              picture.data,
            )
          : []),
      ];
    }),
    Buffer.from("trailer\n<< /Root 1 0 R >>\n%%EOF\n"),
  ];
  return Buffer.concat(parts);
}

import { said } from "../said.js";
import { decodeText, utf16ByZeros } from "./encoding.js";
import type { ZipArchive } from "./zip.js";

/** What a file is, told by its bytes and never by its name. */
export type Sniffed =
  | { readonly kind: "pdf" | "text" | "html" | "zip" }
  | { readonly kind: "other"; readonly what: string };

/** What a ZIP archive is; `what` are the words for it. */
export interface Zipped {
  readonly kind: "docx" | "pptx" | "odt" | "epub" | "other";
  readonly what: string;
}

/** First bytes of files that people drop by mistake, with the words for them. */
const SIGNATURES: readonly (readonly [offset: number, bytes: string, what: string])[] = [
  [0, "PK\x05\x06", said`an empty ZIP archive`],
  [0, "\x89PNG\r\n\x1a\n", said`a PNG picture`],
  [0, "\xff\xd8\xff", said`a JPEG picture`],
  [0, "GIF87a", said`a GIF picture`],
  [0, "GIF89a", said`a GIF picture`],
  [0, "II*\0", said`a TIFF picture`],
  [0, "MM\0*", said`a TIFF picture`],
  [8, "WEBP", said`a WebP picture`],
  [4, "ftypheic", said`a HEIC picture`],
  [4, "ftyp", said`a video or audio file`],
  [0, "AT&TFORM", said`a DjVu document`],
  [0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", said`an old Microsoft Office document (DOC, XLS or PPT)`],
  [0, "{\\rtf", said`an RTF document`],
  [0, "%!PS", said`a PostScript document`],
  [0, "\x1f\x8b", said`a gzip archive`],
  [0, "7z\xbc\xaf\x27\x1c", said`a 7-Zip archive`],
  [0, "Rar!", said`a RAR archive`],
  [0, "GGUF", said`a GGUF model`],
  [0, "\x7fELF", said`a program`],
  [0, "MZ", said`a Windows program`],
  [0, "ID3", said`an MP3 recording`],
  [0, "SQLite format 3\0", said`an SQLite database`],
];

/** What a ZIP archive holds, by a name or a media type that stands uncompressed in it. */
const ZIP_CONTENTS: readonly (readonly [mark: string, zipped: Zipped])[] = [
  ["application/epub+zip", { kind: "epub", what: said`EPUB book` }],
  ["META-INF/container.xml", { kind: "epub", what: said`EPUB book` }],
  ["application/vnd.oasis.opendocument.text", { kind: "odt", what: said`OpenDocument text (ODT)` }],
  ["application/vnd.oasis.opendocument.spreadsheet", { kind: "other", what: said`an OpenDocument spreadsheet (ODS)` }],
  [
    "application/vnd.oasis.opendocument.presentation",
    { kind: "other", what: said`an OpenDocument presentation (ODP)` },
  ],
  ["word/", { kind: "docx", what: said`Word document (DOCX)` }],
  ["ppt/", { kind: "pptx", what: said`PowerPoint presentation (PPTX)` }],
  ["xl/", { kind: "other", what: said`an Excel workbook (XLSX)` }],
];
const SOME_ZIP: Zipped = { kind: "other", what: said`a ZIP archive` };

/** Tags that an HTML page begins with (WHATWG MIME Sniffing, 7.1). */
const HTML_START =
  /^(?:\s|<!--[\s\S]*?-->|<\?xml[^>]*>)*<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>]/i;

/** A PDF may have other bytes before its header (PDF 1.7, Annex H, implementation note 13). */
const PDF_HEADER_WITHIN = 1024;

/** Share of control characters above which bytes without zeros are no text either. */
const CONTROL_SHARE = 0.01;

export function sniff(bytes: Uint8Array): Sniffed {
  const start = latin1(bytes.subarray(0, PDF_HEADER_WITHIN));
  const header = start.indexOf("%PDF-");
  // A text that only mentions the header has neither it in front nor a PDF's end.
  if (header >= 0 && (/^\W*$/.test(start.slice(0, header)) || latin1(bytes.subarray(-2048)).includes("startxref"))) {
    return { kind: "pdf" };
  }
  if (start.startsWith("PK\x03\x04")) return { kind: "zip" };
  const signature = SIGNATURES.find(([offset, magic]) => start.startsWith(magic, offset));
  // "MZ", "ID3" and their like may also begin a text: the rest of the bytes decides.
  if (signature !== undefined && (signature[1].length > 4 || looksBinary(bytes))) {
    return { kind: "other", what: signature[2] };
  }
  if (!hasUtf16Mark(bytes) && utf16ByZeros(bytes) === undefined) {
    if (looksBinary(bytes)) return { kind: "other", what: said`a binary file of an unknown kind` };
    if (HTML_START.test(start.replace(/^\xef\xbb\xbf/, ""))) return { kind: "html" };
  } else if (HTML_START.test(decodeText(bytes.subarray(0, PDF_HEADER_WITHIN)).text)) {
    return { kind: "html" };
  }
  return { kind: "text" };
}

/** Whether the bytes begin with the byte-order mark of UTF-16, which makes zeros normal. */
function hasUtf16Mark(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

function looksBinary(bytes: Uint8Array): boolean {
  let controls = 0;
  for (const byte of bytes) {
    if (byte === 0) return true;
    // Tab, line feed, vertical tab, form feed, carriage return and escape (terminal colours) occur in texts.
    if (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b) controls++;
  }
  return controls > bytes.length * CONTROL_SHARE;
}

/** What an archive is by its parts' names and its "mimetype" (OPF and ODF demand it). */
export async function sniffZip(zip: ZipArchive): Promise<Zipped> {
  const type = zip.has("mimetype") ? (await zip.readText("mimetype")).trim() : "";
  return (
    ZIP_CONTENTS.find(([mark]) => type.startsWith(mark) || zip.names.some((name) => name.startsWith(mark)))?.[1] ??
    SOME_ZIP
  );
}

/** What an archive was before it was damaged, by what still stands in its bytes. */
export function sniffBrokenZip(bytes: Uint8Array): Zipped {
  const sample = latin1(bytes.subarray(0, 8192)) + latin1(bytes.subarray(-8192));
  return ZIP_CONTENTS.find(([mark]) => sample.includes(mark))?.[1] ?? SOME_ZIP;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

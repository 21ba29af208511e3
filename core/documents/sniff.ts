/** What a file is, told by its bytes and never by its name. */
export type Sniffed = { readonly kind: "pdf" | "text" } | { readonly kind: "other"; readonly what: string };

/** First bytes of files that people drop by mistake, with the words for them. */
const SIGNATURES: readonly (readonly [offset: number, bytes: string, what: string])[] = [
  [0, "PK\x03\x04", "a ZIP archive"],
  [0, "PK\x05\x06", "an empty ZIP archive"],
  [0, "\x89PNG\r\n\x1a\n", "a PNG picture"],
  [0, "\xff\xd8\xff", "a JPEG picture"],
  [0, "GIF87a", "a GIF picture"],
  [0, "GIF89a", "a GIF picture"],
  [0, "II*\0", "a TIFF picture"],
  [0, "MM\0*", "a TIFF picture"],
  [8, "WEBP", "a WebP picture"],
  [4, "ftypheic", "a HEIC picture"],
  [4, "ftyp", "a video or audio file"],
  [0, "AT&TFORM", "a DjVu document"],
  [0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office document (DOC, XLS or PPT)"],
  [0, "{\\rtf", "an RTF document"],
  [0, "%!PS", "a PostScript document"],
  [0, "\x1f\x8b", "a gzip archive"],
  [0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive"],
  [0, "Rar!", "a RAR archive"],
  [0, "GGUF", "a GGUF model"],
  [0, "\x7fELF", "a program"],
  [0, "MZ", "a Windows program"],
  [0, "ID3", "an MP3 recording"],
  [0, "SQLite format 3\0", "an SQLite database"],
];

/** Names inside a ZIP archive that say which document it is; they stand uncompressed in its entries. */
const ZIP_CONTENTS: readonly (readonly [entry: string, what: string])[] = [
  ["word/", "a Word document (DOCX)"],
  ["xl/", "an Excel workbook (XLSX)"],
  ["ppt/", "a PowerPoint presentation (PPTX)"],
  ["application/vnd.oasis.opendocument.text", "an OpenDocument text (ODT)"],
  ["application/epub+zip", "an EPUB book"],
];

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
  const signature = SIGNATURES.find(([offset, magic]) => start.startsWith(magic, offset));
  // "MZ", "ID3" and their like may also begin a text: the rest of the bytes decides.
  if (signature !== undefined && (signature[1].length > 4 || looksBinary(bytes))) {
    return { kind: "other", what: signature[2] === "a ZIP archive" ? zipContent(bytes) : signature[2] };
  }
  if (hasUtf16Mark(bytes)) return { kind: "text" };
  return looksBinary(bytes) ? { kind: "other", what: "a binary file of an unknown kind" } : { kind: "text" };
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

function zipContent(bytes: Uint8Array): string {
  const sample = latin1(bytes.subarray(0, 8192)) + latin1(bytes.subarray(-8192));
  return ZIP_CONTENTS.find(([entry]) => sample.includes(entry))?.[1] ?? "a ZIP archive";
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

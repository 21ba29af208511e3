import { basename, extname } from "node:path";
import type { DocumentPage, SourceDocument } from "./document.js";

/** Windows-1252 where it differs from Latin-1: bytes 0x80 to 0x9f (WHATWG Encoding, index windows-1252). */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** Reads plain text: one page per form feed, line ends as "\n", otherwise as it is. */
export function readText(path: string, bytes: Uint8Array): SourceDocument {
  const { text, warnings } = decodeText(bytes);
  const pages: DocumentPage[] = text.split("\f").map((page, index) => ({
    number: index + 1,
    text: page.trim() === "" ? "" : page,
  }));
  return { path, title: fileTitle(path), kind: "text", pages, warnings };
}

/** UTF-8 or UTF-16 by the bytes; what is neither is read as Windows-1252, with a warning. Line ends become "\n". */
export function decodeText(bytes: Uint8Array): { text: string; warnings: string[] } {
  const { text, warnings } = decode(bytes);
  return { text: text.replace(/\r\n?/g, "\n"), warnings };
}

function decode(bytes: Uint8Array): { text: string; warnings: string[] } {
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
  try {
    return { text: new TextDecoder(mark, { fatal: true }).decode(bytes), warnings: [] };
  } catch {
    if (mark !== "utf-8") {
      const warning = "The file's UTF-16 text is broken in places; the broken characters were replaced.";
      return { text: new TextDecoder(mark).decode(bytes), warnings: [warning] };
    }
    const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
    const text = latin1.replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80] as string);
    return {
      text,
      warnings: ["The file is not UTF-8; it was read as Windows-1252, so letters with accents may be wrong."],
    };
  }
}

/** A file's name without its folder and extension: the title of a document that names none. */
export function fileTitle(path: string): string {
  return basename(path, extname(path));
}

import { analyse } from "chardet";
import { said } from "../said.js";

export interface Decoded {
  /** Line ends as "\n", without a byte-order mark. */
  readonly text: string;
  readonly warnings: string[];
}

/** Windows-1252 where it differs from Latin-1: bytes 0x80 to 0x9f (WHATWG Encoding, index windows-1252). */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

/** How much of a file the detection looks at: more does not change its mind, and it takes time. */
const SAMPLE_BYTES = 64 * 1024;

/**
 * Bytes to text in any encoding that the WHATWG Encoding standard knows. In this order: UTF-16 by its mark or its
 * zeros; UTF-8 when the bytes are; what the file itself declares; a guess by the letters' frequencies, which the
 * user is told of.
 * @param declared an encoding's label that stands in the file (HTML's and XML's own declarations)
 */
export function decodeText(bytes: Uint8Array, declared?: string): Decoded {
  const { text, warnings } = decode(bytes, declared);
  return { text: text.replace(/\r\n?/g, "\n"), warnings };
}

function decode(bytes: Uint8Array, declared: string | undefined): Decoded {
  const wide = byteOrderMark(bytes) ?? utf16ByZeros(bytes);
  if (wide !== undefined) return utf16(wide, bytes);
  const utf8 = strictly("utf-8", bytes);
  if (utf8 !== undefined) return { text: utf8, warnings: [] };
  const own = declared === undefined ? undefined : strictly(declared, bytes);
  if (own !== undefined) return { text: own, warnings: [] };

  for (const { name } of analyse(bytes.subarray(0, SAMPLE_BYTES))) {
    // UTF-8 was tried; what chardet knows and the standard does not is no candidate.
    if (name.startsWith("UTF-") || name === "ASCII") continue;
    const text = strictly(name, bytes);
    if (text === undefined) continue;
    return { text, warnings: [readAs(name)] };
  }
  return { text: windows1252(bytes), warnings: [readAs("windows-1252")] };
}

function readAs(name: string): string {
  return said`The file names no encoding and is not UTF-8; it was read as ${name}: letters may be wrong.`;
}

/** The text, or undefined when the bytes are not in that encoding or nobody knows it. */
function strictly(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    const decoder = new TextDecoder(encoding, { fatal: true });
    return decoder.encoding === "windows-1252" ? windows1252(bytes) : decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Node 20's own decoder takes windows-1252 for Latin-1. */
function windows1252(bytes: Uint8Array): string {
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return latin1.replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252[byte.charCodeAt(0) - 0x80] as string);
}

function utf16(encoding: string, bytes: Uint8Array): Decoded {
  const text = strictly(encoding, bytes);
  if (text !== undefined) return { text, warnings: [] };
  const warning = said`The file's UTF-16 text is broken in places; the broken characters were replaced.`;
  return { text: new TextDecoder(encoding).decode(bytes), warnings: [warning] };
}

function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  return undefined;
}

/**
 * UTF-16 without its mark: in a text mostly in Latin letters at least every second pair of bytes holds a zero, always
 * in the same place.
 */
export function utf16ByZeros(bytes: Uint8Array): "utf-16le" | "utf-16be" | undefined {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (sample.length < 4 || bytes.length % 2 === 1) return undefined;
  let even = 0;
  let odd = 0;
  for (let i = 0; i + 1 < sample.length; i += 2) {
    if (sample[i] === 0) even++;
    if (sample[i + 1] === 0) odd++;
  }
  const encoding =
    even === 0 && odd * 4 >= sample.length
      ? "utf-16le"
      : odd === 0 && even * 4 >= sample.length
        ? "utf-16be"
        : undefined;
  return encoding !== undefined && strictly(encoding, bytes) !== undefined ? encoding : undefined;
}

/** Files that the user named, on a command line or in the window, and pdf.js' own. */

import { type FileHandle, open, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { extensions } from "../core/documents/extensions.js";
import { PrecisError } from "../core/errors.js";
import type { PdfData, PdfPart } from "./contract.js";
import { t } from "./language.js";

const endings = new Set(extensions.map((extension) => `.${extension}`));

/**
 * The documents among a start's arguments, as absolute paths: options and the app's own folder are none. A missing
 * file stays in, so that the window can say that it is missing.
 */
export function documentsIn(args: readonly string[], cwd: string): string[] {
  return args
    .filter((arg) => !arg.startsWith("-") && endings.has(path.extname(arg).toLowerCase()))
    .map((arg) => path.resolve(cwd, arg));
}

/** What tells a PDF stands in its first and its last bytes. */
const telling = 2_048;

/**
 * Bytes of a PDF from `start` up to `end`, fewer where it ends before; undefined for a file of another kind, of which
 * nothing is handed out.
 * @throws PrecisError file-unreadable
 */
export async function pdfPart(file: string, start: number, end: number): Promise<PdfPart | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, "r");
    const { size } = await handle.stat();
    const head = await bytesOf(handle, 0, Math.min(size, telling));
    const tail = await bytesOf(handle, Math.max(0, size - telling), size);
    // It knows the encodings of texts too, which takes a library that no start needs.
    const { sniff } = await import("../core/documents/sniff.js");
    if (sniff(Buffer.concat([head, tail])).kind !== "pdf") return undefined;
    return { size, bytes: await bytesOf(handle, Math.min(start, size), Math.min(end, size)) };
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new PrecisError(
      "file-unreadable",
      t("errors.unreadable", { file: path.basename(file), reason }),
      t("errors.checkFile"),
      { cause: thrown },
    );
  } finally {
    await handle?.close();
  }
}

async function bytesOf(handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
  return bytes.subarray(0, bytesRead);
}

/** A file of pdf.js' own data, from its package. */
export function pdfData({ folder, name }: PdfData): Promise<Uint8Array> {
  const root = path.dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json"));
  return readFile(path.join(root, folder, name));
}

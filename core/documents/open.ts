import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { cancelled, PrecisError } from "../errors.js";
import type { SourceDocument } from "./document.js";
import { isMarkdownName, readMarkdown } from "./markdown.js";
import { readPdf } from "./pdf.js";
import { sniff } from "./sniff.js";
import { readText } from "./text.js";

const MIB = 2 ** 20;

/** A file is held in memory while it is read. */
export const MAX_FILE_BYTES = 256 * MIB;
/** Text far beyond any model's context; a PDF of that size is mostly pictures. */
export const MAX_TEXT_BYTES = 32 * MIB;

export interface OpenOptions {
  readonly signal?: AbortSignal;
}

/**
 * Reads a document whole; its format is told by its content, not by its name.
 * @throws PrecisError file-missing, file-unreadable, file-empty, file-type, pdf-encrypted, pdf-damaged,
 *   no-text-layer, cancelled
 */
export async function openDocument(path: string, { signal }: OpenOptions = {}): Promise<SourceDocument> {
  const bytes = await readBytes(path, signal);
  const name = basename(path);
  const sniffed = sniff(bytes);
  if (sniffed.kind === "other") {
    throw new PrecisError(
      "file-type",
      `"${name}" is ${sniffed.what}, not a PDF, a text or a Markdown file.`,
      "Export it as PDF and open that.",
    );
  }
  if (sniffed.kind === "pdf") return readPdf(path, bytes, signal);

  if (bytes.length > MAX_TEXT_BYTES) throw tooLarge(name, bytes.length, MAX_TEXT_BYTES);
  const document = isMarkdownName(path) ? readMarkdown(path, bytes) : readText(path, bytes);
  if (document.pages.every((page) => page.text === "")) throw empty(name);
  return document;
}

async function readBytes(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const name = basename(path);
  try {
    if (signal?.aborted) throw cancelled();
    const stats = await stat(path);
    if (stats.isDirectory()) {
      throw new PrecisError("file-unreadable", `"${name}" is a folder.`, "Choose a file inside it.");
    }
    if (!stats.isFile()) {
      throw new PrecisError("file-unreadable", `"${name}" is not a regular file.`, "Save it as a file and open that.");
    }
    if (stats.size === 0) throw empty(name);
    if (stats.size > MAX_FILE_BYTES) throw tooLarge(name, stats.size, MAX_FILE_BYTES);
    await access(path, constants.R_OK);
    return await readFile(path, { signal });
  } catch (thrown) {
    if (signal?.aborted) throw cancelled();
    if (thrown instanceof PrecisError) throw thrown;
    throw fileError(path, thrown);
  }
}

function fileError(path: string, thrown: unknown): PrecisError {
  const name = basename(path);
  const code = (thrown as NodeJS.ErrnoException).code;
  const cause = { cause: thrown };
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new PrecisError(
        "file-missing",
        `There is no file "${path}".`,
        "Check the path, or choose the file again.",
        cause,
      );
    case "EACCES":
    case "EPERM":
      return new PrecisError(
        "file-unreadable",
        `You have no permission to read "${name}".`,
        "Change its permissions, or copy it to a folder of yours.",
        cause,
      );
    default: {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return new PrecisError(
        "file-unreadable",
        `"${name}" could not be read: ${reason}.`,
        "Copy it to this computer's disk and open the copy.",
        cause,
      );
    }
  }
}

function empty(name: string): PrecisError {
  return new PrecisError("file-empty", `"${name}" is empty.`, "Choose another file.");
}

function tooLarge(name: string, bytes: number, limit: number): PrecisError {
  const size = Math.ceil(bytes / MIB);
  return new PrecisError(
    "file-unreadable",
    `"${name}" is too large: ${size} MiB, and the limit for such a file is ${limit / MIB} MiB.`,
    "Split it into parts and open them one by one.",
  );
}

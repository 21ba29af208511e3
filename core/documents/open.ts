import { constants } from "node:fs";
import { access, readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";
import { coverageOf, coverageWarnings } from "./coverage.js";
import type { PageUnit, Source, SourceDocument } from "./document.js";
import { isMarkdownName, readMarkdown } from "./markdown.js";
import { checkLanguages, type RecognitionOptions } from "./ocr.js";
import { reading } from "./office.js";
import { readPdf } from "./pdf.js";
import { sniff, sniffBrokenZip, sniffZip } from "./sniff.js";
import { readText } from "./text.js";
import { ZipArchive } from "./zip.js";

const MIB = 2 ** 20;

/** A file is held in memory while it is read. */
export const MAX_FILE_BYTES = 256 * MIB;
/** Text far beyond any model's context; other files of that size are mostly pictures. */
export const MAX_TEXT_BYTES = 32 * MIB;

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** Of what takes long, recognising scanned pages: before the first and after each, with how many are done of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Of recognising scanned pages: which languages they may be in. */
  readonly recognition?: RecognitionOptions;
}

/**
 * Reads a document whole; its format is told by its content, not by its name. Each page of the result says how it was
 * read, and the warnings name those that gave no text.
 * @throws PrecisError file-missing, file-unreadable, file-empty, file-type, file-damaged, file-encrypted, pdf-encrypted,
 *   pdf-damaged, no-text-layer, usage (languages that there is no data for), cancelled
 */
export async function openDocument(path: string, options: OpenOptions = {}): Promise<SourceDocument> {
  checkLanguages(options.recognition ?? {});
  const bytes = await readBytes(path, options.signal);
  const source: Source = { path, name: basename(path), bytes };
  const document = await readSource(source, options);
  const { pages } = document;
  if (pages.every(({ reading }) => reading.how === "empty")) throw withoutText(document, source.name);
  if (pages.every(({ text }) => text === "")) throw unreadable(document, source.name);
  return { ...document, warnings: [...document.warnings, ...coverageWarnings(coverageOf(document))] };
}

async function readSource(source: Source, options: OpenOptions): Promise<SourceDocument> {
  const { signal } = options;
  const sniffed = sniff(source.bytes);
  switch (sniffed.kind) {
    case "other":
      throw unknownType(source.name, sniffed.what);
    case "pdf":
      return readPdf(source, options);
    case "zip":
      return readZipped(source, signal);
  }
  const { name, bytes, path } = source;
  if (bytes.length > MAX_TEXT_BYTES) throw tooLarge(name, bytes.length, MAX_TEXT_BYTES);
  if (isMarkdownName(path)) return readMarkdown(source);
  if (sniffed.kind === "text") return readText(source);
  return reading(path, said`HTML page`, signal, async () => (await import("./html.js")).readHtml(source, signal));
}

async function readZipped(source: Source, signal: AbortSignal | undefined): Promise<SourceDocument> {
  const { path, name, bytes } = source;
  let zip: ZipArchive | undefined;
  let broken: unknown;
  try {
    zip = await ZipArchive.open(bytes, signal);
  } catch (thrown) {
    if (signal?.aborted) throw cancelled();
    broken = thrown;
  }
  const { kind, what } = zip ? await sniffZip(zip).catch(() => sniffBrokenZip(bytes)) : sniffBrokenZip(bytes);
  if (kind === "other") throw unknownType(name, what);
  return reading(path, what, signal, async () => {
    if (zip === undefined) throw broken;
    const read = await zippedReaders[kind]();
    return read(source, zip, signal);
  });
}

/** Loaded when the first such file is read: their libraries take half a second, and most documents are PDFs. */
const zippedReaders = {
  docx: async () => (await import("./docx.js")).readDocx,
  pptx: async () => (await import("./pptx.js")).readPptx,
  odt: async () => (await import("./odt.js")).readOdt,
  epub: async () => (await import("./epub.js")).readEpub,
};

async function readBytes(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const name = basename(path);
  try {
    if (signal?.aborted) throw cancelled();
    const stats = await stat(path);
    if (stats.isDirectory()) {
      throw new PrecisError("file-unreadable", said`"${name}" is a folder.`, said`Choose a file inside it.`);
    }
    if (!stats.isFile()) {
      throw new PrecisError(
        "file-unreadable",
        said`"${name}" is not a regular file.`,
        said`Save it as a file and open that.`,
      );
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
        said`There is no file "${path}".`,
        said`Check the path, or choose the file again.`,
        cause,
      );
    case "EACCES":
    case "EPERM":
      return new PrecisError(
        "file-unreadable",
        said`You have no permission to read "${name}".`,
        said`Change its permissions, or copy it to a folder of yours.`,
        cause,
      );
    default: {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      return new PrecisError(
        "file-unreadable",
        said`"${name}" could not be read: ${reason}.`,
        said`Copy it to this computer's disk and open the copy.`,
        cause,
      );
    }
  }
}

function unknownType(name: string, what: string): PrecisError {
  return new PrecisError(
    "file-type",
    said`"${name}" is ${what}, and Precis reads PDF, Word (DOCX), PowerPoint (PPTX), OpenDocument (ODT), EPUB, HTML, Markdown and text.`,
    said`Export it as PDF and open that.`,
  );
}

/** Of a document in which there is nothing to read. */
function withoutText({ kind }: SourceDocument, name: string): PrecisError {
  if (kind === "text" || kind === "markdown") return empty(name);
  return new PrecisError(
    "no-text-layer",
    said`"${name}" has no text to read, only pictures or nothing.`,
    said`If it holds pictures of text, export it as PDF and open that: their text is recognised there.`,
  );
}

const counted: Readonly<Record<PageUnit, (count: number) => string>> = {
  page: (count) => said`${count} pages`,
  chapter: (count) => said`${count} chapters`,
  slide: (count) => said`${count} slides`,
  section: (count) => said`${count} sections`,
};

/** Of a document none of whose pages could be read. */
function unreadable({ pages, unit }: SourceDocument, name: string): PrecisError {
  const reason =
    pages.map(({ reading }) => (reading.how === "failed" ? reading.reason : undefined)).find(Boolean) ?? "";
  return new PrecisError(
    "file-damaged",
    said`"${name}" could not be read: none of its ${counted[unit](pages.length)} gave any text (${reason}).`,
    said`Get the file again, or open it in its own program and save it anew, or as a PDF.`,
  );
}

function empty(name: string): PrecisError {
  return new PrecisError("file-empty", said`"${name}" is empty.`, said`Choose another file.`);
}

function tooLarge(name: string, bytes: number, limit: number): PrecisError {
  const size = Math.ceil(bytes / MIB);
  return new PrecisError(
    "file-unreadable",
    said`"${name}" is too large: ${size} MiB, and the limit for such a file is ${limit / MIB} MiB.`,
    said`Split it into parts and open them one by one.`,
  );
}

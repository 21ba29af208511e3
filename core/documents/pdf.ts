import { createRequire } from "node:module";
import { dirname } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { PDFDocumentLoadingTask, PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";
import {
  type DocumentPage,
  failedPage,
  type OutlineEntry,
  type Source,
  type SourceDocument,
  textPage,
} from "./document.js";
import { pageList } from "./page-list.js";
import { inColumns } from "./pdf-columns.js";
import { fieldValues, readOutline, unreadParts } from "./pdf-extras.js";
import { furnitureOf, type PageLines } from "./pdf-furniture.js";
import { linesOf, type TextPiece } from "./pdf-lines.js";
import { headingKey, paragraphs } from "./pdf-paragraphs.js";
import { readScans, type ScanOptions } from "./pdf-scans.js";
import { stoppable } from "./stoppable.js";
import { fileTitle } from "./text.js";

/** Bounds for one page: no honest page comes near them, a hostile one must not hold the worker for ever. */
const PAGE_LIMITS = { milliseconds: 30_000, characters: 1_000_000 };
/** A larger picture is left out by pdf.js: decoded it would take more than 400 MB. A sheet of A1 scanned at 300 dpi has 70. */
const MAX_IMAGE_PIXELS = 100e6;
export type PageLimits = typeof PAGE_LIMITS;

export interface PdfOptions extends ScanOptions {
  readonly limits?: PageLimits;
}

/**
 * Reads a PDF page by page, in the calling thread (which is the worker, never the window): its text layer, and where a
 * page has none but shows something, what recognition (in threads of its own) finds in its picture.
 * @throws PrecisError pdf-encrypted, pdf-damaged, no-text-layer, cancelled
 */
export async function readPdf(
  { path, name, bytes }: Source,
  { limits = PAGE_LIMITS, ...options }: PdfOptions = {},
): Promise<SourceDocument> {
  const { signal } = options;
  const task = await startLoading(bytes);
  const left: PageReader[] = [];
  try {
    const pdf = await stoppable(task.promise, signal);
    if (pdf.numPages === 0) throw damaged(name, said`it has no pages`);
    const read = await readPages(pdf, left, limits, signal);
    const outline = await readOutline(pdf, signal);
    const fields = await fieldValues(pdf);
    const { pages: written, warnings } = compose(read, outline, fields);
    const { pages, warnings: partly } = await readScans(pdf, written, options);
    checkPages(name, pages);
    warnings.push(...partly, ...(await unreadParts(pdf)));
    return { path, title: await documentTitle(pdf, path), kind: "pdf", unit: "page", outline, pages, warnings };
  } catch (thrown) {
    if (signal?.aborted) throw cancelled();
    if (thrown instanceof PrecisError) throw thrown;
    throw pdfError(name, thrown);
  } finally {
    // In this order: a page left half read waits for its reader, and when it wakes it must find itself ended.
    const destroyed = task.destroy();
    for (const reader of left) reader.cancel(new Error("The page was left.")).catch(() => undefined);
    await destroyed.catch(() => undefined);
  }
}

async function startLoading(bytes: Uint8Array): Promise<PDFDocumentLoadingTask> {
  // Drawing classes that pdf.js expects of a browser when it is loaded; only drawing calls them (pdf-pictures.ts).
  const scope = globalThis as unknown as Record<string, unknown>;
  for (const name of ["DOMMatrix", "ImageData", "Path2D"]) scope[name] ??= class {};
  const [{ getDocument, VerbosityLevel }] = await Promise.all([
    import("pdfjs-dist/legacy/build/pdf.mjs"),
    // Loaded here it registers itself, and pdf.js parses in this thread instead of looking for a worker's file.
    // @ts-expect-error the package has no types for it, and nothing of it is used by name
    import("pdfjs-dist/legacy/build/pdf.worker.mjs"),
  ]);
  const root = dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json"));
  return getDocument({
    data: ownArray(bytes),
    cMapUrl: `${root}/cmaps/`,
    cMapPacked: true,
    standardFontDataUrl: `${root}/standard_fonts/`,
    wasmUrl: `${root}/wasm/`,
    iccUrl: `${root}/iccs/`,
    maxImageSize: MAX_IMAGE_PIXELS,
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    useWorkerFetch: false,
    verbosity: VerbosityLevel.ERRORS,
  });
}

/** pdf.js takes its array over, and wants no Node Buffer; bytes that share their memory with others are copied. */
function ownArray(bytes: Uint8Array): Uint8Array {
  const whole = bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength;
  return whole ? new Uint8Array(bytes.buffer) : new Uint8Array(bytes);
}

/** What one page gave: its lines, or why there are none. */
type PageRead = PageLines | { readonly number: number; readonly label?: string; readonly failed: string };

/** All pages, one in memory at a time. */
async function readPages(
  pdf: PDFDocumentProxy,
  left: PageReader[],
  limits: PageLimits,
  signal: AbortSignal | undefined,
): Promise<PageRead[]> {
  const labels = await pdf.getPageLabels().catch(() => null);
  const pages: PageRead[] = [];
  for (let number = 1; number <= pdf.numPages; number++) {
    const label = labels?.[number - 1] || String(number);
    const named = label === String(number) ? { number } : { number, label };
    const timeout = AbortSignal.timeout(limits.milliseconds);
    try {
      const both = signal ? AbortSignal.any([signal, timeout]) : timeout;
      pages.push({ ...named, ...(await readPage(pdf, number, left, limits, both)) });
    } catch (thrown) {
      if (signal?.aborted) throw thrown;
      pages.push({ ...named, failed: whyNot(thrown, timeout) });
    }
  }
  return pages;
}

/** Completes "page 3 was not read: …". */
function whyNot(thrown: unknown, timeout: AbortSignal): string {
  if (timeout.aborted) return said`it takes too long to read`;
  return thrown instanceof TooMuchText ? said`it holds more text than a page can` : said`it is damaged`;
}

class TooMuchText extends Error {}

/** Pages of text from pages of lines: without headers and footers, with the outline's headings set apart. */
function compose(
  read: readonly PageRead[],
  outline: readonly OutlineEntry[],
  fields: ReadonlyMap<number, readonly string[]>,
): { pages: DocumentPage[]; warnings: string[] } {
  const furniture = furnitureOf(read.filter((page) => "lines" in page));
  const headings = new Map<number, Set<string>>();
  for (const { page, title } of outline) headings.set(page, (headings.get(page) ?? new Set()).add(headingKey(title)));
  const pages = read.map((page) => {
    if ("failed" in page) return failedPage(page.number, page.failed, page.label);
    const lines = page.lines.filter((line) => !furniture.lines.has(line));
    const text = paragraphs(inColumns(lines), headings.get(page.number));
    return textPage(page.number, [text, ...(fields.get(page.number) ?? [])].filter(Boolean).join("\n\n"), page.label);
  });
  return { pages, warnings: furnitureWarning(furniture.texts) };
}

const SHOWN_TEXTS = 5;

function furnitureWarning(texts: readonly string[]): string[] {
  if (texts.length === 0) return [];
  const shown = texts.slice(0, SHOWN_TEXTS).map((text) => said`"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`);
  const list = shown.join(", ");
  const more = texts.length - SHOWN_TEXTS;
  return [
    more > 0
      ? said`Headers and footers that repeat from page to page were left out: ${list} and ${more} more.`
      : said`Headers and footers that repeat from page to page were left out: ${list}.`,
  ];
}

type TextContent = { items: readonly unknown[]; styles: Readonly<Record<string, { vertical?: boolean }>> };
type PageReader = ReadableStreamDefaultReader<TextContent>;

/**
 * One page's lines. A page that fails is put into `left` with its reader: pdf.js goes on with it only as fast as it is
 * read, while a cancelled reader would let it run on without pause.
 */
async function readPage(
  pdf: PDFDocumentProxy,
  number: number,
  left: PageReader[],
  limits: PageLimits,
  signal: AbortSignal,
): Promise<Pick<PageLines, "lines" | "view">> {
  const page = await stoppable(pdf.getPage(number), signal);
  const reader: PageReader = page.streamTextContent().getReader();
  const pieces: TextPiece[] = [];
  let characters = 0;
  try {
    for (;;) {
      const { done, value } = await stoppable(reader.read(), signal);
      if (done) return { lines: linesOf(pieces), view: page.view };
      for (const item of value.items as TextPiece[]) {
        // Marks of the document's structure have no text.
        if (item.str === undefined) continue;
        characters += item.str.length;
        pieces.push(value.styles[item.fontName]?.vertical ? { ...item, vertical: true } : item);
      }
      if (characters > limits.characters) throw new TooMuchText(`page ${number}`);
      // pdf.js in the same thread only queues microtasks: without this no cancel or timer would ever be heard.
      await setImmediate();
    }
  } catch (thrown) {
    left.push(reader);
    throw thrown;
  } finally {
    page.cleanup();
  }
}

/** An error when no page gave any text. */
function checkPages(name: string, pages: readonly DocumentPage[]): void {
  const reasons = pages.flatMap(({ reading }) => (reading.how === "failed" ? [reading.reason] : []));
  if (reasons.length === pages.length) {
    throw new PrecisError(
      "pdf-damaged",
      said`No page of "${name}" can be read: ${[...new Set(reasons)].join(", or ")}.`,
      saveAnew,
    );
  }
  if (pages.some(({ text }) => text !== "")) return;
  const all = pageList(pages.map((page) => page.number));
  throw new PrecisError(
    "no-text-layer",
    pages.length > 1
      ? said`"${name}" has no text to read: ${all} hold no text, not even in a picture.`
      : said`"${name}" has no text to read: ${all} holds no text, not even in a picture.`,
    said`If it was scanned, scan it again with more contrast, at 300 dpi, and the right way up.`,
  );
}

async function documentTitle(pdf: PDFDocumentProxy, path: string): Promise<string> {
  const metadata = await pdf.getMetadata().catch(() => undefined);
  const title = (metadata?.info as { Title?: unknown } | undefined)?.Title;
  const named = typeof title === "string" ? title.replace(/\s+/g, " ").trim() : "";
  // Word processors put their own file's name there.
  const useless = named === "" || /^untitled/i.test(named) || /\.(docx?|pdf|indd|tex|odt|pptx?)$/i.test(named);
  return useless ? fileTitle(path) : named;
}

function pdfError(name: string, thrown: unknown): PrecisError {
  const kind = thrown instanceof Error ? thrown.name : "";
  if (kind === "PasswordException") {
    return new PrecisError(
      "pdf-encrypted",
      said`"${name}" is encrypted and needs a password.`,
      said`Save a copy without a password in a PDF viewer, and open that.`,
      { cause: thrown },
    );
  }
  if (kind === "InvalidPDFException") return damaged(name, said`its structure cannot be read`, thrown);
  const reason = thrown instanceof Error ? thrown.message.replace(/\.$/, "") : String(thrown);
  return damaged(name, reason, thrown);
}

const saveAnew = said`Get the file again, or open it in a PDF viewer and save it anew.`;

function damaged(name: string, reason: string, cause?: unknown): PrecisError {
  return new PrecisError("pdf-damaged", said`"${name}" is a damaged PDF: ${reason}.`, saveAnew, { cause });
}

/** Scanned pages of a PDF: which pages need recognition, and what it finds on them. */
import { availableParallelism } from "node:os";
import type { PDFDocumentProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { said } from "../said.js";
import { type DocumentPage, failedPage } from "./document.js";
import { type Picture, type Recognised, Recogniser, type RecognitionOptions } from "./ocr.js";
import { pageList } from "./page-list.js";
import { isBlank, type Painted, paintedOn, pictureOf, quarterTurn } from "./pdf-pictures.js";

/** A page with fewer letters may be a scan with a stamp, a page number or a file mark on it. */
const FEW_LETTERS = 100;
/** … when a picture takes at least this share of it. */
const SCAN_SHARE = 0.5;
/** Below this mean confidence (0..1) what was recognised are no words: a photograph, or a scan that nobody can read. */
const READABLE = 0.6;
/** Letters that lie on their side or upside down were taken for words at 36 to 49 %, noise at 21 to 27 %. */
const PERHAPS_TURNED = 0.3;
/** For drawing and recognising one page; an honest one takes some seconds. */
const MAX_MILLISECONDS = 120_000;
/** Each thread takes about 150 MiB. */
const MOST_THREADS = 4;

export interface ScanOptions {
  readonly signal?: AbortSignal;
  readonly recognition?: RecognitionOptions;
  /** Before the first page and after each, with how many are done of how many. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The document's pages with those recognised that need it; all others are left as they are. A page that stays
 * unreadable is "failed" with its reason, one whose picture holds no text stays "empty". One with a few words beside an unreadable
 * picture keeps them, and is named in a warning.
 */
export async function readScans(
  pdf: PDFDocumentProxy,
  pages: readonly DocumentPage[],
  { signal, recognition = {}, onProgress }: ScanOptions,
): Promise<{ pages: DocumentPage[]; warnings: string[] }> {
  const result = [...pages];
  const partly: number[] = [];
  const candidates = pages.filter((page) => page.reading.how !== "failed" && letters(page.text) < FEW_LETTERS);
  let next = 0;
  let done = 0;
  if (candidates.length > 0) onProgress?.(done, candidates.length);
  const work = async () => {
    const recogniser = new Recogniser(recognition);
    try {
      for (let page = candidates[next++]; page !== undefined; page = candidates[next++]) {
        const scan = await readScan(pdf, page, recogniser, signal);
        if (scan.reading.how !== "failed" || page.text === "") result[page.number - 1] = scan;
        else partly.push(page.number);
        onProgress?.(++done, candidates.length);
      }
    } finally {
      await recogniser.close();
    }
  };
  const threads = Math.min(candidates.length, MOST_THREADS, Math.max(1, availableParallelism() - 1));
  await Promise.all(Array.from({ length: threads }, work));
  return { pages: result, warnings: partly.length > 0 ? [partlyRead(partly)] : [] };
}

function partlyRead(numbers: number[]): string {
  const list = pageList(numbers.sort((one, other) => one - other));
  return said`Only the few words beside the picture were read on ${list}: the picture itself is unreadable.`;
}

/** The page as recognition leaves it; "failed" when it needed that and it did not succeed. */
async function readScan(
  pdf: PDFDocumentProxy,
  read: DocumentPage,
  recogniser: Recogniser,
  signal: AbortSignal | undefined,
): Promise<DocumentPage> {
  const timeout = AbortSignal.timeout(MAX_MILLISECONDS);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const { number, label } = read;
  const page = await pdf.getPage(number);
  try {
    const painted = await paintedOn(page, either);
    const lost = failedPage(number, said`its picture is damaged or too large`, label);
    if (!needsRecognition(read, painted)) return painted.missing && read.text === "" ? lost : read;
    const picture = await pictureOf(page, either);
    const nothing = { text: "", confidence: 0 };
    const { text, confidence } = isBlank(picture) ? nothing : await recogniseUpright(picture, recogniser, either);
    // What stands in the text layer is drawn, too, and was recognised with the rest.
    if (letters(text) <= letters(read.text)) return painted.missing && read.text === "" ? lost : read;
    if (confidence >= READABLE) return { ...read, text, reading: { how: "ocr", confidence } };
    return failedPage(number, said`its picture is unreadable (confidence ${Math.floor(confidence * 100)} %)`, label);
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    const reason = thrown instanceof Error ? thrown.message.replace(/\.$/, "") : String(thrown);
    return failedPage(
      number,
      timeout.aborted ? said`recognising its text takes too long` : said`its picture cannot be read (${reason})`,
      label,
    );
  } finally {
    page.cleanup();
  }
}

/** Sheets are often scanned sideways: a picture that is unreadable as it lies is turned until it is readable. */
async function recogniseUpright(picture: Picture, recogniser: Recogniser, signal: AbortSignal): Promise<Recognised> {
  let best = await recogniser.recognise(picture, signal);
  if (best.confidence < PERHAPS_TURNED) return best;
  let turned = picture;
  for (let turns = 1; turns < 4 && best.confidence < READABLE; turns++) {
    turned = quarterTurn(turned);
    const found = await recogniser.recognise(turned, signal);
    if (found.confidence > best.confidence) best = found;
  }
  return best;
}

function needsRecognition(page: DocumentPage, { pictureShare, anything }: Painted): boolean {
  return page.text === "" ? anything : pictureShare >= SCAN_SHARE;
}

function letters(text: string): number {
  return text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
}

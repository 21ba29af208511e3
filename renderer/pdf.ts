/**
 * PDF files in the window, by pdf.js. It parses in a thread without any rights, and gets of a file only the parts that it
 * asks for: the first page of a large one is there at once.
 */

import type { PDFDocumentProxy, PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import type { Outcome, WireError } from "../electron/contract.js";
import { t } from "../electron/language.js";
import { precis } from "./precis.js";

/** Bytes that pdf.js asks for at a time. */
const partBytes = 2 ** 18;
/** As when the document is read (core/documents/pdf.ts): a larger picture is left out. */
const mostImagePixels = 100e6;

export interface OpenPdf {
  readonly pdf: PDFDocumentProxy;
  /** Puts a page's words over its picture, invisible, to be selected and found. Rejects when it is cancelled. */
  layText(page: PDFPageProxy, layer: HTMLElement): { readonly done: Promise<unknown>; cancel(): void };
  close(): void;
}

/**
 * @param onLost hears when the file can be read no longer
 * @returns undefined for a file that is no PDF
 */
export async function openPdf(path: string, onLost: (error: WireError) => void): Promise<Outcome<OpenPdf | undefined>> {
  const first = await precis().pdfPart({ path, start: 0, end: partBytes });
  if (!first.ok) return first;
  if (!first.value) return { ok: true, value: undefined };
  const pdfjs = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const port = new Worker(new URL("./pdf-worker.ts", import.meta.url), { type: "module" });
  const verbosity = pdfjs.VerbosityLevel.ERRORS;
  const worker = new pdfjs.PDFWorker({ port: port as unknown as null, verbosity });
  const range = new pdfjs.PDFDataRangeTransport(first.value.size, first.value.bytes);
  range.requestDataRange = async (start, end) => {
    const part = await precis().pdfPart({ path, start, end });
    if (part.ok && part.value) range.onDataRange(start, part.value.bytes);
    else onLost(part.ok ? changed() : part.error);
  };
  const task = pdfjs.getDocument({
    range,
    worker,
    verbosity,
    rangeChunkSize: partBytes,
    disableAutoFetch: true,
    disableStream: true,
    maxImageSize: mostImagePixels,
    CMapReaderFactory: CharacterMaps,
    StandardFontDataFactory: StandardFonts,
    // The fourteen fonts that a PDF need not bring look the same everywhere; what a system takes for them may be wider.
    useSystemFonts: false,
    useWorkerFetch: false,
    // The page's policy allows neither WebAssembly nor code from text. JPEG 2000 has a decoder in JavaScript.
    useWasm: false,
    isEvalSupported: false,
    wasmUrl: new URL("pdfjs/", document.baseURI).href,
  });
  const close = () => {
    const end = () => {
      worker.destroy();
      port.terminate();
    };
    task.destroy().then(end, end);
  };
  try {
    const broken = new Promise<never>((_, reject) => {
      port.addEventListener("error", (event) => reject(new Error(event.message || t("pages.noThread"))));
    });
    const pdf = await Promise.race([task.promise, broken]);
    broken.catch((thrown) => onLost(notShown(thrown)));
    const layText: OpenPdf["layText"] = (page, container) => {
      const layer = new pdfjs.TextLayer({
        textContentSource: page.streamTextContent(),
        container,
        viewport: page.getViewport({ scale: 1 }),
      });
      return { done: layer.render(), cancel: () => layer.cancel() };
    };
    return { ok: true, value: { pdf, layText, close } };
  } catch (thrown) {
    close();
    return { ok: false, error: notShown(thrown) };
  }
}

/** A page's words as its layer of text has them: `shownText` of the one is this of the other. */
export async function pdfText(pdf: PDFDocumentProxy, number: number): Promise<string> {
  const page = await pdf.getPage(number);
  const { items } = await page.getTextContent();
  return items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("");
}

/** pdf.js' own data, which the page cannot fetch: connections are forbidden to it, even to its own files. */
async function data(folder: "cmaps" | "standard_fonts", name: string): Promise<Uint8Array> {
  const outcome = await precis().pdfData({ folder, name });
  if (outcome.ok) return outcome.value;
  throw new Error(outcome.error.message);
}

class CharacterMaps {
  async fetch({ name }: { name: string }) {
    return { cMapData: await data("cmaps", `${name}.bcmap`), isCompressed: true };
  }
}

class StandardFonts {
  fetch({ filename }: { filename: string }) {
    return data("standard_fonts", filename);
  }
}

const changed = (): WireError => ({ code: "file-damaged", message: t("pages.changed") });

function notShown(thrown: unknown): WireError {
  if (thrown instanceof Error && thrown.name === "PasswordException") {
    return { code: "pdf-encrypted", message: t("pages.encrypted") };
  }
  // pdf.js gives its reasons in English alone
  console.warn(thrown);
  return { code: "pdf-damaged", message: t("pages.notShown") };
}

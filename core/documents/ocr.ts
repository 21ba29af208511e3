/**
 * Text recognition by Tesseract, compiled to WebAssembly, in a worker thread of its own. The language data comes from a
 * package beside the code: nothing is fetched.
 */
import { existsSync, readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Block, Line as RecognisedLine, Worker } from "tesseract.js";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import type { Cell, Line } from "./pdf-lines.js";
import { paragraphs } from "./pdf-paragraphs.js";
import { stoppable } from "./stoppable.js";

export interface RecognitionOptions {
  /** Tesseract's codes of the languages that the pages may be in, joined by "+": "eng" when absent, "deu+eng". */
  readonly languages?: string;
  /** Absolute path of a folder with their data, a CODE.traineddata each; English needs none. */
  readonly folder?: string;
}

const OWN_LANGUAGE = "eng";

/** Codes of the languages that a folder holds data for, with the one that comes along; sorted. @throws PrecisError usage */
export async function languagesIn(folder: string): Promise<string[]> {
  try {
    const codes = (await readdir(folder)).map((name) => /^([A-Za-z_]{3,30})\.traineddata$/.exec(name)?.[1]);
    return [...new Set([OWN_LANGUAGE, ...codes.filter((code) => code !== undefined)])].sort();
  } catch (cause) {
    throw new PrecisError("usage", said`The folder "${folder}" cannot be read.`, said`Choose another folder.`, {
      cause,
    });
  }
}

/** Refuses languages that there is no data for, before anything is read. @throws PrecisError usage */
export function checkLanguages({ languages = OWN_LANGUAGE, folder }: RecognitionOptions): void {
  for (const code of languages.split("+")) {
    if (!/^[A-Za-z_]{3,30}$/.test(code)) {
      throw new PrecisError(
        "usage",
        said`"${code}" is no code of a language that Tesseract knows.`,
        said`Write them as "deu" or "deu+eng".`,
      );
    }
    const file = folder === undefined ? undefined : join(folder, `${code}.traineddata`);
    if (file !== undefined && existsSync(file)) {
      if (isTrainedData(file)) continue;
      throw new PrecisError(
        "usage",
        said`"${file}" is damaged, or data of Tesseract 3.`,
        said`Get that file again, of Tesseract 4 or 5.`,
      );
    }
    if (code === OWN_LANGUAGE) continue;
    throw new PrecisError(
      "usage",
      folder === undefined
        ? said`No data to recognise the language "${code}" comes with Precis.`
        : said`No data to recognise the language "${code}" is in "${folder}".`,
      said`Put Tesseract's ${code}.traineddata into a folder and name that folder.`,
    );
  }
}

/** Number of the recogniser's weights among the parts of a language's data (Tesseract, tessdatamanager.h). */
const LSTM_PART = 17;

/**
 * Whether the file's head is that of a language's data: how many parts there are, and where each begins, -1 for none.
 * tesseract.js ends the process over a file that is none.
 */
function isTrainedData(path: string): boolean {
  const bytes = readFileSync(path);
  const parts = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (parts <= LSTM_PART || parts > 64 || bytes.length < 4 + 8 * parts) return false;
  const offsets = Array.from({ length: parts }, (_, part) => Number(bytes.readBigInt64LE(4 + 8 * part)));
  return offsets.every((offset) => offset >= -1 && offset < bytes.length) && offsets[LSTM_PART] !== -1;
}

/** Grey values, one byte a pixel, rows from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8Array;
}

export interface Recognised {
  /** Paragraphs as a page of text has them; "" when nothing was found. */
  readonly text: string;
  /** 0..1, the mean of the words' own; 0 without words. */
  readonly confidence: number;
}

/** What pictures are drawn at for recognition. Tesseract was trained on letters of about this size. */
export const DOTS_PER_INCH = 300;

/** One worker thread, started at the first picture and again after a failure. Close it, or the process stays. */
export class Recogniser {
  private worker: Worker | undefined;
  private died: Promise<never> | undefined;

  constructor(private readonly options: RecognitionOptions) {}

  /** Rejects with the signal's reason as soon as it aborts; the thread then is ended. */
  async recognise(picture: Picture, signal: AbortSignal): Promise<Recognised> {
    try {
      const worker = await this.started(signal);
      const job = worker.recognize(Buffer.from(portableGreymap(picture)), {}, { text: false, blocks: true });
      const { data } = await stoppable(Promise.race([job, this.died as Promise<never>]), signal);
      return recognised(data.blocks ?? []);
    } catch (thrown) {
      await this.close();
      throw thrown instanceof Error ? thrown : new Error(String(thrown));
    }
  }

  async close(): Promise<void> {
    const worker = this.worker;
    this.worker = undefined;
    await worker?.terminate();
  }

  private async started(signal: AbortSignal): Promise<Worker> {
    if (this.worker) return this.worker;
    const { createWorker, OEM } = await import("tesseract.js").then((module) => module.default ?? module);
    const data = dirname(createRequire(import.meta.url).resolve("@tesseract.js-data/eng/package.json"));
    const { languages = OWN_LANGUAGE, folder } = this.options;
    // A failing start is told to this handler alone; without one it would be thrown where nobody can catch it.
    let refuse: (reason: unknown) => void = () => undefined;
    const refused = new Promise<never>((_, reject) => {
      refuse = reject;
    });
    refused.catch(() => undefined);
    const starting = createWorker(languages, OEM.LSTM_ONLY, {
      langPath: join(data, "4.0.0_best_int"),
      // What tesseract.js calls its cache is looked into first, and never written to.
      ...(folder === undefined ? { cacheMethod: "none" } : { cacheMethod: "readOnly", cachePath: folder }),
      errorHandler: refuse,
    });
    // A start that is no longer waited for must not leave its thread behind.
    const ended = starting.then((worker) => (signal.aborted ? worker.terminate() : undefined));
    ended.catch(() => undefined);
    const worker = await stoppable(Promise.race([starting, refused]), signal);
    this.worker = worker;
    this.died = new Promise((_, reject) => threadOf(worker).on("error", reject));
    this.died.catch(() => undefined);
    await worker.setParameters({ user_defined_dpi: String(DOTS_PER_INCH) });
    return worker;
  }
}

/** The thread behind tesseract.js' worker: its types leave it out. */
function threadOf(worker: Worker): NodeJS.EventEmitter {
  return (worker as unknown as { worker: NodeJS.EventEmitter }).worker;
}

/** The picture as a file that Leptonica reads without decoding anything (Netpbm's PGM, "P5"). */
function portableGreymap({ width, height, grey }: Picture): Uint8Array {
  return Buffer.concat([Buffer.from(`P5\n${width} ${height}\n255\n`), grey]);
}

function recognised(blocks: readonly Block[]): Recognised {
  const texts: string[] = [];
  let words = 0;
  let sum = 0;
  for (const block of blocks) {
    // Its own paragraphs break at every line of a sheet that lies askew; its lines are right.
    const lines = block.paragraphs.flatMap((paragraph) => paragraph.lines);
    const heights = lines.map(({ bbox }) => bbox.y1 - bbox.y0).sort((one, other) => one - other);
    const size = heights[Math.floor(heights.length / 2)] ?? 1;
    texts.push(paragraphs(lines.map((line) => asLine(line, size))));
    for (const word of lines.flatMap((line) => line.words)) {
      words++;
      sum += word.confidence;
    }
  }
  return { text: texts.filter(Boolean).join("\n\n"), confidence: sum / (100 * Math.max(1, words)) };
}

/** In multiples of the line's height: wider than in a PDF's own text, as recognised words end at their ink. */
const CELL_GAP = 2;

/** A line as those of a text layer have it; all lines of a block count as one size, whichever letters they happen to hold. */
function asLine({ words, baseline }: RecognisedLine, size: number): Line {
  const cells: Cell[] = [];
  for (const { text, bbox } of words) {
    const last = cells.at(-1);
    if (last !== undefined && bbox.x0 - last.end <= CELL_GAP * size) {
      cells[cells.length - 1] = { text: `${last.text} ${text}`, x: last.x, end: bbox.x1 };
    } else {
      cells.push({ text, x: bbox.x0, end: bbox.x1 });
    }
  }
  return { cells, y: -baseline.y0, size, firstFont: "", lastFont: "", turns: 0 };
}

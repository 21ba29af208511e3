/** Pages of a PDF as pictures, for recognition: which ones hold more than their text says, and how they look. */
import type { Canvas } from "@napi-rs/canvas";
import type { PDFPageProxy } from "pdfjs-dist/legacy/build/pdf.mjs";
import { DOTS_PER_INCH, type Picture } from "./ocr.js";
import { stoppable } from "./stoppable.js";

/** What a page draws beside text. */
export interface Painted {
  /** The largest picture's share of the page's area, 0..1. */
  readonly pictureShare: number;
  /** Whether there is anything: a picture, a path, a shade. */
  readonly anything: boolean;
  /** Whether a picture is missing from it, because it is damaged or too large. */
  readonly missing: boolean;
}

/** A place is made for a picture of this share of the page, and nothing is drawn there: pdf.js has left the picture out. */
const MISSING_SHARE = 0.01;

type Matrix = readonly [a: number, b: number, c: number, d: number];

/** Walks through the page's drawing operations; its pictures are decoded for it, so it is asked of few pages. */
export async function paintedOn(page: PDFPageProxy, signal: AbortSignal): Promise<Painted> {
  const { OPS } = await import("pdfjs-dist/legacy/build/pdf.mjs");
  const { fnArray, argsArray } = await stoppable(page.getOperatorList(), signal);
  const pictures = new Set([
    OPS.paintImageXObject,
    OPS.paintImageMaskXObject,
    OPS.paintInlineImageXObject,
    OPS.paintInlineImageXObjectGroup,
    OPS.paintImageXObjectRepeat,
    OPS.paintImageMaskXObjectRepeat,
    OPS.paintImageMaskXObjectGroup,
    OPS.paintSolidColorImageMask,
  ]);
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = page.view;
  const area = Math.abs((x1 - x0) * (y1 - y0)) || 1;
  const saved: Matrix[] = [];
  let matrix: Matrix = [1, 0, 0, 1];
  let pictureShare = 0;
  let anything = false;
  let missing = false;
  const share = ([a, b, c, d]: Matrix) => Math.abs(a * d - b * c) / area;
  fnArray.forEach((operation, index) => {
    const args = argsArray[index] as unknown[] | null;
    const emptyPlace = operation === OPS.restore && fnArray[index - 1] === OPS.transform;
    if (emptyPlace && share(matrix) >= MISSING_SHARE) missing = true;
    if (operation === OPS.save) saved.push(matrix);
    else if (operation === OPS.restore || operation === OPS.paintFormXObjectEnd) matrix = saved.pop() ?? matrix;
    else if (operation === OPS.transform) matrix = times(matrix, args as unknown as Matrix);
    else if (operation === OPS.paintFormXObjectBegin) {
      saved.push(matrix);
      if (args?.[0]) matrix = times(matrix, args[0] as Matrix);
    } else if (pictures.has(operation)) {
      anything = true;
      // A picture fills the unit square of its coordinates.
      pictureShare = Math.max(pictureShare, share(matrix));
      if (typeof args?.[0] === "string" && isDamaged(page, args[0])) missing = true;
    } else if (operation === OPS.constructPath || operation === OPS.shadingFill || operation === OPS.rawFillPath) {
      anything = true;
    }
  });
  return { pictureShare: Math.min(1, pictureShare), anything, missing };
}

/** Whether pdf.js has given a picture up: it then stands for nothing. */
function isDamaged(page: PDFPageProxy, name: string): boolean {
  const objects = name.startsWith("g_") ? page.commonObjs : page.objs;
  return objects.has(name) && objects.get(name) === null;
}

/** The product's linear part: where things lie does not matter for their size. */
function times([a, b, c, d]: Matrix, [e, f, g, h]: Matrix): Matrix {
  return [a * e + c * f, b * e + d * f, a * g + c * h, b * g + d * h];
}

/** A larger page is drawn at fewer dots per inch. */
const MAX_PIXELS = 24e6;

/** The page as it looks, upright, in grey. @throws whatever the signal's reason is, or what pdf.js cannot draw */
export async function pictureOf(page: PDFPageProxy, signal: AbortSignal): Promise<Picture> {
  const canvases = await drawing();
  const points = page.getViewport({ scale: 1 });
  const scale = Math.min(DOTS_PER_INCH / 72, Math.sqrt(MAX_PIXELS / (points.width * points.height)));
  const viewport = page.getViewport({ scale });
  const canvas = canvases.createCanvas(Math.ceil(viewport.width), Math.ceil(viewport.height));
  const task = page.render({ canvas: canvas as unknown as HTMLCanvasElement, viewport });
  try {
    await stoppable(task.promise, signal);
    return greyOf(canvas);
  } finally {
    task.cancel();
  }
}

/** The canvas library, with the classes that pdf.js expects of a browser in place of the stand-ins that text needs. */
async function drawing(): Promise<typeof import("@napi-rs/canvas")> {
  const canvases = await import("@napi-rs/canvas");
  const { DOMMatrix, ImageData, Path2D } = canvases;
  Object.assign(globalThis, { DOMMatrix, ImageData, Path2D });
  return canvases;
}

/** Luma by the weights of ITU-R BT.601, in whole numbers. */
function greyOf(canvas: Canvas): Picture {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let pixel = 0, at = 0; pixel < grey.length; pixel++, at += 4) {
    grey[pixel] = ((data[at] as number) * 77 + (data[at + 1] as number) * 150 + (data[at + 2] as number) * 29) >> 8;
  }
  return { width, height, grey };
}

/** Darker and lighter by less than this is paper, not ink; of 255. */
const FAINTEST = 16;

/** Whether there is nothing on it that could be read, as on the back of many a scanned sheet. */
export function isBlank({ grey }: Picture): boolean {
  let darkest = 255;
  let lightest = 0;
  for (const value of grey) {
    if (value < darkest) darkest = value;
    if (value > lightest) lightest = value;
    if (lightest - darkest >= FAINTEST) return false;
  }
  return true;
}

/** The picture turned clockwise. */
export function quarterTurn({ width, height, grey }: Picture): Picture {
  const turned = new Uint8Array(grey.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) turned[x * height + (height - 1 - y)] = grey[at] as number;
  }
  return { width: height, height: width, grey: turned };
}

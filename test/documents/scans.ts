/** Scans of our own making: pages drawn on a canvas with a font that pdf.js brings, and spoilt as scanners spoil them. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createCanvas, GlobalFonts, type SKRSContext2D } from "@napi-rs/canvas";

const fonts = join(dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json")), "standard_fonts");
GlobalFonts.registerFromPath(join(fonts, "LiberationSans-Regular.ttf"), "Scanned");

/** A page of prose that no dictionary knows by heart, with figures and names in it. */
export const SCANNED_TEXT = [
  "The dredging of the approach channel began on 4 March and ended on 29 September 2024, eleven days later than planned.",
  "In all, 412,600 cubic metres of silt and sand were removed, of which 38,000 went into the new embankment at Ostley.",
  "The council had set aside 3.2 million for the work; it cost 3.41 million, because fuel became dearer in the summer.",
  "Captain Wilhelmina Okafor, who has piloted ships here since 1998, called the channel the best that she has known.",
  "Larger vessels can now enter at any state of the tide, and the pilots expect forty more calls in the coming year.",
];

export interface ScanQuality {
  readonly dotsPerInch: number;
  /** Degrees that the sheet lies askew. */
  readonly skew?: number;
  /** Standard deviation of the grey values' noise, of 255. */
  readonly noise?: number;
  /** Grey of paper and ink, 0 is black. */
  readonly paper?: number;
  readonly ink?: number;
  /** JPEG quality, 1 to 100; PNG when absent. */
  readonly jpeg?: number;
}

/** The paragraphs on an A4 sheet, as a picture file. */
export function scanOf(paragraphs: readonly string[], quality: ScanQuality): Buffer {
  const { dotsPerInch, skew = 0, noise = 0, paper = 255, ink = 0, jpeg } = quality;
  const point = dotsPerInch / 72;
  const canvas = createCanvas(Math.round(595 * point), Math.round(842 * point));
  const context = canvas.getContext("2d");
  context.fillStyle = grey(paper);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(point, point);
  context.rotate((skew * Math.PI) / 180);
  context.fillStyle = grey(ink);
  context.font = "12px Scanned";
  let y = 90;
  for (const paragraph of paragraphs) {
    for (const line of wrapped(context, paragraph, 440)) {
      context.fillText(line, 72, y);
      y += 17;
    }
    y += 10;
  }
  // Skia puts pixels through the transformation, against the standard.
  context.resetTransform();
  if (noise > 0) addNoise(context, canvas.width, canvas.height, noise);
  return jpeg === undefined ? canvas.toBuffer("image/png") : canvas.toBuffer("image/jpeg", jpeg);
}

function grey(value: number): string {
  return `rgb(${value},${value},${value})`;
}

function wrapped(context: SKRSContext2D, paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (context.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

function addNoise(context: SKRSContext2D, width: number, height: number, deviation: number): void {
  const image = context.getImageData(0, 0, width, height);
  let state = 1;
  for (let at = 0; at < image.data.length; at += 4) {
    // Park and Miller's generator, the same noise every time; three of its values make a rough bell curve.
    let sum = 0;
    for (let n = 0; n < 3; n++) {
      state = (state * 48271) % 2147483647;
      sum += state / 2147483647 - 0.5;
    }
    const value = (image.data[at] as number) + 2 * sum * deviation;
    image.data[at] = image.data[at + 1] = image.data[at + 2] = value;
  }
  context.putImageData(image, 0, 0);
}

/** Edits (insertions, deletions, replacements) that turn one text into the other, a share of the first one's length. */
export function characterErrorRate(truth: string, read: string): number {
  const [a, b] = [truth.replace(/\s+/g, " ").trim(), read.replace(/\s+/g, " ").trim()];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return (row[b.length] as number) / a.length;
}

/** From positioned pieces of text to lines: told apart, put upright, and their words and cells set apart. */

/** A piece of text, in the page's units (1/72 inch), y upwards, as pdf.js gives it. */
export interface TextPiece {
  readonly str: string;
  /** "rtl": its letters are in logical order, but it stands on a line that is read from the right. */
  readonly dir?: string;
  /** [a, b, c, d, x, y]: the baseline's start is (x, y). */
  readonly transform: readonly number[];
  readonly width: number;
  readonly height?: number;
  /** pdf.js's own name for the font: only good for telling fonts of one page apart. */
  readonly fontName: string;
  readonly hasEOL: boolean;
  /** Its font writes from top to bottom. */
  readonly vertical?: boolean;
}

/** Words without a wide gap between them; x from left to right in the line's own direction. */
export interface Cell {
  readonly text: string;
  readonly x: number;
  readonly end: number;
}

/**
 * One line. Its coordinates are turned so that its text runs from left to right and the next line is below, whatever
 * the page's rotation: "across" is `x` to `end`, `y` grows upwards.
 */
export interface Line {
  /** In reading order; more than one where wide gaps stand between words, as in the row of a table. */
  readonly cells: readonly Cell[];
  readonly y: number;
  readonly size: number;
  readonly firstFont: string;
  readonly lastFont: string;
  /** How the line was turned, in quarter turns anticlockwise; vertical writing counts as 3. */
  readonly turns: number;
  /** Where its column ends on the right; the page's widest line when absent. */
  readonly right?: number;
}

/** A piece put upright. */
interface Placed {
  readonly str: string;
  readonly x: number;
  readonly end: number;
  readonly y: number;
  readonly size: number;
  readonly font: string;
  readonly turns: number;
  readonly rtl: boolean;
}

/** In multiples of the type size. */
const CELL_GAP = 1.5;
const WORD_GAP = 0.15;

export function lineText(line: Line): string {
  return line.cells.map((cell) => cell.text).join("  ");
}

export function lineStart(line: Line): number {
  return line.cells.reduce((least, { x }) => Math.min(least, x), Number.POSITIVE_INFINITY);
}

export function lineEnd(line: Line): number {
  return line.cells.reduce((most, { end }) => Math.max(most, end), Number.NEGATIVE_INFINITY);
}

/**
 * The lines of one page in the order in which the page draws them, which is the reading order but for columns that are
 * drawn side by side (pdf-columns.ts). Takes time in proportion to the text.
 */
export function linesOf(pieces: readonly TextPiece[]): Line[] {
  const lines: Placed[][] = [];
  let line: Placed[] | undefined;
  for (const piece of pieces) {
    const placed = place(piece);
    if (placed.str.trim() !== "") {
      const last: Placed[] | undefined = line ?? lines.at(-1);
      const goesOn = last !== undefined && (line === undefined ? continues(last, placed) : sameWay(last, placed));
      if (!goesOn) {
        line = [];
        lines.push(line);
      } else {
        line = last;
      }
      if (!isShadow(line?.at(-1), placed)) line?.push(placed);
    } else if (line !== undefined && placed.str !== "") {
      line.push(placed);
    }
    if (piece.hasEOL) line = undefined;
  }
  return lines.map(layOut);
}

/** The same text drawn again a hair's breadth away, to look bold. */
function isShadow(before: Placed | undefined, piece: Placed): boolean {
  if (before === undefined || before.str !== piece.str) return false;
  const near = 0.1 * piece.size;
  return Math.abs(before.x - piece.x) < near && Math.abs(before.y - piece.y) < near;
}

function sameWay(line: readonly Placed[], piece: Placed): boolean {
  return line[0]?.turns === piece.turns;
}

/** A raised or lowered mark (a footnote's number) ends the line for pdf.js, but not for a reader. */
function continues(line: readonly Placed[], piece: Placed): boolean {
  const first = line[0];
  const last = line.at(-1);
  if (first === undefined || last === undefined || !sameWay(line, piece)) return false;
  if (Math.abs(first.y - piece.y) >= first.size / 2) return false;
  return piece.rtl && last.rtl ? piece.end <= last.x + 1 : piece.x >= last.end - 1;
}

function place(piece: TextPiece): Placed {
  const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = piece.transform;
  const size = Math.hypot(c, d) || Math.hypot(a, b) || 1;
  const turns = piece.vertical ? 3 : (Math.round(Math.atan2(b, a) / (Math.PI / 2)) + 4) % 4;
  const [along, across] = upright(x, y, turns);
  const length = piece.vertical ? (piece.height ?? 0) : piece.width;
  const str = clean(piece.str);
  return { str, x: along, end: along + length, y: across, size, font: piece.fontName, turns, rtl: piece.dir === "rtl" };
}

/** A point turned back by quarter turns. */
export function upright(x: number, y: number, turns: number): readonly [x: number, y: number] {
  if (turns === 1) return [y, -x];
  if (turns === 2) return [-x, -y];
  return turns === 3 ? [-y, x] : [x, y];
}

/** Sets a line's words and cells apart by the gaps between its pieces. */
function layOut(pieces: readonly Placed[]): Line {
  const words = pieces.filter((piece) => piece.str.trim() !== "");
  const first = words[0] as Placed;
  const rtl = words.filter((piece) => piece.rtl).length * 2 > words.length;
  const ordered = rtl ? [...words].sort((one, other) => other.x - one.x) : pieces;
  const cells: Cell[] = [];
  let parts: string[] = [];
  let from = first.x;
  let to = first.end;
  const close = () => {
    const text = parts.join("").trim().replace(/ {2,}/g, " ");
    if (text !== "") cells.push({ text, x: from, end: to });
    parts = [];
  };
  for (const piece of ordered) {
    if (piece.str.trim() === "") {
      parts.push(" ");
      continue;
    }
    const gap = parts.length === 0 ? 0 : rtl ? from - piece.end : piece.x - to;
    if (gap > CELL_GAP * first.size) close();
    else if (gap > WORD_GAP * first.size) parts.push(" ");
    if (parts.length === 0) [from, to] = [piece.x, piece.end];
    parts.push(piece.str);
    from = Math.min(from, piece.x);
    to = Math.max(to, piece.end);
  }
  close();
  const last = words.at(-1) as Placed;
  return { cells, y: first.y, size: first.size, firstFont: first.font, lastFont: last.font, turns: first.turns };
}

/** Ligatures, the shapes of Arabic letters in a word, radicals that stand for characters, marks turned for vertical lines. */
const PRESENTATION_FORMS = /[\u2f00-\u2fdf\ufb00-\ufb06\ufb13-\ufdff\ufe10-\ufe19\ufe30-\ufe48\ufe70-\ufefc]/g;

/** Control characters say nothing to a model, and a zero would end its text; forms become the letters they stand for. */
function clean(str: string): string {
  return (
    str
      // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are to go
      .replace(/[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]/g, "")
      .replace(/[\t\n\u00a0]/g, " ")
      .replace(PRESENTATION_FORMS, (form) => form.normalize("NFKC"))
  );
}

/**
 * From positioned pieces of text to paragraphs. pdf.js gives the pieces in the order in which the page draws them,
 * which in nearly every document is the reading order, so nothing is sorted: lines are only told apart and joined.
 */

/** A piece of text, in the page's units (1/72 inch), y upwards, as pdf.js gives it. */
export interface TextPiece {
  readonly str: string;
  /** [a, b, c, d, x, y]: the baseline's start is (x, y). */
  readonly transform: readonly number[];
  readonly width: number;
  /** pdf.js's own name for the font: only good for telling fonts of one page apart. */
  readonly fontName: string;
  readonly hasEOL: boolean;
}

interface Line {
  readonly text: string;
  readonly x: number;
  end: number;
  readonly y: number;
  readonly size: number;
  readonly firstFont: string;
  lastFont: string;
  /** Cells of a table stand in it: wide gaps between words. */
  row: boolean;
}

/** A line whose text is still being put together. */
type OpenLine = Omit<Line, "text"> & { readonly parts: string[] };

/** In multiples of the type size. */
const CELL_GAP = 1.5;
const WORD_GAP = 0.15;
const INDENT = 0.8;
/** Lines further apart than this many times the page's usual distance begin a paragraph. */
const PARAGRAPH_GAP = 1.25;

/**
 * The paragraphs of one page, separated by an empty line; rows of a table and items of a list by a single line break.
 * Takes time in proportion to the text, whatever the text.
 */
export function paragraphs(pieces: readonly TextPiece[]): string {
  const lines = joinLines(pieces);
  const leading = usualLeading(lines);
  const right = lines.reduce((most, line) => Math.max(most, line.end), 0);
  const compounds = hyphenatedWords(lines);
  const parts: string[] = [];
  let before: Line | undefined;
  let first: Line | undefined;
  for (const line of lines) {
    if (before === undefined || first === undefined) {
      parts.push(line.text);
      first = line;
    } else if ((before.row && line.row) || (startsListItem(first.text) && startsListItem(line.text))) {
      parts.push("\n", line.text);
      first = line;
    } else if (beginsParagraph(line, before, first, leading, right)) {
      parts.push("\n\n", line.text);
      first = line;
    } else {
      const { stem, joint } = joinBetween(before.text, line.text, compounds);
      parts[parts.length - 1] = stem;
      parts.push(joint, line.text);
    }
    before = line;
  }
  return parts.join("");
}

function joinLines(pieces: readonly TextPiece[]): Line[] {
  const lines: OpenLine[] = [];
  let line: OpenLine | undefined;
  for (const piece of pieces) {
    const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = piece.transform;
    const size = Math.hypot(c, d) || Math.hypot(a, b) || 1;
    const str = clean(piece.str);
    if (str.trim() !== "") {
      // A raised or lowered mark (a footnote's number) ends the line for pdf.js, but not for a reader.
      const last = lines.at(-1);
      if (!line && last && Math.abs(last.y - y) < last.size / 2 && x >= last.end - 1) line = last;
      if (!line) {
        line = { parts: [], x, end: x, y, size, firstFont: piece.fontName, lastFont: piece.fontName, row: false };
        lines.push(line);
      }
      const gap = line.parts.length === 0 ? 0 : x - line.end;
      if (gap > CELL_GAP * size) {
        line.row = true;
        line.parts.push("  ");
      } else if (gap > WORD_GAP * size) {
        line.parts.push(" ");
      }
      line.parts.push(str);
      line.lastFont = piece.fontName;
      line.end = Math.max(line.end, x + piece.width);
    } else if (line !== undefined && str !== "") {
      line.parts.push(" ");
    }
    if (piece.hasEOL) line = undefined;
  }
  return lines.map(({ parts, ...rest }) => ({ ...rest, text: spaced(parts.join(""), rest.row) }));
}

/** One space between words; between the cells of a row, where more have come together, two. */
function spaced(text: string, row: boolean): string {
  return text.trim().replace(/ {2,}/g, row ? "  " : " ");
}

/** Control characters say nothing to a model, and a zero would end its text. */
function clean(str: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are to go
  return str.replace(/[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]/g, "").replace(/[\t\n\u00a0]/g, " ");
}

/** The median distance of two lines of one size, in multiples of that size. */
function usualLeading(lines: readonly Line[]): number {
  const distances: number[] = [];
  for (let i = 1; i < lines.length; i++) {
    const [above, below] = [lines[i - 1] as Line, lines[i] as Line];
    const distance = (above.y - below.y) / below.size;
    if (sameSize(above, below) && distance > 0.5 && distance < 3) distances.push(distance);
  }
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? 1.2;
}

function beginsParagraph(line: Line, before: Line, first: Line, leading: number, right: number): boolean {
  if (line.row || before.row || !sameSize(line, before) || startsListItem(line.text)) return true;
  const distance = (before.y - line.y) / line.size;
  const sentenceEnded = /[.!?:;]["'”’)\]]*$/.test(before.text.slice(-8));
  // Upwards or far down: the next column, in which a sentence may go on.
  if (distance < 0 || distance > 10) return sentenceEnded;
  if (distance > leading * PARAGRAPH_GAP) return true;
  // The second line of a list's item is indented too, but goes on.
  const indented = line.x - before.x > INDENT * line.size && before.x <= first.x && !startsListItem(before.text);
  // A short last line, known by a column that is wider: of a sentence, or of a heading in the text's own size.
  const short = before.end < right - 0.25 * (right - before.x);
  const otherFont = before.lastFont !== line.firstFont;
  return (indented && sentenceEnded) || (short && (otherFont || (sentenceEnded && line.end > before.end)));
}

function startsListItem(text: string): boolean {
  return /^([•◦▪‣·●○■]|[-–—*]\s|\(?(\d{1,3}|[a-z]|[ivx]{1,4})[.)]\s)/.test(text);
}

function sameSize(a: Line, b: Line): boolean {
  return Math.abs(a.size - b.size) < 0.08 * Math.max(a.size, b.size);
}

/** Words that this page writes with a hyphen inside a line: such a hyphen stays when a line ends at it. */
function hyphenatedWords(lines: readonly Line[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.text.toLowerCase().match(/\p{L}{1,40}-\p{L}{1,40}/gu) ?? []));
}

/** How a line goes on in the next: what stays of it, and what comes between. */
function joinBetween(text: string, next: string, compounds: ReadonlySet<string>): { stem: string; joint: string } {
  if (text.endsWith("\u00ad")) return { stem: text.slice(0, -1), joint: "" };
  const head = /(\p{L}{1,40})[-\u2010]$/u.exec(text.slice(-42))?.[1];
  if (head === undefined) return { stem: text, joint: " " };
  const tail = /^\p{Ll}{1,40}/u.exec(next)?.[0];
  const stays = tail === undefined || compounds.has(`${head}-${tail}`.toLowerCase());
  return { stem: stays ? text : text.slice(0, -1), joint: "" };
}

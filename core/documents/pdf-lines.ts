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
  text: string;
  readonly x: number;
  end: number;
  readonly y: number;
  readonly size: number;
  readonly firstFont: string;
  lastFont: string;
  /** Cells of a table stand in it: wide gaps between words. */
  row: boolean;
}

/** In multiples of the type size. */
const CELL_GAP = 1.5;
const INDENT = 0.8;
/** Lines further apart than this many times the page's usual distance begin a paragraph. */
const PARAGRAPH_GAP = 1.25;

/** The paragraphs of one page, separated by an empty line; rows of a table and items of a list by a
 * single line break. */
export function paragraphs(pieces: readonly TextPiece[]): string {
  const lines = joinLines(pieces);
  const leading = usualLeading(lines);
  const right = Math.max(0, ...lines.map((line) => line.end));
  const compounds = hyphenatedWords(lines);
  let text = "";
  let before: Line | undefined;
  let first: Line | undefined;
  for (const line of lines) {
    if (before === undefined || first === undefined) {
      text = line.text;
      first = line;
    } else if ((before.row && line.row) || (startsListItem(first.text) && startsListItem(line.text))) {
      text += `\n${line.text}`;
      first = line;
    } else if (beginsParagraph(line, before, first, leading, right)) {
      text += `\n\n${line.text}`;
      first = line;
    } else {
      text = continueLine(text, line.text, compounds);
    }
    before = line;
  }
  return text;
}

function joinLines(pieces: readonly TextPiece[]): Line[] {
  const lines: Line[] = [];
  let line: Line | undefined;
  for (const piece of pieces) {
    const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = piece.transform;
    const size = Math.hypot(c, d) || Math.hypot(a, b) || 1;
    const str = clean(piece.str);
    if (str.trim() !== "") {
      // A raised or lowered mark (a footnote's number) ends the line for pdf.js, but not for a reader.
      const last = lines.at(-1);
      if (line === undefined && last !== undefined && Math.abs(last.y - y) < last.size / 2 && x >= last.end - 1)
        line = last;
      if (line === undefined) {
        line = { text: "", x, end: x, y, size, firstFont: piece.fontName, lastFont: piece.fontName, row: false };
        lines.push(line);
      }
      const gap = x - line.end;
      if (line.text !== "" && gap > CELL_GAP * size) {
        line.row = true;
        line.text = `${line.text.trimEnd()}  `;
      } else if (gap > 0.15 * size && line.text !== "" && !/\s$/.test(line.text) && !/^\s/.test(str)) {
        line.text += " ";
      }
      line.lastFont = piece.fontName;
      line.text += line.text === "" ? str.trimStart() : str;
      line.end = Math.max(line.end, x + piece.width);
    } else if (line !== undefined && str !== "" && !/\s$/.test(line.text)) {
      line.text += " ";
    }
    if (piece.hasEOL) line = undefined;
  }
  for (const each of lines) each.text = each.text.trimEnd();
  return lines.filter((each) => each.text !== "");
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
  const sentenceEnded = /[.!?:;]["'”’)\]]*$/.test(before.text);
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
  return new Set(lines.flatMap((line) => line.text.toLowerCase().match(/\p{L}+-\p{L}+/gu) ?? []));
}

function continueLine(text: string, next: string, compounds: ReadonlySet<string>): string {
  if (text.endsWith("\u00ad")) return text.slice(0, -1) + next;
  const head = /(\p{L}+)[-\u2010]$/u.exec(text.slice(-64))?.[1];
  const tail = /^\p{Ll}+/u.exec(next)?.[0];
  if (head === undefined) return `${text} ${next}`;
  if (tail === undefined || compounds.has(`${head}-${tail}`.toLowerCase())) return text + next;
  return text.slice(0, -1) + next;
}

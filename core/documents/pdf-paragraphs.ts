/** From lines to paragraphs. */
import { type Line, lineEnd, lineStart, lineText } from "./pdf-lines.js";

/** In multiples of the type size. */
const INDENT = 0.8;
/** Lines further apart than this many times the page's usual distance begin a paragraph. */
const PARAGRAPH_GAP = 1.25;

/** A line with what is asked of it again and again. */
interface Measured extends Line {
  readonly text: string;
  readonly x: number;
  readonly end: number;
  /** Cells of a table stand in it: wide gaps between words. */
  readonly row: boolean;
}

/**
 * The paragraphs of one page, separated by an empty line; rows of a table and items of a list by a single line break.
 * Takes time in proportion to the text, whatever the text.
 * @param headings titles that the document's outline places on this page: such a line stands alone
 */
export function paragraphs(lines: readonly Line[], headings: ReadonlySet<string> = new Set()): string {
  return joined(
    lines.map((line) => {
      const text = lineText(line);
      const entry = contentsEntry(text);
      return {
        ...line,
        text: entry ?? text,
        x: lineStart(line),
        end: lineEnd(line),
        row: line.cells.length > 1 || entry !== undefined,
      };
    }),
    headings,
  );
}

/** A line of a table of contents as a row, without the dots that lead to its page; undefined when it is none. */
function contentsEntry(text: string): string | undefined {
  if (text.length > 400) return undefined;
  const [, title, page] = /^(.*?[^.\s])\s*(?:\.\s*){4,}([\p{L}\p{N}-]{1,8})$/u.exec(text) ?? [];
  return title === undefined ? undefined : `${title}  ${page}`;
}

/** White space and case of a title differ between a page and the outline. */
export function headingKey(text: string): string {
  return text.replace(/\s+/g, " ").trim().toLowerCase();
}

function joined(lines: readonly Measured[], headings: ReadonlySet<string>): string {
  const leading = usualLeading(lines);
  const right = lines.reduce((most, line) => Math.max(most, line.end), Number.NEGATIVE_INFINITY);
  const compounds = hyphenatedWords(lines);
  const isHeading = (line: Measured) => headings.size > 0 && headings.has(headingKey(line.text));
  const parts: string[] = [];
  let before: Measured | undefined;
  let first: Measured | undefined;
  for (const line of lines) {
    if (before === undefined || first === undefined) {
      parts.push(line.text);
      first = line;
    } else if (isHeading(line) || isHeading(before)) {
      parts.push("\n\n", line.text);
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

/** The median distance of two lines of one size, in multiples of that size. */
function usualLeading(lines: readonly Measured[]): number {
  const distances: number[] = [];
  for (let i = 1; i < lines.length; i++) {
    const [above, below] = [lines[i - 1] as Measured, lines[i] as Measured];
    const distance = (above.y - below.y) / below.size;
    if (sameSize(above, below) && distance > 0.5 && distance < 3) distances.push(distance);
  }
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? 1.2;
}

function beginsParagraph(line: Measured, before: Measured, first: Measured, leading: number, right: number): boolean {
  if (line.row || before.row || line.turns !== before.turns || !sameSize(line, before) || startsListItem(line.text))
    return true;
  const distance = (before.y - line.y) / line.size;
  const sentenceEnded = /[.!?:;]["'”’)\]]*$/.test(before.text.slice(-8));
  // Upwards or far down: the next column, in which a sentence may go on.
  if (distance < 0 || distance > 10) return sentenceEnded;
  if (distance > leading * PARAGRAPH_GAP) return true;
  // The second line of a list's item is indented too, but goes on.
  const indented = line.x - before.x > INDENT * line.size && before.x <= first.x && !startsListItem(before.text);
  // A short last line, known by a column that is wider: of a sentence, or of a heading in the text's own size.
  const edge = before.right ?? right;
  const short = before.end < edge - 0.25 * (edge - before.x);
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
function hyphenatedWords(lines: readonly Measured[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.text.toLowerCase().match(/\p{L}{1,40}-\p{L}{1,40}/gu) ?? []));
}

/** How a line goes on in the next: what stays of it, and what comes between. */
function joinBetween(text: string, next: string, compounds: ReadonlySet<string>): { stem: string; joint: string } {
  if (text.endsWith("\u00ad")) return { stem: text.slice(0, -1), joint: "" };
  const head = /(\p{L}{1,40})[-\u2010]$/u.exec(text.slice(-42))?.[1];
  if (head === undefined) return { stem: text, joint: joinsWithoutSpace(text, next) ? "" : " " };
  const tail = /^\p{Ll}{1,40}/u.exec(next)?.[0];
  const stays = tail === undefined || compounds.has(`${head}-${tail}`.toLowerCase());
  return { stem: stays ? text : text.slice(0, -1), joint: "" };
}

/** Chinese and Japanese have no spaces, and a line's end is none. */
function joinsWithoutSpace(text: string, next: string): boolean {
  const script = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uff60]/u;
  return script.test(text.slice(-1)) && script.test(next.slice(0, 1));
}

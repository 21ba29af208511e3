/** What is put into the index, and what a search asks of it. */

const UNSPACED = "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}]";
const BETWEEN = new RegExp(`(?<=${UNSPACED})(?=\\S)|(?<=\\S)(?=${UNSPACED})`, "gu");
/** Of no width, and no part of a word to SQLite's tokenizer. */
const BREAK = "\u200b";

/**
 * The text with its characters of Chinese and Japanese made words of their own: these scripts put no spaces between
 * words, and the tokenizer would take a sentence for one word.
 */
export function indexable(text: string): string {
  return (
    text
      .normalize("NFC")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u200b]|\p{Surrogate}/gu, " ")
      .replace(BETWEEN, BREAK)
  );
}

/** The text as it was before `indexable`. */
export function readable(text: string): string {
  return text.replaceAll(BREAK, "");
}

export interface Asked {
  /** A word, or several that stand together; as `indexable` writes it. */
  readonly text: string;
  /** Whether a word may go on after it. */
  readonly unfinished: boolean;
}

/** What a query asks for: words, and what stands in quotation marks as it stands there; the last may be unfinished. */
export function askedFor(query: string): Asked[] {
  const all = [...query.matchAll(/"([^"]*)("|$)|[^\s"]+/gu)].map(([whole, quoted]) => ({
    text: indexable(quoted ?? whole).trim(),
    quoted: quoted !== undefined,
  }));
  const asked = all.filter(({ text }) => /[\p{L}\p{N}\p{Co}]/u.test(text));
  return asked.map(({ text, quoted }, index) => ({
    text,
    // One letter begins too many words to look through; what is one letter in Chinese is a word of its own.
    unfinished: !quoted && index === asked.length - 1 && text.length > 1 && !/\s$/.test(query),
  }));
}

/** That in FTS5's language: all of it. No character that the user wrote has a meaning of its own there. */
export function searchOf(asked: readonly Asked[]): string {
  return asked.map(({ text, unfinished }) => `"${text}"${unfinished ? "*" : ""}`).join(" AND ");
}

export interface Piece {
  readonly text: string;
  /** Whether it is what was asked for. */
  readonly found: boolean;
}

/** UTF-16 units that an excerpt has before and after the first thing found. */
const BEFORE = 60;
const AFTER = 160;

/** A line of the text around the first thing asked for, in pieces; the text's beginning when there is none. */
export function excerpt(text: string, asked: readonly Asked[]): Piece[] {
  const folded = fold(text);
  const places = asked.flatMap(({ text: word, unfinished }) => placesOf(folded, fold(word), unfinished));
  places.sort((one, other) => one.start - other.start);
  const first = places[0]?.start ?? 0;
  const from = first <= BEFORE ? 0 : wordAfter(text, first - BEFORE, first);
  const to = first + AFTER >= text.length ? text.length : wordBefore(text, first + AFTER, first);
  const pieces: Piece[] = from > 0 ? [{ text: "… ", found: false }] : [];
  let at = from;
  for (const { start, end } of places) {
    if (start < at || end > to) continue;
    pieces.push({ text: text.slice(at, start), found: false }, { text: text.slice(start, end), found: true });
    at = end;
  }
  pieces.push({ text: text.slice(at, to), found: false });
  if (to < text.length) pieces.push({ text: " …", found: false });
  return pieces
    .map((piece) => ({ ...piece, text: piece.text.replaceAll(BREAK, "").replace(/\s+/g, " ") }))
    .filter((piece) => piece.text !== "");
}

const WORD = /[\p{L}\p{N}\p{M}\p{Co}]/u;

function placesOf(text: string, word: string, unfinished: boolean): { start: number; end: number }[] {
  const places: { start: number; end: number }[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
    const end = at + word.length;
    const whole = !WORD.test(text[at - 1] ?? " ") && (unfinished || !WORD.test(text[end] ?? " "));
    if (whole) places.push({ start: at, end });
  }
  return places;
}

/** The beginning of the first word after `from`, before `limit`. */
function wordAfter(text: string, from: number, limit: number): number {
  const space = text.slice(from, limit).search(/\s/);
  return space < 0 ? from : from + space + 1;
}

/** The end of the last word before `to`, after `limit`. */
function wordBefore(text: string, to: number, limit: number): number {
  const space = text.slice(limit, to).search(/\s\S*$/);
  return space < 0 ? to : limit + space;
}

/** As the tokenizer compares: without case and accents, but each character where it was. */
function fold(text: string): string {
  return text.replace(/[^\0-\x40\x5b-\x7f]/g, (character) => {
    const plain = character.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.length === 1 ? plain : character;
  });
}

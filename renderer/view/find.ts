/** Finding words and passages in the text of a page. Places are UTF-16 offsets, `end` exclusive. */

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Of the pieces of a snippet, the longest series of words that was found in it, as it stands there; "" when there is none. */
export function foundWords(snippet: readonly { readonly text: string; readonly found: boolean }[]): string {
  const series = [""];
  for (const { text, found } of snippet) {
    // what stands between two words of a series is not found itself
    if (found || (text.trim() === "" && series.at(-1) !== "")) series.push(`${series.pop()}${text}`);
    else series.push("");
  }
  return series.map((words) => words.trim()).reduce((best, words) => (words.length > best.length ? words : best), "");
}

/** A text made comparable, with the place of the original that each of its units stands for. */
interface Folded {
  readonly text: string;
  readonly places: readonly Stretch[];
}

/** Accents and vowel points, as NFKD sets them apart. The marks of Japanese and Indian scripts tell letters apart and stay. */
const marks = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]/g;
/** What breaks words at the end of a line; "well-known" and "wellknown" are then the same. */
const hyphens = /[-\u00ad\u2010\u2011]/;
const wide = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uff60]/u;
const wordPart = /[\p{L}\p{N}]/u;

/**
 * Case, accents, ligatures, hyphens and line breaks make no difference.
 * @param wordsOnly spaces and punctuation make none, either
 */
function fold(original: string, wordsOnly = false): Folded {
  const places: Stretch[] = [];
  const units: string[] = [];
  const push = (folded: string, start: number, end: number) => {
    for (const unit of folded.split("")) {
      units.push(unit);
      places.push({ start, end });
    }
  };
  let hyphen = false;
  let end = 0;
  for (const character of original) {
    const start = end;
    end += character.length;
    if (hyphens.test(character)) {
      hyphen = wordPart.test(units.at(-1) ?? "");
      continue;
    }
    if (/\s/.test(character)) {
      // A line's end behind a hyphen only breaks a word.
      if (hyphen && character === "\n") continue;
      if (!wordsOnly && units.length > 0 && units.at(-1) !== " ") push(" ", start, end);
    } else {
      // Chinese and Japanese have no spaces: there, a line's end is none.
      if (wide.test(character) && units.at(-1) === " " && wide.test(units.at(-2) ?? "")) {
        units.pop();
        places.pop();
      }
      for (const folded of character < "\u0080" ? character.toLowerCase() : plain(character)) {
        if (!wordsOnly || wordPart.test(folded)) push(folded, start, end);
      }
    }
    hyphen = false;
  }
  return { text: units.join(""), places };
}

const plain = (character: string): string =>
  character.normalize("NFKD").toLowerCase().replace(marks, "").normalize("NFC");

/** A text or a query as `timesIn` compares them; "" when there is nothing to look for. */
export const comparable = (text: string): string => fold(text).text.trim();

/** How often a query occurs in a text, both `comparable`. */
export function timesIn(text: string, query: string): number {
  let times = 0;
  for (let at = next(text, query, 0); at >= 0; at = next(text, query, at + query.length)) times += 1;
  return times;
}

const next = (text: string, query: string, from: number): number => (query === "" ? -1 : text.indexOf(query, from));

/** Every place of a query in a text: as many as `timesIn` counts. */
export function findAll(original: string, query: string): Stretch[] {
  const { text, places } = fold(original);
  const sought = comparable(query);
  const found: Stretch[] = [];
  for (let at = next(text, sought, 0); at >= 0; at = next(text, sought, at + sought.length)) {
    found.push(between(places, at, at + sought.length));
  }
  return found;
}

const between = (places: readonly Stretch[], from: number, to: number): Stretch => ({
  start: (places[from] as Stretch).start,
  end: (places[to - 1] as Stretch).end,
});

/** Letters and figures that must stand together for a piece of a passage to count: about three words. */
const leastPiece = 16;

/**
 * Where a passage of the document's text stands on its page as that is drawn: there, lines are broken and words with
 * them, and a header, a footnote or another column may stand between its sentences.
 * @returns its pieces in the page's order; none when less than half of it stands there
 */
export function findPassage(original: string, passage: string): Stretch[] {
  const { text, places } = fold(original, true);
  const sought = fold(passage, true).text;
  const pieces: [from: number, to: number][] = [];
  let covered = 0;
  let behind = 0;
  let at = 0;
  while (at < sought.length) {
    const probe = sought.slice(at, at + leastPiece);
    if (probe.length < Math.min(leastPiece, sought.length)) break;
    // What comes behind the piece before is likelier than the same words elsewhere.
    const found = text.indexOf(probe, behind) < 0 ? text.indexOf(probe) : text.indexOf(probe, behind);
    if (found < 0) {
      at += 1;
      continue;
    }
    let length = probe.length;
    while (at + length < sought.length && text[found + length] === sought[at + length]) length += 1;
    pieces.push([found, found + length]);
    covered += length;
    at += length;
    behind = found + length;
  }
  if (covered === 0 || covered < sought.length / 2) return [];
  return pieces.sort(([one], [other]) => one - other).map(([from, to]) => between(places, from, to));
}

/** One of the places that were found. */
export interface Hit {
  readonly page: number;
  /** Of those on its page, from 0. */
  readonly index: number;
}

/** The first hit on a page or behind it; from the document's beginning when there is none and `around` is set. */
export function firstHit(counts: readonly number[], page: number, around: boolean): Hit | undefined {
  const ahead = counts.findIndex((count, index) => count > 0 && index >= page - 1);
  const found = ahead < 0 && around ? counts.findIndex((count) => count > 0) : ahead;
  return found < 0 ? undefined : { page: found + 1, index: 0 };
}

/** The hit before or behind another; behind the last comes the first. */
export function nextHit(counts: readonly number[], { page, index }: Hit, direction: 1 | -1): Hit {
  const own = counts[page - 1] ?? 0;
  if (index + direction >= 0 && index + direction < own) return { page, index: index + direction };
  for (let step = 1; step <= counts.length; step += 1) {
    const at = (page - 1 + direction * step + counts.length * 2) % counts.length;
    const there = counts[at] ?? 0;
    if (there > 0) return { page: at + 1, index: direction === 1 ? 0 : there - 1 };
  }
  return { page, index };
}

/** How many hits come before one, and itself. */
export function ordinalOf(counts: readonly number[], { page, index }: Hit): number {
  return counts.slice(0, page - 1).reduce((sum, count) => sum + count, 0) + index + 1;
}

/**
 * What a text is compared by: words without case and accents, numbers by their value, and pairs of characters in
 * scripts that set no spaces between words.
 */

/** Called for each term in order; `key` is equal for what counts as the same, offsets are UTF-16, `end` exclusive. */
export type OnTerm = (key: string, start: number, end: number, kind: TermKind) => void;
/** A "figure" is a number that must be right, a "number" a small one in words, a "year" one that may only say when. */
export type TermKind = "word" | "number" | "figure" | "year" | "pair";

/** Letters; two years; digits in groups that a space sets apart; digits with points and commas. */
const TOKEN =
  /[\p{L}\p{M}]+(?:-[\p{L}\p{M}]+)?|\p{Nd}{4}[/–]\p{Nd}{2}(?!\p{Nd})|\p{Nd}{1,3}(?:[ \u00a0\u202f'’]\p{Nd}{3})+(?!\p{Nd})|\p{Nd}+(?:[.,]\p{Nd}+)*/gu;
/** Scripts without spaces between words: their words are found as pairs of characters, as search engines do. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;

interface Term {
  readonly key: string;
  readonly kind: TermKind;
  /** Within the token. */
  readonly start: number;
  readonly end: number;
}

/** @returns what calls `onTerm` for each term of a text; it remembers words, so use one for a whole document */
export function termReader(): (text: string, onTerm: OnTerm) => void {
  const remembered = new Map<string, readonly Term[]>();
  return (text, onTerm) => {
    for (const { 0: token, index } of text.matchAll(TOKEN)) {
      const unit = text[index + token.length] as string;
      const known = unit in MYRIADS ? token + unit : token;
      let terms = remembered.get(known);
      if (!terms) {
        terms = /^\p{Nd}/u.test(token) ? numbers(token, MYRIADS[unit]) : letters(token);
        remembered.set(known, terms);
      }
      for (const { key, start, end, kind } of terms) onTerm(key, index + start, index + end, kind);
    }
  };
}

function letters(run: string): Term[] {
  let terms: Term[] = [];
  let from = 0;
  for (const { 0: part, index } of run.matchAll(UNSPACED)) {
    terms = terms.concat(words(run.slice(from, index), from), pairs(part, index));
    from = index + part.length;
  }
  return terms.concat(words(run.slice(from), from));
}

function words(run: string, offset: number): Term[] {
  const whole = numberWord(run.toLowerCase());
  if (whole !== undefined) {
    return [{ key: numberKey(whole), kind: kindOf(whole), start: offset, end: offset + run.length }];
  }
  const terms: Term[] = [];
  for (const { 0: part, index } of run.matchAll(/[^-]+/g)) {
    // what is left of "harbour's" or "l'eau"
    if (part.length === 1) continue;
    const word = fold(part);
    const value = numberWord(word);
    const place = { start: offset + index, end: offset + index + part.length };
    if (value === undefined) terms.push({ key: word, kind: "word", ...place });
    else terms.push({ key: numberKey(value), kind: kindOf(value), ...place });
  }
  return terms;
}

/** Small numbers in words count what anybody can count: "in three steps". */
const kindOf = (value: number): TermKind => (value < 10 ? "number" : "figure");

function pairs(run: string, offset: number): Term[] {
  const length = Math.min(2, run.length);
  return Array.from({ length: run.length - length + 1 }, (_, at) => {
    const start = offset + at;
    return { key: run.slice(at, at + length), kind: "pair", start, end: start + length };
  });
}

/** Without case and accents, so that "Häfen" and "Hafen" are alike. */
function fold(word: string): string {
  const lower = word.toLowerCase();
  if (!/\P{ASCII}/u.test(lower)) return lower;
  return lower.normalize("NFKD").replace(/\p{M}/gu, "").replaceAll("ß", "ss");
}

/**
 * A number as written, as one key for 1.55 million, 1,550,000 and the 1,550 of a table in thousands: its value without
 * powers of a thousand. That also makes one of "1,550" and "1.550", whichever the language means.
 */
function numbers(token: string, scale = 1): Term[] {
  const all = { start: 0, end: token.length };
  if (YEARS.test(token)) return [{ key: numberKeyPrefix + token.replace("–", "/"), kind: "year", ...all }];
  const value = readNumber(token.normalize("NFKC").replace(/[ \u00a0\u202f'’]/g, ""));
  if (value !== undefined) {
    const kind = scale === 1 && YEAR.test(token) ? "year" : "figure";
    return [{ key: numberKey(value * scale), kind, ...all }];
  }
  // a date or the number of a section: each part for itself
  return Array.from(token.matchAll(/\p{Nd}+/gu), ({ 0: part, index }) => {
    const key = numberKey(Number(part.normalize("NFKC")));
    return { key, kind: "figure", start: index, end: index + part.length };
  });
}

const YEAR = /^(?:1[5-9]|20)\d\d$/;
const YEARS = /[/–]/;
/** Units of East Asian languages that are no power of a thousand. */
const MYRIADS: Readonly<Record<string, number>> = { 万: 1e4, 萬: 1e4, 億: 1e8, 亿: 1e8, 만: 1e4, 억: 1e8 };

/** @returns undefined when points and commas divide it into something else than one number */
function readNumber(digits: string): number | undefined {
  const marks = digits.match(/[.,]/g) ?? [];
  if (marks.length === 0) return Number(digits);
  const last = marks.at(-1) as string;
  const [whole = "", fraction = ""] = splitAtLast(digits, last);
  const grouped = /^\d{1,3}(?:[.,]\d{3})*$/;
  if (marks.length === 1) return Number(`${whole}.${fraction}`);
  if (grouped.test(digits) && new Set(marks).size === 1) return Number(digits.replace(/[.,]/g, ""));
  if (grouped.test(whole) && !whole.includes(last)) return Number(`${whole.replace(/[.,]/g, "")}.${fraction}`);
  return undefined;
}

function splitAtLast(text: string, mark: string): [string, string] {
  const at = text.lastIndexOf(mark);
  return [text.slice(0, at), text.slice(at + 1)];
}

export const numberKeyPrefix = "#";

function numberKey(value: number): string {
  if (!Number.isFinite(value)) return `${numberKeyPrefix}${value}`;
  let scaled = value;
  while (scaled >= 1000) scaled /= 1000;
  while (scaled > 0 && scaled < 1) scaled *= 1000;
  return numberKeyPrefix + Number(scaled.toPrecision(12));
}

const UNITS: Readonly<Record<string, number>> = Object.fromEntries(
  [
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
    "zwei drei vier funf sechs sieben acht neun zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn neunzehn",
  ].flatMap((line) => line.split(" ").map((word, index) => [word, index + 2])),
);
const TENS: Readonly<Record<string, number>> = Object.fromEntries(
  [
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig",
  ].flatMap((line) => line.split(" ").map((word, index) => [word, 10 * (index + 2)])),
);
const GERMAN_COMPOUND = /^(ein|zwei|drei|vier|funf|sechs|sieben|acht|neun)und(\w+)$/;

/** Numbers that English and German write as words; "one" is more often a pronoun. */
function numberWord(word: string): number | undefined {
  if (word.length < 3 || word.length > 20) return undefined;
  const plain = UNITS[word] ?? TENS[word];
  if (plain !== undefined) return plain;
  const [tens = "", unit = ""] = word.split("-");
  if (unit !== "") {
    const both = [TENS[tens], unit === "one" ? 1 : UNITS[unit]];
    return both[0] !== undefined && both[1] !== undefined && both[1] < 10 ? both[0] + both[1] : undefined;
  }
  const german = GERMAN_COMPOUND.exec(word);
  const ten = german && TENS[german[2] as string];
  if (!german || ten === undefined || ten === null) return undefined;
  return ten + (german[1] === "ein" ? 1 : (UNITS[german[1] as string] as number));
}

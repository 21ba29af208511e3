import { numberKeyPrefix, type TermKind, termReader } from "./terms.js";

/** A term of a sentence that is looked for. */
export interface SoughtTerm {
  readonly kind: TermKind;
  /** How much it says: rare terms more than common ones. */
  readonly weight: number;
  /** Whether the document has it, or something like it, anywhere. */
  readonly known: boolean;
}

/** A place in the document that holds a term of the sentence, or something like it. */
export interface Hit {
  readonly position: number;
  /** Index into the sought terms. */
  readonly term: number;
  /** 0..1: how alike the two are. */
  readonly likeness: number;
}

/** A term of the document that is like one that is looked for. */
interface Alike {
  readonly id: number;
  readonly likeness: number;
}

/** Terms in a stretch of the document, over which a term's rarity is counted: about three sentences. */
const STRETCH = 60;
/** Letters that two words must share, at the beginning or the end, to be compared at all. */
const SHARED = 4;
/** The least share of the longer word that a common beginning must be. */
const LEAST_BEGINNING = 0.6;
/** Words shorter than this say less: most are articles, pronouns and the like, in many languages. */
const FULL_LENGTH = 5;
/** Terms that say less than this are not looked for. */
const NEGLIGIBLE = 0.02;
/** What a word says that the document does not know, between the commonest (0) and the rarest of its own (1). */
const UNKNOWN = 0.55;
/** What a pair of Japanese syllables says beside one with a character that means something: most are endings. */
const HIRAGANA = 0.3;
const GRAMMAR = /^\p{Script=Hiragana}+$/u;
/** What a number says beside a word as rare. */
const NUMBER = 1.5;

/** The terms of all pages in order; a position is a term's place in that order. */
export class Corpus {
  private readonly read = termReader();
  private readonly ids = new Map<string, number>();
  private readonly keys: string[] = [];
  /** In how many stretches each term occurs. */
  private readonly spread: number[] = [];
  /** The term at each position, and its place in its page's text. */
  private readonly terms: number[] = [];
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];
  private readonly pageStarts: number[] = [];
  private readonly stretches: number;
  private readonly byBeginning = new Map<string, number[]>();
  private readonly byEnd = new Map<string, number[]>();
  private readonly numbers: number[] = [];

  constructor(pages: readonly string[]) {
    const lastStretch: number[] = [];
    for (const page of pages) {
      this.pageStarts.push(this.terms.length);
      this.read(page, (key, start, end) => {
        const id = this.idOf(key);
        const stretch = Math.floor(this.terms.length / STRETCH);
        if (lastStretch[id] !== stretch) this.spread[id] = (this.spread[id] ?? 0) + 1;
        lastStretch[id] = stretch;
        this.terms.push(id);
        this.starts.push(start);
        this.ends.push(end);
      });
    }
    this.stretches = Math.max(1, Math.ceil(this.terms.length / STRETCH));
  }

  /** The page (by its index) that a position lies on. */
  pageAt(position: number): number {
    let low = 0;
    let high = this.pageStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.pageStarts[middle] as number) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** UTF-16 offsets in its page's text of a passage, given by its first and last position. */
  offsets(from: number, to: number): { start: number; end: number } {
    return { start: this.starts[from] as number, end: this.ends[to] as number };
  }

  /** A sentence's distinct terms in order, and everywhere that the document has them, by position. */
  find(sentence: string): { terms: SoughtTerm[]; hits: Hit[] } {
    const sought = new Map<string, TermKind>();
    this.read(sentence, (key, _start, _end, kind) => sought.set(key, kind));
    const terms: SoughtTerm[] = [];
    /** By the document's terms; a list is long, and most of it empty. */
    const wanted: ({ term: number; likeness: number }[] | undefined)[] = new Array(this.keys.length);
    for (const [key, kind] of sought) {
      const alike = this.alike(key, kind);
      const weight = this.weigh(
        key,
        kind,
        alike.reduce((most, { id }) => Math.max(most, this.spread[id] as number), 0),
      );
      if (weight < NEGLIGIBLE) continue;
      const term = terms.push({ kind, weight, known: alike.length > 0 }) - 1;
      for (const { id, likeness } of alike) {
        wanted[id] ??= [];
        wanted[id].push({ term, likeness });
      }
    }
    const hits: Hit[] = [];
    for (let position = 0; position < this.terms.length; position++) {
      const found = wanted[this.terms[position] as number];
      if (found) for (const { term, likeness } of found) hits.push({ position, term, likeness });
    }
    return { terms, hits };
  }

  private idOf(key: string): number {
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.keys.push(key) - 1;
    this.ids.set(key, id);
    if (key.startsWith(numberKeyPrefix)) this.numbers.push(id);
    else if (key.length >= SHARED) {
      append(this.byBeginning, key.slice(0, SHARED), id);
      append(this.byEnd, key.slice(-SHARED), id);
    }
    return id;
  }

  /** Inverse document frequency over the stretches (Spärck Jones 1972), 0..1, with the word's length as a second guess. */
  private weigh(key: string, kind: TermKind, spread: number): number {
    const rarity = 1 - Math.log(Math.max(1, spread)) / Math.log(1 + this.stretches);
    if (kind === "word") return Math.min(1, key.length / FULL_LENGTH) * (spread === 0 ? UNKNOWN : rarity);
    if (kind === "pair") return (GRAMMAR.test(key) ? HIRAGANA : 1) * (spread === 0 ? UNKNOWN : rarity);
    return NUMBER * rarity;
  }

  private alike(key: string, kind: TermKind): Alike[] {
    const id = this.ids.get(key);
    const same = id === undefined ? [] : [{ id, likeness: 1 }];
    if (kind === "word") return [...same, ...this.relatives(key)];
    return kind === "figure" && id === undefined ? this.unrounded(key) : same;
  }

  /** A word's other forms (a long common beginning), and compounds that end with it or whose end it is. */
  private relatives(key: string): Alike[] {
    const found: Alike[] = [];
    if (key.length < SHARED) return found;
    for (const id of this.byBeginning.get(key.slice(0, SHARED)) ?? []) {
      const other = this.keys[id] as string;
      let common = SHARED;
      while (common < key.length && key[common] === other[common]) common++;
      const share = common / Math.max(key.length, other.length);
      if (other !== key && share >= LEAST_BEGINNING) found.push({ id, likeness: 0.4 + 0.6 * share });
    }
    for (const id of this.byEnd.get(key.slice(-SHARED)) ?? []) {
      const other = this.keys[id] as string;
      if (other === key || Math.min(other.length, key.length) <= SHARED) continue;
      if (other.endsWith(key) || key.endsWith(other)) found.push({ id, likeness: 0.6 });
    }
    return found;
  }

  /** The numbers of which a number is a rounding: 6.3 or 5.8 for 6. */
  private unrounded(key: string): Alike[] {
    const value = Number(key.slice(numberKeyPrefix.length));
    const unit = 10 ** -(key.split(".")[1]?.length ?? 0);
    return this.numbers.flatMap((id) => {
      const other = Number(this.keys[id]?.slice(numberKeyPrefix.length));
      return Math.abs(other - value) <= unit / 2 ? [{ id, likeness: 0.8 }] : [];
    });
  }
}

function append<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

/**
 * Ties each sentence of a summary to the pages that support it, by the words, numbers and names that they share: a
 * sentence is covered by passages of the document, the fewest pages that cover most of it are cited, and one that
 * stays uncovered is said to have no support. It takes milliseconds, needs no model, and can be checked by eye.
 */
import { Corpus, type Hit, type SoughtTerm } from "./corpus.js";
import { sentencesOf } from "./sentences.js";

export interface CitablePage {
  readonly text: string;
}

/** Where a page speaks of what a sentence says. */
export interface Support<Page> {
  readonly page: Page;
  /** UTF-16 offsets in the page's text of the passage that supports most, `end` exclusive. */
  readonly start: number;
  readonly end: number;
}

export interface CitedSentence<Page> {
  /** UTF-16 offsets in the summary, `end` exclusive. */
  readonly start: number;
  readonly end: number;
  /** In the document's order; none when no page supports the sentence. */
  readonly supports: readonly Support<Page>[];
  /** How much of the sentence the document covers, 0..1, whether or not that is enough. */
  readonly score: number;
}

/** Chosen on the tuning half of test/eval/citations alone; docs/eval/citations.md has what they give on the other. */
const settings = {
  /** Terms of a passage: about three sentences. */
  passageTerms: 60,
  /** The least share of a sentence's weight that must be covered. */
  enough: 0.5,
  /** The least weight itself: about two rare words. "It is a place of work" can be said of any page. */
  leastWeight: 1.4,
  /** The least share, and number of terms, that a further page must add. */
  furtherPage: 0.2,
  furtherTerms: 4,
  /** The least share that a further passage of a page cited already must add. */
  furtherPassage: 0.06,
  mostPages: 4,
  /** The share of what a passage adds that its shown part must add. */
  heart: 0.8,
  /** Terms between a figure and a term that stands beside it in the sentence. */
  near: 12,
  /** How many of those terms are looked for, and the least weight that must be found. */
  neighbours: 4,
  leastContext: 0.3,
  leastNeighbour: 0.2,
};

/**
 * @param text the summary, Markdown or plain
 * @param pages all pages of the document, or of several
 */
export function cite<Page extends CitablePage>(text: string, pages: readonly Page[]): CitedSentence<Page>[] {
  const sentences = sentencesOf(text);
  if (sentences.length === 0) return [];
  const corpus = new Corpus(pages.map((page) => page.text));
  return sentences.map(({ start, end }) => {
    const { passages, score } = support(corpus, text.slice(start, end));
    const supports = passages
      .sort((one, other) => one.page - other.page)
      .map(({ page, from, to }) => ({ page: pages[page] as Page, ...corpus.offsets(from, to) }));
    return { start, end, supports, score };
  });
}

/** A stretch of a page, by its first and last position. */
interface Passage {
  readonly page: number;
  readonly from: number;
  readonly to: number;
  /** The weight that it adds to what is covered, and how many terms. */
  readonly gain: number;
  readonly terms: number;
}

/** One passage for each page that supports the sentence, and how much of it they cover. */
function support(corpus: Corpus, sentence: string): { passages: Passage[]; score: number } {
  const { terms, hits } = corpus.find(sentence);
  const total = terms.reduce((sum, { weight }) => sum + weight, 0);
  const pages = byPage(hits, corpus);
  const covered = new Float64Array(terms.length);
  const cited = new Map<number, Passage>();
  let gained = 0;
  for (;;) {
    const passage = bestPassage(pages, terms, covered, cited, total);
    if (!passage) break;
    const hits = pages.get(passage.page) ?? [];
    if (!cited.has(passage.page)) cited.set(passage.page, heartOf(passage, hits, terms, covered));
    for (const { position, term, likeness } of hits) {
      if (position < passage.from || position > passage.to) continue;
      covered[term] = Math.max(covered[term] as number, likeness);
    }
    gained += passage.gain;
  }
  const score = total === 0 ? 0 : gained / total;
  if (score < settings.enough || gained < settings.leastWeight) return { passages: [], score };
  const figures = figurePlaces(pages, terms, cited);
  if (!figures) return { passages: [], score };
  for (const passage of figures) if (!cited.has(passage.page)) cited.set(passage.page, passage);
  return { passages: [...cited.values()], score };
}

function byPage(hits: readonly Hit[], corpus: Corpus): Map<number, Hit[]> {
  const pages = new Map<number, Hit[]>();
  for (const hit of hits) {
    const page = corpus.pageAt(hit.position);
    const list = pages.get(page);
    if (list) list.push(hit);
    else pages.set(page, [hit]);
  }
  return pages;
}

/** The passage that adds most to what is covered, if it adds enough. */
function bestPassage(
  pages: ReadonlyMap<number, readonly Hit[]>,
  terms: readonly SoughtTerm[],
  covered: Float64Array,
  cited: ReadonlyMap<number, Passage>,
  total: number,
): Passage | undefined {
  let best: Passage | undefined;
  for (const [page, hits] of pages) {
    const further = cited.size > 0 && !cited.has(page);
    if (further && cited.size === settings.mostPages) continue;
    const share = further ? settings.furtherPage : cited.size > 0 ? settings.furtherPassage : 0;
    const least = Math.max(share * total, best?.gain ?? 0);
    // most pages of a long document cannot, whatever stands where on them
    if (mostOfPage(hits, terms, covered) <= least) continue;
    const passage = bestOfPage(page, hits, terms, covered);
    if (passage.gain > least && (!further || passage.terms >= settings.furtherTerms)) best = passage;
  }
  return best;
}

/** What all of a page together adds. */
function mostOfPage(hits: readonly Hit[], terms: readonly SoughtTerm[], covered: Float64Array): number {
  const reached = covered.slice();
  let gain = 0;
  for (const { term, likeness } of hits) {
    const more = likeness - (reached[term] as number);
    if (more <= 0) continue;
    gain += more * (terms[term] as SoughtTerm).weight;
    reached[term] = likeness;
  }
  return gain;
}

/** The stretch of `passageTerms` positions that adds most. */
function bestOfPage(page: number, hits: readonly Hit[], terms: readonly SoughtTerm[], covered: Float64Array): Passage {
  let best: Passage = { page, from: 0, to: 0, gain: 0, terms: 0 };
  for (const first of hits.keys()) {
    const passage = grow(page, hits, first, terms, covered, Number.POSITIVE_INFINITY);
    if (passage.gain > best.gain) best = passage;
  }
  return best;
}

/** The shortest stretch of the page that adds nearly as much as a passage: what is worth showing of it. */
function heartOf(passage: Passage, hits: readonly Hit[], terms: readonly SoughtTerm[], covered: Float64Array): Passage {
  const wanted = settings.heart * passage.gain;
  let best = passage;
  for (const first of hits.keys()) {
    const shorter = grow(passage.page, hits, first, terms, covered, wanted);
    if (shorter.gain >= wanted && shorter.to - shorter.from < best.to - best.from) best = shorter;
  }
  return best;
}

/** A passage that begins with a hit and ends where it adds what is wanted, or after `passageTerms` positions. */
function grow(
  page: number,
  hits: readonly Hit[],
  first: number,
  terms: readonly SoughtTerm[],
  covered: Float64Array,
  wanted: number,
): Passage {
  const from = (hits[first] as Hit).position;
  const reached = new Map<number, number>();
  let gain = 0;
  let to = from;
  for (let at = first; at < hits.length && gain < wanted; at++) {
    const { position, term, likeness } = hits[at] as Hit;
    if (position >= from + settings.passageTerms) break;
    const more = likeness - (reached.get(term) ?? (covered[term] as number));
    if (more <= 0) continue;
    gain += more * (terms[term] as SoughtTerm).weight;
    reached.set(term, likeness);
    to = position;
  }
  return { page, from, to, gain, terms: reached.size };
}

/**
 * For each figure the place where it stands close to terms that are close to it in the sentence, too, if possible on a
 * page that is cited: a figure from elsewhere is as wrong as one that stands nowhere. A year need only be known: it may
 * just say when.
 * @returns undefined when a figure has no such place
 */
function figurePlaces(
  pages: ReadonlyMap<number, readonly Hit[]>,
  terms: readonly SoughtTerm[],
  cited: ReadonlyMap<number, Passage>,
): Passage[] | undefined {
  const places: Passage[] = [];
  for (const [term, { kind, known }] of terms.entries()) {
    if (kind !== "figure" && kind !== "year") continue;
    if (!known) return undefined;
    if (kind === "year") continue;
    const context = neighbours(terms, term);
    let best: Passage | undefined;
    for (const [page, hits] of pages) {
      if (best && cited.has(best.page) && !cited.has(page)) continue;
      for (const { position } of hits.filter((hit) => hit.term === term)) {
        const gain = context.size === 0 ? 1 : contextAt(position, hits, context, terms);
        const better = !best || gain > best.gain || (cited.has(page) && !cited.has(best.page));
        if (gain >= settings.leastContext && better) best = { page, from: position, to: position, gain, terms: 1 };
      }
    }
    if (!best) return undefined;
    places.push(best);
  }
  return places;
}

/** How many pairs of characters say as much as a word. */
const PAIRS_PER_WORD = 2.5;

/** The terms that stand closest to one in the sentence, of those that the document has. */
function neighbours(terms: readonly SoughtTerm[], term: number): Set<number> {
  const words = [...terms.keys()].filter((at) => {
    const { kind, known, weight } = terms[at] as SoughtTerm;
    return (kind === "word" || kind === "pair") && known && weight >= settings.leastNeighbour;
  });
  const nearest = words.sort((one, other) => Math.abs(one - term) - Math.abs(other - term));
  const pairs = nearest.some((at) => terms[at]?.kind === "pair");
  return new Set(nearest.slice(0, settings.neighbours * (pairs ? PAIRS_PER_WORD : 1)));
}

/** The weight of the neighbours that stand close to a position. */
function contextAt(
  position: number,
  hits: readonly Hit[],
  context: ReadonlySet<number>,
  terms: readonly SoughtTerm[],
): number {
  const found = new Map<number, number>();
  for (const hit of hits) {
    if (!context.has(hit.term)) continue;
    const { kind, weight } = terms[hit.term] as SoughtTerm;
    const reach = settings.near * (kind === "pair" ? PAIRS_PER_WORD : 1);
    if (Math.abs(hit.position - position) <= reach) {
      found.set(hit.term, Math.max(found.get(hit.term) ?? 0, weight * hit.likeness));
    }
  }
  return [...found.values()].reduce((sum, weight) => sum + weight, 0);
}

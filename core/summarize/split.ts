/** Where a document may be cut, and its parts: pure functions of its text. Each character is in exactly one part. */
import type { PageUnit, SourceDocument } from "../documents/document.js";
import type { DocumentText, PageSpan } from "../documents/document-text.js";
import { pageList } from "../documents/page-list.js";
import { headingKey } from "../documents/pdf-paragraphs.js";

/** A stretch of a text: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Heading {
  readonly start: number;
  readonly title: string;
  /** 1 for chapters, 2 for what is inside them, and so on. */
  readonly level: number;
}

/** What is never cut again: a paragraph, a heading, or a piece of a paragraph that is longer than a part. */
export interface Passage extends Span {
  readonly tokens: number;
  /** How well the text may be cut before it: 0 not at all well, 1 between paragraphs, more the higher its heading. */
  readonly cut: number;
}

/** Counts the tokens of a text. */
export type CountTokens = (text: string) => number;

const deepest = 9;

/**
 * The headings of a document, ascending, one a place: those of its outline; otherwise the names of its chapters,
 * sections or slides; otherwise paragraphs that read like one ("Chapter 3", "2.1 Findings").
 */
export function headingsOf(document: SourceDocument, source: DocumentText): Heading[] {
  const found = outlineHeadings(document, source) ?? pageHeadings(document, source) ?? lineHeadings(source.text);
  const places = new Map<number, Heading>();
  for (const heading of found) {
    const other = places.get(heading.start);
    if (heading.start < source.text.length && (!other || heading.level < other.level)) {
      places.set(heading.start, heading);
    }
  }
  return [...places.values()].sort((one, other) => one.start - other.start);
}

/** An outline names pages: a heading is where its title stands alone on that page, or else the page's beginning. */
function outlineHeadings({ outline = [] }: SourceDocument, { text, pages }: DocumentText): Heading[] | undefined {
  if (outline.length === 0) return undefined;
  const spans = new Map(pages.map((page) => [page.number, page]));
  return outline.flatMap(({ title, page, level }) => {
    const span = spans.get(page);
    if (!span) return [];
    const key = headingKey(title);
    const found = paragraphStarts(text, span).find(
      (start, index, starts) => headingKey(text.slice(start, starts[index + 1] ?? span.end)) === key,
    );
    return { start: found ?? span.start, title: title.replace(/\s+/g, " ").trim(), level };
  });
}

/** Chapters, slides and sections begin with headings of their own; a long section goes on under the same label. */
function pageHeadings({ unit, pages }: SourceDocument, source: DocumentText): Heading[] | undefined {
  if (unit === "page") return undefined;
  const headings: Heading[] = [];
  let before: string | undefined;
  for (const [index, { number, label, text }] of pages.entries()) {
    const { start } = source.pages[index] as PageSpan;
    const title = label ?? (unit === "chapter" ? `Chapter ${number}` : undefined);
    if (text !== "" && title !== undefined && title !== before) {
      // Markdown keeps its marks, which tell the level
      const marks = /^ {0,3}(#{1,6})[ \t]/.exec(text)?.[1];
      headings.push({ start, title, level: marks?.length ?? levelOf(title) });
    }
    if (text !== "") before = title;
  }
  return headings.length > 0 ? headings : undefined;
}

/**
 * Paragraphs that read like headings: numbered or called a chapter, or else one short line without a full stop before a
 * longer paragraph, perhaps with another heading between. What stands on many pages is no heading.
 */
function lineHeadings(text: string): Heading[] {
  const starts = paragraphStarts(text, { start: 0, end: text.length });
  const lines = starts.map((start, index) => text.slice(start, starts[index + 1] ?? text.length).trim());
  const alike = new Map<string, number>();
  const patternOf = (line: string) => line.replace(/\d+/g, "#");
  for (const line of lines) if (isShort(line)) alike.set(patternOf(line), (alike.get(patternOf(line)) ?? 0) + 1);
  const headings: Heading[] = [];
  for (let index = lines.length - 1; index >= 0; index--) {
    const [line, next = ""] = [lines[index] as string, lines[index + 1]];
    if (!isShort(line)) continue;
    const start = starts[index] as number;
    const numbered =
      /^(?:chapter|part|section|appendix)\s+[\dA-Z]/i.test(line) || /^\d{1,2}(?:\.\d{1,2})*\.?\s+\p{Lu}/u.test(line);
    if (numbered) headings.push({ start, title: line, level: levelOf(line) });
    else if ((alike.get(patternOf(line)) ?? 0) < 3 && isTitle(line)) {
      // as one inside a chapter, where others call themselves chapters
      if (next.length > 100 || headings.at(-1)?.start === starts[index + 1])
        headings.push({ start, title: line, level: 2 });
    }
  }
  return headings.reverse();
}

function isShort(line: string): boolean {
  return line.length > 0 && line.length <= 80 && !line.includes("\n") && !/[.,;:!?]$/.test(line);
}

/** It begins like a title, and is not a name with an office or an address. */
function isTitle(line: string): boolean {
  return /^[\p{Lu}\p{Lo}\d]/u.test(line) && /\p{L}{2}/u.test(line) && !/,\s+[\p{Lu}\d]/u.test(line);
}

/** "2.1 Findings" is inside "2 Results". */
function levelOf(title: string): number {
  const number = /^\d+(?:\.\d+)*/.exec(title)?.[0];
  return number === undefined ? 1 : Math.min(deepest, number.split(".").length);
}

/** Where paragraphs begin: behind empty lines. The first is the span's start. */
function paragraphStarts(text: string, { start, end }: Span): number[] {
  const starts = [start];
  for (const match of text.slice(start, end).matchAll(/\n(?:[ \t]*\n)+/g)) {
    const at = start + match.index + match[0].length;
    if (at < end) starts.push(at);
  }
  return starts;
}

/**
 * The passages of a stretch of text, in order, covering it exactly; one at a time, because counting takes long.
 * @param most tokens that a passage may have; a longer paragraph is cut behind a sentence, or else where it must be
 */
export function* passagesOf(
  { text, pages }: DocumentText,
  headings: readonly Heading[],
  within: Span,
  most: number,
  count: CountTokens,
): Generator<Passage> {
  const levels = new Map(headings.map(({ start, level }) => [start, level]));
  const inside = (start: number) => start > within.start && start < within.end;
  const starts = new Set(paragraphStarts(text, within));
  for (const { start } of [...pages, ...headings]) if (inside(start)) starts.add(start);
  const ordered = [...starts].sort((one, other) => one - other);
  for (const [index, start] of ordered.entries()) {
    const level = levels.get(start);
    // a heading stays with what it is the heading of
    const afterHeading = index > 0 && levels.has(ordered[index - 1] as number) && level === undefined;
    let cut = level !== undefined ? 1 + deepest - Math.min(level, deepest - 1) : afterHeading ? 0 : 1;
    for (const piece of cutPassage(text, { start, end: ordered[index + 1] ?? within.end }, most, count)) {
      yield { ...piece, cut };
      cut = 0;
    }
  }
}

function* cutPassage(
  text: string,
  { start, end }: Span,
  most: number,
  count: CountTokens,
): Generator<Omit<Passage, "cut">> {
  let from = start;
  while (from < end) {
    let to = end;
    let tokens = count(text.slice(from, to));
    while (tokens > most && to - from > 1) {
      // what the density of tokens promises, and a little less each time that it promised too much
      const length = Math.floor(Math.min((to - from) * (most / tokens), (to - from) * 0.95));
      to = from + Math.max(1, length);
      to = from + goodEnd(text.slice(from, to));
      tokens = count(text.slice(from, to));
    }
    yield { start: from, end: to, tokens };
    from = to;
  }
}

/** Where a text that must end early ends best: behind a line, a sentence or a word of its second half. */
function goodEnd(text: string): number {
  for (const pattern of [/\n/g, /[.!?]["'”’)\]]*\s|[。！？]/g, /\s/g]) {
    let end = 0;
    for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
    if (end > text.length / 2) return end;
  }
  // never between the halves of a surrogate pair
  return text.length > 1 && /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
}

/** A part may hold this much less than its even share, so that it can end before a heading. */
const leastFill = 0.7;

/**
 * Joins passages to as few parts as their tokens allow, about equally long, each cut where the text is cut best.
 * @param most tokens in a part; no passage has more
 */
export function splitPassages(passages: readonly Passage[], most: number): Passage[][] {
  const parts: Passage[][] = [];
  let remaining = passages.reduce((sum, { tokens }) => sum + tokens, 0);
  let first = 0;
  while (first < passages.length) {
    const end = remaining <= most ? passages.length : partEnd(passages, first, remaining, most);
    const part = passages.slice(first, end);
    parts.push(part);
    remaining -= part.reduce((sum, { tokens }) => sum + tokens, 0);
    first = end;
  }
  return parts;
}

function partEnd(passages: readonly Passage[], first: number, remaining: number, most: number): number {
  const share = remaining / Math.ceil(remaining / most);
  let size = 0;
  let best: { end: number; cut: number; away: number } | undefined;
  let end = first;
  while (end < passages.length && size + (passages[end] as Passage).tokens <= most) {
    size += (passages[end] as Passage).tokens;
    end += 1;
    const cut = passages[end]?.cut ?? 0;
    const away = Math.abs(size - share);
    if (size < leastFill * share) continue;
    if (!best || cut > best.cut || (cut === best.cut && away < best.away)) best = { end, cut, away };
  }
  return best?.end ?? Math.max(end, first + 1);
}

export interface Chapter extends Span {
  readonly title: string;
}

/** A chapter shorter than this is a title page or an empty one: it is read with the next. Tokens. */
const leastChapter = 60;
/** Characters that are more tokens than that, whatever they are. */
const surelyEnough = 4000;

/**
 * The chapters of a text, covering it exactly: what its highest headings begin, of which there are at least two.
 * @returns an empty list when it has no such headings
 */
export function chaptersOf(text: string, headings: readonly Heading[], count: CountTokens): Chapter[] {
  const levels = [...new Set(headings.map(({ level }) => level))].sort((one, other) => one - other);
  const level = levels.find((most) => headings.filter((heading) => heading.level <= most).length > 1);
  if (level === undefined) return [];
  const tops = headings.filter((heading) => heading.level <= level);
  const first = (tops[0] as Heading).start;
  const begun = text.slice(0, first).trim() === "" ? tops : [{ start: 0, title: "Beginning" }, ...tops];
  const chapters: Chapter[] = [];
  let waiting: Chapter | undefined;
  begun.forEach(({ start, title }, index) => {
    const end = begun[index + 1]?.start ?? text.length;
    const joined: Chapter = {
      start: waiting?.start ?? (index === 0 ? 0 : start),
      end,
      title: waiting ? `${waiting.title}: ${title}` : title,
    };
    const beginning = text.slice(joined.start, Math.min(end, joined.start + surelyEnough));
    waiting = count(beginning) < leastChapter ? joined : undefined;
    if (!waiting) chapters.push(joined);
  });
  const last = chapters.at(-1);
  if (waiting && last) chapters[chapters.length - 1] = { ...last, end: text.length };
  else if (waiting) chapters.push(waiting);
  return chapters;
}

/** Numbers of the pages that a stretch of text begins and ends on. */
export interface PageRange {
  readonly first: number;
  readonly last: number;
}

/** "pages 3 to 9" */
export function pageWords({ first, last }: PageRange, unit: PageUnit): string {
  const numbers = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return pageList(numbers, unit);
}

export function pagesOf(pages: readonly PageSpan[], { start, end }: Span): PageRange {
  const held = pages.filter((page) => page.start < end && page.end > start);
  const first = held[0] ?? (pages[0] as PageSpan);
  return { first: first.number, last: (held.at(-1) ?? first).number };
}

/** Where the last `most` tokens before a place begin: at a paragraph or sentence where one begins there. */
export function contextStart(text: string, place: number, most: number, count: CountTokens): number {
  if (most === 0 || place === 0) return place;
  // no token of text is longer than this on average
  let start = Math.max(0, place - most * 8);
  while (start < place && count(text.slice(start, place)) > most) start += Math.max(1, Math.ceil((place - start) / 10));
  if (start === 0) return 0;
  const before = text.slice(start, place);
  const begins = /\n(?:[ \t]*\n)+|[.!?]["'”’)\]]*\s+|[。！？]/.exec(before) ?? /\s+/.exec(before);
  return begins ? start + begins.index + begins[0].length : place;
}

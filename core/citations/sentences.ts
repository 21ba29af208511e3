/** The sentences of a text that a model wrote, Markdown or plain, with their places in it. */

/** UTF-16 offsets, `end` exclusive. A sentence's own markup ("**") lies inside, the mark of its list item does not. */
export interface Sentence {
  readonly start: number;
  readonly end: number;
}

/** What a block begins with: quotation marks, then the mark of a list item. */
const BLOCK_START = /^[ \t]*(?:>[ \t]*)*(?:[-*+•][ \t]+|\d{1,3}[.)][ \t]+)?/;
/** Lines that claim nothing: headings, rules, table borders, code fences, a line that is bold as a whole. */
const NO_CLAIM = /^[ \t]*(?:#{1,6}[ \t].*|([-*_][ \t]*){3,}|[|:\- \t]+|`{3}.*|\*\*[^*]+\*\*:?[ \t]*)$/;
const MARKUP = /(^|[\s(])?([*_~`]+)/g;

/** Ignored by the rules of UAX 29 as a part of the character before it. */
const WORD_JOINER = "\u2060";
const OPENING_QUOTE = "\u201c";

const segmenter = new Intl.Segmenter(undefined, { granularity: "sentence" });

/**
 * Sentences by the rules of Unicode (UAX 29), which know the full stops of all scripts but no abbreviations: what
 * they cut after one is joined again. Headings and rules are no sentences.
 */
export function sentencesOf(text: string): Sentence[] {
  const sentences: Sentence[] = [];
  for (const { start, end } of blocksOf(text)) {
    // markup closes a sentence or opens the next one, and has the width of what stands for it
    const plain = text
      .slice(start, end)
      .replace(/\n/g, " ")
      .replace(MARKUP, (_, before: string | undefined, marks: string) =>
        before === undefined ? WORD_JOINER.repeat(marks.length) : before + OPENING_QUOTE.repeat(marks.length),
      );
    let from: number | undefined;
    for (const { segment, index } of segmenter.segment(plain)) {
      from ??= index;
      const to = index + segment.length;
      if (endsInAbbreviation(plain.slice(from, to), plain.slice(to))) continue;
      push(sentences, text, start + from, start + to);
      from = undefined;
    }
    if (from !== undefined) push(sentences, text, start + from, end);
  }
  return sentences;
}

function push(sentences: Sentence[], text: string, from: number, to: number): void {
  const segment = text.slice(from, to);
  if (!/[\p{L}\p{N}]/u.test(segment)) return;
  sentences.push({ start: from + (segment.length - segment.trimStart().length), end: from + segment.trimEnd().length });
}

/** Paragraphs and list items, without their marks; a line that only goes on with the one before belongs to it. */
function blocksOf(text: string): Sentence[] {
  const blocks: { start: number; end: number }[] = [];
  let open: { start: number; end: number } | undefined;
  let offset = 0;
  for (const line of text.split("\n")) {
    const end = offset + line.length;
    const mark = BLOCK_START.exec(line)?.[0].length ?? 0;
    if (line.trim() === "" || NO_CLAIM.test(line)) open = undefined;
    else if (open && line.slice(0, mark).trim() === "") open.end = end;
    else {
      open = { start: offset + mark, end };
      blocks.push(open);
    }
    offset = end + 1;
  }
  return blocks;
}

/** Before a full stop that ends no sentence: titles, references and the like. */
const ABBREVIATION =
  /(?:^|[\s(“„"])(?:Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Gen|Col|Capt|Rev|Hon|No|Nos|Nr|Art|Abs|Fig|Figs|Sec|Ch|Vol|pp?|cf|ca|vs|approx|etc|e\.g|i\.e|z\. ?B|d\. ?h|u\. ?a|vgl|bzw|usw|Inc|Ltd|Co|Corp|Kap|Bd|Str|Hrsg|Mme|Mlle|Sra?|Dra?)\.[\s\u2060]*$/u;
/** "by J." goes on with a name, "in block A." does not. */
const INITIAL = /(?:^|[^\p{L}]|(?:^|\P{L})\p{L}{1,3}|\p{Lu}\p{L}*)[\s(]\p{Lu}\.[\s\u2060]*$/u;
/** Characters that tell whether a full stop ends a sentence. */
const TAIL = 40;
const ORDINAL = /(?:^|\s)\d{1,2}\.\s*$/;
const GERMAN_MONTH = /^(?:Januar|Jänner|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b/;

function endsInAbbreviation(segment: string, rest: string): boolean {
  if (rest === "") return false;
  const tail = segment.slice(-TAIL);
  if (ABBREVIATION.test(tail) || INITIAL.test(` ${tail}`)) return true;
  return ORDINAL.test(tail) && GERMAN_MONTH.test(rest);
}

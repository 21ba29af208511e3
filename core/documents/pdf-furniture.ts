/** Headers, footers and page numbers: what stands at the edge of page after page and belongs to none of them. */
import { type Line, lineText, upright } from "./pdf-lines.js";

export interface PageLines {
  readonly number: number;
  /** The page's own name, as "iv". */
  readonly label?: string;
  readonly lines: readonly Line[];
  /** [x0, y0, x1, y1] in the page's units. */
  readonly view: readonly number[];
}

export interface Furniture {
  /** The lines to leave out. */
  readonly lines: ReadonlySet<Line>;
  /** What they say, each once, as it stands on the first page that has it. */
  readonly texts: readonly string[];
}

/** Share of the page's height at its top and at its bottom where headers and footers stand. */
const EDGE = 0.12;
/** A line is furniture when so many pages have it, and so large a share of them or so many. */
const FEWEST_PAGES = 3;
const SHARE = 0.3;
const MANY_PAGES = 10;

interface Candidate {
  readonly page: number;
  readonly line: Line;
  readonly text: string;
  readonly numbers: readonly number[];
}

/**
 * Finds the lines at the pages' edges that repeat: word for word, or with a number that counts the pages. A number that
 * does anything else (a sum at the foot of each page) is the document's own.
 */
export function furnitureOf(pages: readonly PageLines[]): Furniture {
  const groups = new Map<string, Candidate[]>();
  const lines = new Set<Line>();
  const texts: string[] = [];
  for (const page of pages) {
    for (const line of edgeLines(page)) {
      const text = lineText(line);
      // A page's own name counts the pages, whatever its numerals.
      const counted = text === page.label ? String(page.number) : text;
      const key = counted.replace(/\d+/g, "#").toLowerCase();
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push({ page: page.number, line, text, numbers: (counted.match(/\d+/g) ?? []).map(Number) });
    }
  }
  for (const group of groups.values()) {
    const count = new Set(group.map(({ page }) => page)).size;
    if (count < FEWEST_PAGES || (count < SHARE * pages.length && count < MANY_PAGES)) continue;
    const repeated = repeating(group);
    if (repeated.length < FEWEST_PAGES) continue;
    for (const { line } of repeated) lines.add(line);
    texts.push((repeated[0] as Candidate).text);
  }
  return { lines, texts };
}

function edgeLines({ lines, view }: PageLines): Line[] {
  const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = view;
  return lines.filter(({ y, turns }) => {
    const corners = [upright(x0, y0, turns)[1], upright(x1, y1, turns)[1]];
    const [bottom, top] = [Math.min(...corners), Math.max(...corners)];
    const edge = EDGE * (top - bottom);
    return y > top - edge || y < bottom + edge;
  });
}

/** Those of the group that say the same, or the same but for one number, their first or their last, that counts pages. */
function repeating(group: readonly Candidate[]): readonly Candidate[] {
  const counts = [() => -1, () => 0, ({ numbers }: Candidate) => numbers.length - 1];
  return counts
    .map((counting) => largest(group, (each) => numbersOf(each, counting(each))))
    .reduce((one, other) => (other.length > one.length ? other : one));
}

function numbersOf({ numbers, page }: Candidate, counting: number): string {
  return numbers.map((number, index) => (index === counting ? `+${number - page}` : number)).join(" ");
}

function largest(group: readonly Candidate[], key: (candidate: Candidate) => string): readonly Candidate[] {
  const parts = new Map<string, Candidate[]>();
  for (const candidate of group) {
    const part = parts.get(key(candidate)) ?? [];
    parts.set(key(candidate), part);
    part.push(candidate);
  }
  return [...parts.values()].reduce((one, other) => (other.length > one.length ? other : one), []);
}

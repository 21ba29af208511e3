/** Marks in shown text, by the browser's own highlights: the words stay as they are, and are not wrapped in anything. */
import { useEffect, useMemo } from "react";
import { findAll, findPassage, type Hit, type Stretch } from "../../view/find.js";
import { type Tinted, tints } from "../../view/retention.js";

/** The words of an element, and where they are. */
export interface ShownText {
  readonly text: string;
  ranges(stretches: readonly Stretch[]): Range[];
}

/** The element's text nodes one after the other, and a line's end for each `br`. */
export function shownText(root: HTMLElement): ShownText {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  const nodes: { readonly node: Text; readonly start: number }[] = [];
  const parts: string[] = [];
  let length = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const part = node instanceof Text ? node.data : node.nodeName === "BR" ? "\n" : "";
    if (node instanceof Text) nodes.push({ node, start: length });
    parts.push(part);
    length += part.length;
  }
  const nodeAt = (offset: number) => nodes.findLast(({ start }) => start <= offset);
  return {
    text: parts.join(""),
    ranges: (stretches) =>
      stretches.flatMap((stretch) => {
        const from = nodeAt(stretch.start);
        const to = nodeAt(stretch.end - 1);
        if (!from || !to) return [];
        const range = document.createRange();
        range.setStart(from.node, Math.min(from.node.length, stretch.start - from.start));
        range.setEnd(to.node, Math.min(to.node.length, stretch.end - to.start));
        return [range];
      }),
  };
}

/** In the order in which they cover each other; styles/pages.css has their colours. */
const kinds = [...tints.map((_, tint) => `kept-${tint}` as const), "support", "found", "current"] as const;

function addMarks(kind: (typeof kinds)[number], ranges: readonly Range[]): () => void {
  const highlight = CSS.highlights.get(kind) ?? new Highlight();
  highlight.priority = kinds.indexOf(kind);
  CSS.highlights.set(kind, highlight);
  for (const range of ranges) highlight.add(range);
  return () => {
    for (const range of ranges) highlight.delete(range);
  };
}

/** What is to be marked on the pages, whichever of them are there. */
export interface Marks {
  /** What is looked for; "" for nothing. */
  readonly query: string;
  /** Of what was found, the one that was gone to. */
  readonly current: Hit | undefined;
  /** Where a citation leads. */
  readonly target: { readonly page: number; readonly passage: string | undefined } | undefined;
  /** What reading kept of a page with this text; undefined: that is not shown. */
  readonly kept: ((page: number, text: string) => readonly Tinted[]) | undefined;
  /** Brings marked words into sight, once for each hit or target; undefined: they are not on the page. */
  readonly reveal: (range: Range | undefined, cause: object) => void;
}

/** @param words the element that shows the page's words, once it shows all of them */
export function useMarks(
  page: number,
  words: HTMLElement | null,
  { query, current, target, kept, reveal }: Marks,
): void {
  const shown = useMemo(() => words && shownText(words), [words]);
  useEffect(() => {
    if (!shown || !kept) return;
    const stretches = kept(page, shown.text);
    const remove = tints.map((_, tint) =>
      addMarks(`kept-${tint}`, shown.ranges(stretches.filter((one) => one.tint === tint))),
    );
    return () => {
      for (const each of remove) each();
    };
  }, [page, shown, kept]);
  const found = useMemo(() => (shown && query !== "" ? shown.ranges(findAll(shown.text, query)) : []), [shown, query]);
  useEffect(() => addMarks("found", found), [found]);
  useEffect(() => {
    const range = current?.page === page ? found[current.index] : undefined;
    if (!current || !range) return;
    reveal(range, current);
    return addMarks("current", [range]);
  }, [page, found, current, reveal]);
  useEffect(() => {
    if (!shown || target?.page !== page || target.passage === undefined) return;
    const support = shown.ranges(findPassage(shown.text, target.passage));
    reveal(support[0], target);
    return addMarks("support", support);
  }, [page, shown, target, reveal]);
}

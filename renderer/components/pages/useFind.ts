import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { comparable, firstHit, type Hit, nextHit, timesIn } from "../../view/find.js";

interface Found {
  /** How often it stands on each page. */
  readonly counts: readonly number[];
  /** Pages that could not be looked at. */
  readonly missed: number;
  readonly finished: boolean;
}

const nothing: Found = { counts: [], missed: 0, finished: false };

export interface Find extends Found {
  readonly query: string;
  readonly current: Hit | undefined;
  search(query: string): void;
  step(direction: 1 | -1): void;
}

/** Between the last key and the search. */
const pauseMs = 120;
/** The search tells what it has found so far, and lets the window draw, this often. */
const tellMs = 100;

/**
 * The search within one document, page by page.
 * @param textOf rejects for a page that has no text to search because it could not be read
 * @param pageNow the page from which on the first hit is gone to
 */
export function useFind(count: number, textOf: (page: number) => Promise<string>, pageNow: () => number): Find {
  const [query, search] = useState("");
  const [found, setFound] = useState(nothing);
  const [current, setCurrent] = useState<Hit>();
  const from = useRef(1);
  // What was made comparable once is kept for the next query.
  const texts = useMemo(() => remembered(async (page) => comparable(await textOf(page))), [textOf]);

  useEffect(() => {
    setFound(nothing);
    setCurrent(undefined);
    const sought = comparable(query);
    if (sought === "") return;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      from.current = pageNow();
      void look(count, texts, sought, controller.signal, setFound);
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [query, count, texts, pageNow]);

  // The first hit is gone to as soon as it is known which one that is.
  useEffect(() => {
    setCurrent((before) => before ?? firstHit(found.counts, from.current, found.finished));
  }, [found]);

  const step = useCallback(
    (direction: 1 | -1) => setCurrent((before) => before && nextHit(found.counts, before, direction)),
    [found],
  );
  return { ...found, query, current, search, step };
}

function remembered<Value>(of: (page: number) => Promise<Value>): (page: number) => Promise<Value> {
  const known = new Map<number, Promise<Value>>();
  return (page) => {
    const value = known.get(page) ?? of(page);
    known.set(page, value);
    return value;
  };
}

async function look(
  count: number,
  textOf: (page: number) => Promise<string>,
  sought: string,
  signal: AbortSignal,
  tell: (found: Found) => void,
): Promise<void> {
  const counts: number[] = [];
  let missed = 0;
  let told = performance.now();
  for (let page = 1; page <= count; page += 1) {
    const text = await textOf(page).catch(() => undefined);
    if (signal.aborted) return;
    if (text === undefined) missed += 1;
    counts.push(timesIn(text ?? "", sought));
    if (performance.now() - told < tellMs) continue;
    tell({ counts: [...counts], missed, finished: false });
    await new Promise((resolve) => setTimeout(resolve));
    told = performance.now();
  }
  if (!signal.aborted) tell({ counts, missed, finished: true });
}

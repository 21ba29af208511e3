import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { t } from "../../../electron/language.js";
import type { OpenDocument } from "../../stores/documents.js";
import { type Target, usePages } from "../../stores/pages.js";
import { useRuns } from "../../stores/runs.js";
import { pageName, type Unit } from "../../view/format.js";
import type { Place } from "../../view/page-layout.js";
import { type RetentionMap, retentionMap, tintsOf } from "../../view/retention.js";
import { FindBar } from "./FindBar.js";
import type { Marks } from "./marks.js";
import { PageBar } from "./PageBar.js";
import { type PageBox, PageList, type PageListHandle } from "./PageList.js";
import { useFind } from "./useFind.js";

interface Props {
  readonly document: OpenDocument;
  readonly unit: Unit;
  readonly boxes: readonly PageBox[];
  /** What a page is shown at: 1 is as large as on paper. */
  readonly zoomOf: (page: number) => number;
  /** A page's words as they are shown; rejects when they could not be read. */
  readonly textOf: (page: number) => Promise<string>;
  readonly onRoom: (width: number) => void;
  readonly children: (page: number, inSight: boolean, marks: Marks) => ReactNode;
}

/** Targets that were gone to or looked for, and what was scrolled to on a page: coming back to a document does not repeat it. */
const reached = new WeakSet<object>();
const revealed = new WeakSet<object>();

/** The pages of a document, whatever they are made of, with what goes to them and searches them. */
export function Viewer({ document, unit, boxes, zoomOf, textOf, onRoom, children }: Props) {
  const asked = usePages((store) => store.target);
  const target = asked?.documentId === document.id ? asked : undefined;
  const finding = usePages((store) => store.finding > 0);
  const list = useRef<PageListHandle>(null);
  const place = useRef<Place>(usePages.getState().places[document.id] ?? { page: 1, at: 0 });
  const [page, setPage] = useState(place.current.page);
  const [lost, setLost] = useState<object>();

  const pageNow = useRef(page);
  const onPlace = useCallback((now: Place, read: number) => {
    place.current = now;
    pageNow.current = read;
    setPage(read);
  }, []);
  useEffect(() => () => usePages.getState().leave(document.id, place.current), [document.id]);

  const find = useFind(
    boxes.length,
    textOf,
    useCallback(() => pageNow.current, []),
  );
  const wanted = usePages((store) => store.sought);
  const sought = wanted?.documentId === document.id ? wanted : undefined;
  const { search } = find;
  useEffect(() => {
    if (!sought || reached.has(sought)) return;
    reached.add(sought);
    search(sought.words);
  }, [sought, search]);
  const query = finding ? find.query : "";
  const current = finding ? find.current : undefined;
  useEffect(() => {
    if (current && !revealed.has(current)) list.current?.approach(current.page);
  }, [current]);
  useEffect(() => {
    if (!target || reached.has(target)) return;
    reached.add(target);
    if (target.passage === undefined) list.current?.goTo({ page: target.page, at: 0 });
    else list.current?.approach(target.page);
  }, [target]);

  const reveal = useCallback((range: Range | undefined, cause: object) => {
    if (revealed.has(cause)) return;
    revealed.add(cause);
    if (range) return list.current?.reveal(range);
    list.current?.goTo({ page: (cause as Target).page, at: 0 });
    setLost(cause);
  }, []);
  const map = useKept(document);
  const tinted = usePages((store) => store.tinted);
  const kept = useMemo<Marks["kept"]>(
    () => (map && tinted ? (number, text) => tintsOf(map, 0, number, text) : undefined),
    [map, tinted],
  );
  const marks = useMemo<Marks>(
    () => ({ query, current, target, kept, reveal }),
    [query, current, target, kept, reveal],
  );

  return (
    <div className="pages">
      <PageBar page={page} count={boxes.length} unit={unit} zoom={zoomOf(page)} withKept={map !== undefined} />
      {finding && <FindBar find={find} unit={unit} />}
      {target && target === lost && (
        <p className="page-lost small" role="status">
          {t(`${unit}.lost`)}
        </p>
      )}
      <PageList
        boxes={boxes}
        name={(number) => pageName(number, unit)}
        start={place.current}
        handle={list}
        onRoom={onRoom}
        onPlace={onPlace}
      >
        {(number, inSight) => children(number, inSight, marks)}
      </PageList>
    </div>
  );
}

/** What the last summary of the document kept of it, where that is recorded; of the whole cache there is nothing to tell. */
function useKept({ id }: OpenDocument): RetentionMap | undefined {
  const result = useRuns((store) => store.runs[id]?.result);
  return useMemo(() => result?.retention && retentionMap(result.retention, result.kv.layers.length), [result]);
}

import {
  type ReactNode,
  type Ref,
  useCallback,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { t } from "../../../electron/language.js";
import {
  heightOf,
  layoutOf,
  type PageRange,
  type Place,
  pageGap,
  pageRead,
  pagesBetween,
  pagesToShow,
  placeAt,
} from "../../view/page-layout.js";

/** What a page takes; its width where that is known. */
export interface PageBox {
  readonly width?: number;
  readonly height: number;
}

export interface PageListHandle {
  goTo(place: Place): void;
  /** Goes to a page that is not there yet, so that its words can be brought into sight. */
  approach(page: number): void;
  /** Scrolls words into sight. */
  reveal(range: Range): void;
}

interface Props {
  readonly boxes: readonly PageBox[];
  readonly name: (page: number) => string;
  readonly start: Place;
  readonly handle: Ref<PageListHandle>;
  /** Hears the width that there is for pages. */
  readonly onRoom: (width: number) => void;
  /** Hears where it is scrolled to, and which page is being read. */
  readonly onPlace: (place: Place, page: number) => void;
  readonly children: (page: number, inSight: boolean) => ReactNode;
}

/**
 * Pages under one another, of which only those in sight and their neighbours are there. What is at the top stays there
 * when pages become larger or smaller, here or further up.
 */
export function PageList({ boxes, name, start, handle, onRoom, onPlace, children }: Props) {
  const pane = useRef<HTMLElement>(null);
  /** What is right below the gap at the top. */
  const place = useRef(start);
  /** The middle of what is seen of pages wider than the pane, as a share of their width. */
  const middle = useRef(0.5);
  const layout = useMemo(() => layoutOf(boxes.map(({ height }) => height)), [boxes]);
  const [sight, setSight] = useState<PageRange>({ first: start.page, last: start.page });

  const look = useCallback(() => {
    const element = pane.current;
    if (!element || element.clientHeight === 0) return;
    const to = element.scrollTop + element.clientHeight;
    const seen = pagesBetween(layout, element.scrollTop, to);
    setSight((before) => (before.first === seen.first && before.last === seen.last ? before : seen));
    onPlace(place.current, pageRead(layout, element.scrollTop, to));
  }, [layout, onPlace]);

  const keepPlace = useCallback(() => {
    const element = pane.current;
    if (!element) return;
    element.scrollTop = heightOf(layout, place.current) - pageGap;
    look();
  }, [layout, look]);

  useLayoutEffect(() => {
    keepPlace();
    const element = pane.current;
    if (element) element.scrollLeft = middle.current * element.scrollWidth - element.clientWidth / 2;
  }, [keepPlace]);

  useLayoutEffect(() => {
    const element = pane.current;
    if (!element) return;
    const measure = () => {
      // A pane that is folded away has no width, and keeps what it had.
      if (element.clientWidth > 0) onRoom(element.clientWidth);
      keepPlace();
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, [keepPlace, onRoom]);

  useImperativeHandle(
    handle,
    () => ({
      goTo(to) {
        place.current = to;
        keepPlace();
      },
      approach(page) {
        if (page >= sight.first - 1 && page <= sight.last + 1) return;
        place.current = { page, at: 0 };
        keepPlace();
      },
      reveal(range) {
        const inner = range.startContainer.parentElement?.closest<HTMLElement>(".page-text");
        if (inner) bring(range, inner);
        if (pane.current) bring(range, pane.current);
      },
    }),
    [keepPlace, sight],
  );

  const onScroll = () => {
    const element = pane.current;
    if (!element || element.clientHeight === 0) return;
    place.current = placeAt(layout, element.scrollTop + pageGap);
    middle.current = (element.scrollLeft + element.clientWidth / 2) / element.scrollWidth;
    look();
  };

  const widest = boxes.reduce((most, { width = 0 }) => Math.max(most, width), 0);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section ref={pane} className="page-list" aria-label={t("pages.title")} tabIndex={0} onScroll={onScroll}>
      <div className="page-stack" style={{ blockSize: layout.height, minInlineSize: widest }}>
        {pagesToShow(sight, boxes.length).map((page) => {
          const { width, height } = boxes[page - 1] as PageBox;
          const style = { insetBlockStart: layout.tops[page - 1], inlineSize: width, minBlockSize: height };
          return (
            <section key={page} className="page-frame" aria-label={name(page)} style={style}>
              {children(page, page >= sight.first && page <= sight.last)}
            </section>
          );
        })}
      </div>
    </section>
  );
}

/** Scrolls a pane so that words stand in its upper half, if they are not seen already. */
function bring(range: Range, pane: HTMLElement): void {
  const [words, seen] = [range.getBoundingClientRect(), pane.getBoundingClientRect()];
  const above = words.top < seen.top + pageGap;
  if (above || words.bottom > seen.bottom - pageGap) pane.scrollTop += words.top - seen.top - seen.height / 3;
  if (words.left < seen.left || words.right > seen.right) pane.scrollLeft += words.left - seen.left - seen.width / 4;
}

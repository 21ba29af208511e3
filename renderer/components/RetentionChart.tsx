import { type CSSProperties, type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { PageText, SummaryResult } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { pageTexts } from "../page-texts.js";
import { useDocuments } from "../stores/documents.js";
import { usePages } from "../stores/pages.js";
import { columnOfBytes, fileName, formatCount, formatDecimal, formatSeries, pageName } from "../view/format.js";
import {
  colourRamp,
  keptByPage,
  movedPoint,
  type Place,
  type Point,
  parseColour,
  passageAround,
  pixelsOf,
  placeAt,
  type RetentionMap,
  retentionMap,
  rulerTicks,
} from "../view/retention.js";

/** What reading kept: of each layer and each stretch of the text as a picture, or as tables for those who want them. */
export function RetentionChart({ result }: { result: SummaryResult }) {
  const { retention, kv } = result;
  const layers = kv.layers.length;
  const map = useMemo(() => retention && retentionMap(retention, layers), [retention, layers]);
  if (layers === 0) return null;
  return (
    <section className="retention" aria-label={t("retention.title")}>
      <h2>{t("retention.title")}</h2>
      <Picture map={map} result={result} />
      <Tables map={map} result={result} />
    </section>
  );
}

/** The map with its ruler below and the layers' budgets at its side; what is pointed at stands in words below. */
function Picture({ map, result }: { map: RetentionMap | undefined; result: SummaryResult }) {
  const [point, setPoint] = useState<Point>();
  const place = map && point && placeAt(map, point);
  const passage = usePassage(place);
  const { layers } = result.kv;
  const most = Math.max(1, ...layers.map(({ tokens }) => tokens));
  const least = Math.min(...layers.map(({ tokens }) => tokens));
  return (
    <>
      <div
        className="retention-picture"
        data-map={map !== undefined}
        style={{ "--layers": layers.length } as CSSProperties}
      >
        {map && <MapButton map={map} point={point} setPoint={setPoint} />}
        <div
          className="retention-profile"
          role="img"
          aria-label={t("retention.profile", {
            count: layers.length,
            least: formatCount(least),
            most: formatCount(most),
          })}
        >
          {layers.map(({ layer, tokens }, index) => (
            <span
              key={layer}
              data-at={place?.layer === index}
              title={t("retention.layerTokens", { layer: layer + 1, tokens: formatCount(tokens) })}
              style={{ inlineSize: `${Math.max(1, (100 * tokens) / most)}%` }}
            />
          ))}
        </div>
        {map && <PageRuler map={map} />}
        <p className="retention-most">{t("documents.tokens", { count: most })}</p>
      </div>
      <div className="retention-words" data-map={map !== undefined}>
        <p aria-live="polite">{place ? placeWords(place, result) : map ? <Legend /> : withoutMap(result)}</p>
        <p className="retention-passage">{passage}</p>
      </div>
    </>
  );
}

/** The words of the selected document at a place, once they are fetched. */
function usePassage(place: Place | undefined): string | undefined {
  const documentId = useDocuments((store) => store.selectedId);
  const texts = useMemo(() => documentId && pageTexts(documentId), [documentId]);
  const [found, setFound] = useState<PageText>();
  const page = place?.page?.document === 0 ? place.page.page : undefined;
  useEffect(() => {
    if (page === undefined || !texts) return;
    let current = true;
    void texts(page).then((outcome) => current && outcome.ok && setFound(outcome.value));
    return () => {
      current = false;
    };
  }, [page, texts]);
  return place && found && found.number === page ? passageAround(found.text, place.within) : undefined;
}

interface MapButtonProps {
  readonly map: RetentionMap;
  readonly point: Point | undefined;
  readonly setPoint: (point: Point | undefined) => void;
}

/** Pointed at by the pointer, or by the arrow keys: from page to page, from layer to layer. Pressed, it shows the page. */
function MapButton({ map, point, setPoint }: MapButtonProps) {
  const goTo = usePages((store) => store.goTo);
  const onPointerMove = ({ currentTarget, clientX, clientY }: PointerEvent<HTMLElement>) => {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    setPoint({ x: (clientX - left) / width, y: (clientY - top) / height });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const moved = movedPoint(map, point, event.key);
    if (!moved) return;
    event.preventDefault();
    setPoint(moved);
  };
  const onClick = () => {
    const page = point && placeAt(map, point).page;
    // the pane shows the first of several documents
    if (page?.document === 0) goTo(page.page);
  };
  return (
    <button
      type="button"
      className="retention-map"
      aria-label={t("retention.map", { count: map.layers })}
      onPointerMove={onPointerMove}
      onPointerLeave={() => setPoint(undefined)}
      onKeyDown={onKeyDown}
      onBlur={() => setPoint(undefined)}
      onClick={onClick}
    >
      <MapCanvas map={map} />
      {point && (
        <span
          className="retention-point"
          style={{ insetInlineStart: `${100 * point.x}%`, insetBlockStart: `${100 * point.y}%` }}
        />
      )}
    </button>
  );
}

/** Rows of layers in pixels of the screen, drawn anew when the size or the colours change. */
function MapCanvas({ map }: { map: RetentionMap }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const draw = () => {
      const { clientWidth, clientHeight } = element;
      const [width, height] = [clientWidth, clientHeight].map((size) => Math.round(size * devicePixelRatio));
      const context = element.getContext("2d");
      if (!context || !width || !height) return;
      element.width = width;
      element.height = height;
      context.putImageData(new ImageData(pixelsOf(map, width, height, paletteOf(element)), width, height), 0, 0);
    };
    const sizes = new ResizeObserver(draw);
    sizes.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => {
      sizes.disconnect();
      dark.removeEventListener("change", draw);
    };
  }, [map]);
  return <canvas ref={canvas} />;
}

/** RGB of the shares 0 to 255, between the colours that the style sheet has for nothing and for all kept. */
function paletteOf(element: HTMLElement): Uint8ClampedArray {
  const style = getComputedStyle(element);
  const [none, all] = ["--kept-none", "--kept-all"].map((name) => parseColour(style.getPropertyValue(name)));
  const strip = Object.assign(document.createElement("canvas"), { width: 256, height: 1 });
  const context = strip.getContext("2d", { willReadFrequently: true });
  if (!context || !none || !all) return new Uint8ClampedArray(3 * 256);
  colourRamp(none, all).forEach((colour, share) => {
    context.fillStyle = colour;
    context.fillRect(share, 0, 1, 1);
  });
  return context.getImageData(0, 0, 256, 1).data.filter((_, index) => index % 4 < 3);
}

function PageRuler({ map }: { map: RetentionMap }) {
  const ruler = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(8);
  useEffect(() => {
    const element = ruler.current;
    if (!element) return;
    const sizes = new ResizeObserver(() => setRoom(Math.max(2, Math.floor(element.clientWidth / 36))));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, []);
  return (
    <div ref={ruler} className="retention-ruler" aria-hidden="true">
      {rulerTicks(map, room).map(({ document, page, at }) => (
        <span key={`${document}/${page}`} style={{ insetInlineStart: `${100 * at}%` }}>
          {page}
        </span>
      ))}
    </div>
  );
}

function Legend() {
  return (
    <span className="retention-legend">
      <span>{t("retention.nothing")}</span>
      <span className="retention-scale" aria-hidden="true" />
      <span>{t("retention.all")}</span>
    </span>
  );
}

/** Always to a tenth: they stand below each other. */
const sharePercent = (share: number) => t("units.percent", { value: formatDecimal(100 * share) });

function placeWords({ layer, page, share, everywhere }: Place, { kv, document, furtherDocuments }: SummaryResult) {
  const of = page && [document, ...furtherDocuments][page.document];
  const shown = page && of ? pageName(page.page, of.coverage.unit) : t("retention.text");
  const named = of && furtherDocuments.length > 0;
  const where = named ? t("documents.pageOf", { page: shown, file: fileName(of.path) }) : shown;
  const kept = kv.layers[layer];
  const values = { where, layer: (kept?.layer ?? layer) + 1 };
  return t("retention.place", { ...values, share: sharePercent(share), everywhere: sharePercent(everywhere) });
}

function withoutMap({ kv }: SummaryResult): string {
  return kv.retainedBytes >= kv.fullBytes ? t("retention.whole") : t("retention.unknown");
}

/** The same in numbers. */
function Tables({ map, result }: { map: RetentionMap | undefined; result: SummaryResult }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("retention.tables")}</summary>
      {open && (
        <div className="retention-tables">
          {map && <PagesTable map={map} result={result} />}
          <LayersTable result={result} />
        </div>
      )}
    </details>
  );
}

function PagesTable({ map, result }: { map: RetentionMap; result: SummaryResult }) {
  const documents = [result.document, ...result.furtherDocuments];
  return (
    <table>
      <caption>{t(`${result.document.coverage.unit}.keptOf`)}</caption>
      <tbody>
        {keptByPage(map).map(({ document, page, share }) => {
          const { coverage, path } = documents[document] ?? result.document;
          return (
            <tr key={`${document}/${page}`}>
              <th scope="row">
                {documents.length > 1
                  ? formatSeries([pageName(page, coverage.unit), fileName(path)])
                  : pageName(page, coverage.unit)}
              </th>
              <td>{sharePercent(share)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function LayersTable({ result }: { result: SummaryResult }) {
  const formatBytes = columnOfBytes(result.kv.layers.map(({ bytes }) => bytes));
  return (
    <table>
      <caption>{t("retention.byLayer")}</caption>
      <thead>
        <tr>
          <th scope="col">{t("retention.layer")}</th>
          <th scope="col">{t("documents.tokensTitle")}</th>
          <th scope="col">{t("compare.memory")}</th>
        </tr>
      </thead>
      <tbody>
        {result.kv.layers.map(({ layer, tokens, bytes }) => (
          <tr key={layer}>
            <th scope="row">{layer + 1}</th>
            <td>{formatCount(tokens)}</td>
            <td>{formatBytes(bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

import { type KeyboardEvent, useDeferredValue } from "react";
import type { LibraryEntry, LibraryHit } from "../../electron/contract.js";
import { mostListed } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { openFound, openStored } from "../actions.js";
import { withShift } from "../keys.js";
import { useDocuments } from "../stores/documents.js";
import { useLibrary } from "../stores/library.js";
import { useQueuedPaths } from "../stores/queue.js";
import { useViews } from "../stores/views.js";
import { formatCount, formatSeries, plural } from "../view/format.js";
import { TagButton } from "./Tags.js";

/** The field that searches every page and summary; Esc empties it, the arrow down goes to what was found. */
export function SearchField() {
  const { query, search, best } = useLibrary();
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape" && query !== "") search("");
    else if (event.key === "ArrowDown") document.querySelector<HTMLElement>(".found .entry-main")?.focus();
    else if (event.key === "Enter") void best().then((hit) => hit && openFound(hit));
    else return;
    event.preventDefault();
  };
  return (
    <search className="library-search">
      <input
        type="search"
        id="library-search"
        aria-label={t("shortcuts.search")}
        placeholder={t("library.search", { keys: withShift("F") })}
        maxLength={1_000}
        value={query}
        onChange={(event) => search(event.target.value)}
        onKeyDown={onKeyDown}
      />
    </search>
  );
}

/** Before anything was found. */
const none: readonly LibraryHit[] = [];
/** Hits that most windows show without scrolling. */
const seenAtOnce = 10;

/** What was found, a document each, with where and the words around it. */
export function Found({ hits }: { hits: readonly LibraryHit[] }) {
  // What there is room for is there at once; the others follow when that is painted, unless more is typed meanwhile.
  const settled = useDeferredValue(hits, none);
  const shown = settled === hits ? hits : hits.slice(0, seenAtOnce);
  const words =
    hits.length === mostListed
      ? t("library.best", { number: formatCount(mostListed) })
      : hits.length === 0
        ? t("library.nothing")
        : t("library.found", { count: hits.length });
  return (
    <>
      <p className="small list-note" role="status">
        {words}
      </p>
      <Entries
        entries={shown.map(({ entry }) => entry)}
        className="found"
        open={(_, index) => openFound(hits[index] as LibraryHit)}
      >
        {(_, index) => {
          const hit = hits[index] as LibraryHit;
          return (
            <>
              <span className="entry-state">{placeWords(hit)}</span>
              <span className="entry-snippet">
                {hit.snippet.map(({ text, found }, piece) =>
                  // biome-ignore lint/suspicious/noArrayIndexKey: a piece is its place
                  found ? <mark key={piece}>{text}</mark> : <span key={piece}>{text}</span>,
                )}
              </span>
            </>
          );
        }}
      </Entries>
    </>
  );
}

function placeWords({ entry, inSummary, page, found }: LibraryHit): string {
  if (page === undefined) return inSummary ? t("library.inSummary") : "";
  const values = { number: page, more: formatCount(found - 1) };
  if (found > 1) return t(inSummary ? `${entry.unit}.summaryHits` : `${entry.unit}.hits`, values);
  return t(inSummary ? `${entry.unit}.summaryHit` : `${entry.unit}.number`, values);
}

/** The documents that were opened before, and are neither open nor queued now; with a tag chosen, all that have it. */
export function Earlier() {
  const list = useLibrary((store) => store.list);
  const tag = useLibrary((store) => store.tag);
  const show = useViews((store) => store.show);
  const open = useDocuments((store) => store.documents);
  const queued = useQueuedPaths();
  const isShown = ({ path }: LibraryEntry) =>
    tag !== undefined || !(queued.includes(path) || open.some((entry) => entry.path === path));
  const entries = (list?.entries ?? []).filter(isShown);
  if (!list || entries.length === 0) return null;
  const rest = list.total - list.entries.length;
  return (
    <section className="earlier" aria-labelledby="earlier-title">
      <header className="queue-head">
        <h3 id="earlier-title">{tag === undefined ? t("library.earlier") : t("library.tagged")}</h3>
        <span className="queue-tools">
          <button type="button" className="quiet" onClick={() => show("export-several")}>
            {t("library.export")}
          </button>
          <button type="button" className="quiet" onClick={() => show("storage")}>
            {t("common.storage")}
          </button>
        </span>
      </header>
      <Entries entries={entries}>
        {({ pages, unit, summarised, tags }) => (
          <span className="entry-state">
            {[
              plural(pages, unit),
              ...(summarised ? [t("library.summarised")] : []),
              ...(tags.length > 0 ? [formatSeries(tags)] : []),
            ].join(" · ")}
          </span>
        )}
      </Entries>
      {rest > 0 && <p className="small list-note">{t("library.more", { count: rest })}</p>}
    </section>
  );
}

/** Entries of the library as buttons that open them; arrow keys move along, the last button deletes. */
function Entries({
  entries,
  className,
  open = ({ path }) => openStored(path),
  children,
}: {
  entries: readonly LibraryEntry[];
  className?: string;
  open?: (entry: LibraryEntry, index: number) => void;
  children: (entry: LibraryEntry, index: number) => React.ReactNode;
}) {
  const askDelete = useLibrary((store) => store.askDelete);
  return (
    <ul className={className} onKeyDown={moveAlong}>
      {entries.map((entry, index) => (
        <li key={entry.path} className="entry">
          <button type="button" className="entry-main" title={entry.path} onClick={() => open(entry, index)}>
            <span className="entry-title">{entry.title}</span>
            {children(entry, index)}
          </button>
          <span className="entry-tools">
            <TagButton path={entry.path} title={entry.title} />
            <button
              type="button"
              aria-label={t("library.deleteOne", { title: entry.title })}
              title={t("library.delete")}
              onClick={() => askDelete(entry)}
            >
              <svg viewBox="0 0 12 12" aria-hidden="true">
                <path d="M2 3h8M4.5 3V1.5h3V3M3 3l.5 7.5h5L9 3M5 5v3.5M7 5v3.5" />
              </svg>
            </button>
          </span>
        </li>
      ))}
    </ul>
  );
}

function moveAlong(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (step === 0) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>(".entry-main")];
  const at = buttons.findIndex((button) => button.parentElement?.contains(event.target as Node));
  event.preventDefault();
  const next = buttons[at + step] ?? (step < 0 ? document.getElementById("library-search") : undefined);
  next?.focus();
}

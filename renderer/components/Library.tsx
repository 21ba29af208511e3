import { type KeyboardEvent, useEffect } from "react";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { chooseFiles, closeDocument } from "../actions.js";
import { goFrom, isChosen, type OpenDocument, selectedDocument, useDocuments } from "../stores/documents.js";
import { useLibrary } from "../stores/library.js";
import { useQueuedPaths } from "../stores/queue.js";
import { type Run, useRuns } from "../stores/runs.js";
import { stateWords } from "../view/queue.js";
import { DeleteDialog } from "./DeleteDialog.js";
import { Earlier, Found, SearchField } from "./LibrarySearch.js";
import { ModelLine } from "./ModelLine.js";
import { Queue } from "./Queue.js";
import { TagButton, TagFilter, Tagging } from "./Tags.js";

/** The open documents, each with the state of its run, the earlier ones, and the search over all of them. */
export function Library() {
  const store = useDocuments();
  const { selectedId, alsoIds, select, toggle } = store;
  const queued = useQueuedPaths();
  const documents = store.documents.filter(({ path }) => !queued.includes(path));
  const runs = useRuns((store) => store.runs);
  const hits = useLibrary((store) => store.hits);
  const error = useLibrary((store) => store.error);
  const tag = useLibrary((store) => store.tag);

  /**
   * Arrow keys move along the list, with Shift they choose the next one too; each entry is a button, so Tab and Enter work
   * as they do everywhere.
   */
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const holds = (id: string) => document.getElementById(`entry-${id}`)?.parentElement?.contains(event.target as Node);
    const at = documents.findIndex(({ id }) => holds(id));
    const [current, next] = [documents[at], documents[at + step]];
    if (step === 0 || !current || !next) return;
    event.preventDefault();
    goFrom(current.id, next.id, event.shiftKey);
    document.getElementById(`entry-${next.id}`)?.focus();
  };

  const selectedPath = selectedDocument(store)?.path;
  const inQueue = selectedPath !== undefined && queued.includes(selectedPath);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another is selected, or stands in the other list
  useEffect(() => {
    const lists = document.querySelector(".lists");
    const entry = lists?.querySelector<HTMLElement>("[aria-current=true]");
    // A long list may have it out of sight, and so may one that the memory bar leaves less room.
    const watch = new ResizeObserver(() => entry?.scrollIntoView({ block: "nearest" }));
    if (lists) watch.observe(lists);
    // The button that opened it may be gone, and whoever uses the keyboard would begin at the window's top again.
    if (document.activeElement === document.body) entry?.focus({ preventScroll: true });
    return () => watch.disconnect();
  }, [selectedId, inQueue]);

  return (
    <nav className="library" aria-label={t("documents.title")}>
      <header className="pane-head">
        <h2>{t("documents.title")}</h2>
        <button type="button" className="quiet" onClick={() => void chooseFiles()}>
          {t("documents.open")}
        </button>
      </header>
      <SearchField />
      <TagFilter />
      <div className="lists">
        {error && (
          <div className="library-error" role="alert">
            <p>{translated(error.message)}</p>
            {error.next && <p className="small">{translated(error.next)}</p>}
          </div>
        )}
        {hits && <Found hits={hits} />}
        {!hits && tag === undefined && <Queue />}
        {!hits && tag === undefined && (
          <ul onKeyDown={onKeyDown}>
            {documents.map((entry) => (
              <li key={entry.id} className="entry" data-selected={isChosen(store, entry.id)}>
                <button
                  type="button"
                  id={`entry-${entry.id}`}
                  className="entry-main"
                  aria-current={entry.id === selectedId}
                  aria-pressed={alsoIds.length > 0 ? isChosen(store, entry.id) : undefined}
                  onClick={(event) => (event.ctrlKey || event.metaKey ? toggle(entry.id) : select(entry.id))}
                >
                  <span className="entry-title">{entry.summary?.title || entry.name}</span>
                  <EntryState entry={entry} run={runs[entry.id]} />
                </button>
                <span className="entry-tools">
                  {/* the library has what was opened */}
                  {entry.summary && <TagButton path={entry.path} title={entry.summary.title || entry.name} />}
                  <button
                    type="button"
                    aria-label={t("documents.closeOne", { name: entry.name })}
                    title={t("common.close")}
                    onClick={() => closeDocument(entry.id)}
                  >
                    <svg viewBox="0 0 12 12" aria-hidden="true">
                      <path d="M2.5 2.5l7 7m0-7l-7 7" />
                    </svg>
                  </button>
                </span>
              </li>
            ))}
          </ul>
        )}
        {!hits && <Earlier />}
      </div>
      <ModelLine />
      <Tagging />
      <DeleteDialog />
    </nav>
  );
}

function EntryState({ entry, run }: { entry: OpenDocument; run: Run | undefined }) {
  const tone = entry.state === "failed" || run?.phase === "failed" ? "bad" : run?.phase === "done" ? "good" : "plain";
  return (
    <span className="entry-state" data-tone={tone}>
      {stateWords(entry, run)}
      {/* how much there is to write, nobody knows */}
      {run?.phase === "reading" && (
        <progress aria-hidden="true" className="hairline" value={run.progress?.fraction ?? 0} max={1} />
      )}
    </span>
  );
}

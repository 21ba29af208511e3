import { type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { QueueItem } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { openStored } from "../actions.js";
import { goFrom, isChosen, useDocuments } from "../stores/documents.js";
import { useLibrary } from "../stores/library.js";
import { isOpen, lostMs, type QueueAct, rowsOf, unaskedLossMs, useQueue, wholeQueue } from "../stores/queue.js";
import { errorWords, fileName, formatDuration, joinSentences } from "../view/format.js";
import { queueWords, stateWords, stepTo, wholeWords } from "../view/queue.js";

/** The documents that are summarised one after the other. */
export function Queue() {
  const queue = useQueue();
  const rows = rowsOf(queue);
  if (rows.length === 0) return null;
  const problem = queue.error ?? queue.unsaved;

  return (
    <section className="queue" aria-labelledby="queue-title">
      <QueueHead />
      {queue.asked && <Asked asked={queue.asked} />}
      {problem && (
        <p className="small list-note" role="status">
          {queue.unsaved && `${t("queue.unsaved")} `}
          {errorWords(problem)}
        </p>
      )}
      <Rows rows={rows} />
    </section>
  );
}

/** How far the queue is, and what can be done with all of it. */
function QueueHead() {
  const queue = useQueue();
  const { items, act, resume } = queue;
  const done = items.filter(({ state }) => state === "done").length;
  const now = wholeQueue(queue);
  return (
    <header className="queue-head">
      <h3 id="queue-title">{t("queue.title", { done, count: items.length })}</h3>
      <span className="queue-tools">
        {/* one button: it keeps the focus when it becomes the other */}
        {now && (
          <button
            type="button"
            className="quiet"
            onClick={() => (now === "pause" ? act({ what: "hold" }) : void resume())}
          >
            {t(wholeWords[now])}
          </button>
        )}
        <button type="button" className="quiet" onClick={() => act({ what: "cancel" })}>
          {t("queue.clear")}
        </button>
      </span>
    </header>
  );
}

function Asked({ asked }: { asked: QueueAct }) {
  const queue = useQueue();
  const open = queue.items.filter(isOpen).length;
  const lost = lostMs(queue, asked.id);
  const words = [
    ...(asked.what === "cancel" && asked.id === undefined ? [t("queue.wouldLeave", { count: open })] : []),
    ...(lost > unaskedLossMs
      ? [t("queue.wouldLose", { time: formatDuration(lost) })]
      : queue.running
        ? [t("queue.wouldStop")]
        : []),
  ];
  return (
    <div className="confirm" role="alert">
      <p>{joinSentences(...words)}</p>
      <div className="buttons">
        <button type="button" onClick={() => queue.act(asked)}>
          {asked.what === "hold"
            ? t("queue.pauseNow")
            : asked.id === undefined
              ? t("queue.clearIt")
              : t("queue.takeItOut")}
        </button>
        <button type="button" onClick={queue.keepGoing}>
          {t("queue.goOn")}
        </button>
      </div>
    </div>
  );
}

/** A place between rows: before a row, or at the end. */
interface Place {
  readonly before: string | undefined;
}

function Rows({ rows }: { rows: readonly QueueItem[] }) {
  const { move, act } = useQueue();
  const [dragged, setDragged] = useState<string>();
  const [place, setPlace] = useState<Place>();
  const [moved, setMoved] = useState<string>();
  const nameOf = useNames();
  // A row that moves loses the focus; it has it back once it is in its new place.
  const moving = useRef<{ readonly id: string; readonly from: number }>(undefined);
  useEffect(() => {
    const { id, from } = moving.current ?? {};
    const at = rows.findIndex((row) => row.id === id);
    const row = rows[at];
    if (!row || at === from) return;
    moving.current = undefined;
    focusRow(row.id);
    setMoved(t("queue.moved", { name: nameOf(row), place: at + 1, count: rows.length }));
  }, [rows, nameOf]);

  const onKeyDown = (event: KeyboardEvent, row: QueueItem) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : undefined;
    if (step !== undefined && event.altKey) {
      const before = stepTo(rows, row.id, step);
      if (before !== "stays") {
        moving.current = { id: row.id, from: rows.indexOf(row) };
        void move(row.id, before);
      }
    } else if (step !== undefined) {
      const next = rows[rows.indexOf(row) + step];
      if (next) goTo(row, next, event.shiftKey);
    } else if (event.key === "Delete") {
      const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
      if (next) focusRow(next.id);
      act({ what: "cancel", id: row.id });
    } else return;
    event.preventDefault();
  };

  const onDragOver = (event: DragEvent<HTMLElement>, index: number) => {
    if (dragged === undefined) return;
    event.preventDefault();
    const { top, height } = event.currentTarget.getBoundingClientRect();
    const after = rows[index]?.state === "running" || event.clientY > top + height / 2;
    setPlace({ before: rows[after ? index + 1 : index]?.id });
  };
  const onDrop = (event: DragEvent) => {
    if (dragged === undefined) return; // files, which the window takes
    event.preventDefault();
    event.stopPropagation();
    if (place) void move(dragged, place.before);
    setDragged(undefined);
    setPlace(undefined);
  };

  return (
    <>
      <ul onDrop={onDrop} data-drop-at-end={place !== undefined && place.before === undefined}>
        {rows.map((row, index) => (
          <li
            key={row.id}
            className="entry"
            draggable={row.state !== "running"}
            data-dragged={row.id === dragged}
            data-drop-before={place !== undefined && place.before === row.id}
            onDragStart={(event) => {
              event.dataTransfer.effectAllowed = "move";
              setDragged(row.id);
            }}
            onDragOver={(event) => onDragOver(event, index)}
            onDragEnd={() => {
              setDragged(undefined);
              setPlace(undefined);
            }}
          >
            <Row row={row} name={nameOf(row)} onKeyDown={(event) => onKeyDown(event, row)} />
          </li>
        ))}
      </ul>
      <p className="visually-hidden" aria-live="polite">
        {moved}
      </p>
    </>
  );
}

interface RowProps {
  readonly row: QueueItem;
  readonly name: string;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

function Row({ row, name, onKeyDown }: RowProps) {
  const { running, resume, act } = useQueue();
  const store = useDocuments();
  const open = store.documents.find(({ path }) => path === row.path);
  const chosen = isChosen(store, open?.id);
  const waits = row.state === "running" || row.state === "waiting";
  const fraction = running?.id === row.id ? (running.progress?.fraction ?? 0) : 0;
  return (
    <>
      <button
        type="button"
        id={`queue-${row.id}`}
        className="entry-main"
        aria-current={open !== undefined && open.id === store.selectedId}
        aria-pressed={store.alsoIds.length > 0 ? chosen : undefined}
        aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown Delete"
        title={row.path}
        onClick={(event) => (open && (event.ctrlKey || event.metaKey) ? store.toggle(open.id) : openStored(row.path))}
        onKeyDown={onKeyDown}
      >
        <span className="entry-title">{name}</span>
        <span className="entry-state" data-tone={row.error ? "bad" : "plain"}>
          {open && row.state === "held" && !row.options ? stateWords(open) : queueWords(row, running)}
          {row.error?.next && ` ${translated(row.error.next)}`}
          {row.state === "running" && <progress aria-hidden="true" className="hairline" value={fraction} max={1} />}
        </span>
      </button>
      <span className="entry-tools">
        <button
          type="button"
          aria-label={t(waits ? "queue.pauseOne" : "queue.resumeOne", { name })}
          title={waits ? t("common.pause") : row.state === "failed" ? t("common.tryAgain") : t("common.resume")}
          onClick={() => (waits ? act({ what: "hold", id: row.id }) : void resume(row.id))}
        >
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d={waits ? "M4 2.5v7M8 2.5v7" : "M4 2.5v7l5.5-3.5z"} />
          </svg>
        </button>
        <button
          type="button"
          aria-label={t("queue.takeOutOne", { name })}
          title={t("queue.takeOut")}
          onClick={() => act({ what: "cancel", id: row.id })}
        >
          <svg viewBox="0 0 12 12" aria-hidden="true">
            <path d="M2.5 2.5l7 7m0-7l-7 7" />
          </svg>
        </button>
      </span>
    </>
  );
}

/** What a queued document is called: its title where it is known. */
function useNames(): (item: QueueItem) => string {
  const documents = useDocuments((store) => store.documents);
  const entries = useLibrary((store) => store.list?.entries);
  return ({ path, further = [] }) => {
    const title =
      documents.find((entry) => entry.path === path)?.summary?.title ||
      entries?.find((entry) => entry.path === path)?.title ||
      fileName(path);
    return further.length > 0 ? t("queue.andMore", { title, number: further.length }) : title;
  };
}

const focusRow = (id: string) => document.getElementById(`queue-${id}`)?.focus();

/** To another row, as in the list of documents: what is open in the window is shown, or with `extend` chosen, too. */
function goTo(from: QueueItem, to: QueueItem, extend: boolean): void {
  focusRow(to.id);
  const { documents } = useDocuments.getState();
  const [here, there] = [from, to].map((item) => documents.find(({ path }) => path === item.path)?.id);
  if (there !== undefined) goFrom(here ?? there, there, extend);
}

/** How the rows of the queue and of the documents say how far they are, and where one goes that is moved. */

import type { QueueItem, QueueState } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import type { OpenDocument } from "../stores/documents.js";
import type { Run } from "../stores/runs.js";
import { formatFraction, formatRemaining, plural } from "./format.js";

type Running = NonNullable<QueueState["running"]>;

export function queueWords(item: QueueItem, running: QueueState["running"]): string {
  switch (item.state) {
    case "running":
      return running?.id === item.id ? runningWords(running) : t("state.gettingReady");
    case "waiting":
      return t("state.waiting");
    case "held":
      if (item.error) return translated(item.error.message);
      if (item.interrupted) return t("queue.interrupted");
      return item.options ? t("state.paused") : t("queue.notStarted");
    case "failed":
      return item.error ? translated(item.error.message) : t("state.failed");
    case "done":
      return t("state.done");
  }
}

function runningWords({ progress, stopping }: Running): string {
  if (stopping) return t("queue.stopping");
  switch (progress?.stage) {
    case "loading":
      return t("queue.loading");
    case "opening":
      return progress.scans ? recognising(progress.scans) : t("state.opening");
    case "reading": {
      const share = formatFraction(progress.fraction);
      return progress.remainingMs === undefined
        ? t("state.reading", { share })
        : t("queue.readingLeft", { share, time: formatRemaining(progress.remainingMs) });
    }
    case "writing":
      return t("state.writing");
    default:
      return t("state.gettingReady");
  }
}

/** Which of the scanned pages is being recognised. */
export const recognising = ({ done, total }: { readonly done: number; readonly total: number }): string =>
  t("state.recognising", { page: Math.min(done + 1, total), total });

/**
 * Before which row one goes that is moved by a step: undefined stands for the end.
 * @returns "stays" when there is nowhere to go; what runs now stays first
 */
export function stepTo(rows: readonly QueueItem[], id: string, step: 1 | -1): string | undefined | "stays" {
  const at = rows.findIndex((row) => row.id === id);
  const other = rows[at + step];
  if (at < 0 || !other || other.state === "running" || rows[at]?.state === "running") return "stays";
  return step === -1 ? other.id : rows[at + 2]?.id;
}

/** How far a document of the window is. */
export function stateWords(entry: OpenDocument, run?: Run): string {
  if (entry.state === "opening") {
    const { scans } = entry.progress ?? {};
    return scans ? recognising(scans) : t("state.opening");
  }
  if (entry.state === "cancelled") return t("state.notOpened");
  if (entry.state === "failed") return t("state.openFailed");
  switch (run?.phase) {
    case "waiting":
      return t("state.waiting");
    case "reading":
      return t("state.reading", { share: formatFraction(run.progress?.fraction ?? 0) });
    case "writing":
      return t("state.writing");
    case "held":
      return t("state.paused");
    case "done":
      return t("state.done");
    case "failed":
      return t("state.failed");
    default:
      return entry.summary
        ? [
            plural(entry.summary.pages, entry.summary.unit),
            t("documents.tokens", { count: entry.summary.tokens }),
          ].join(" · ")
        : "";
  }
}

/** What the whole queue's button says. */
export const wholeWords = { pause: "common.pause", resume: "common.resume", start: "queue.startAll" } as const;

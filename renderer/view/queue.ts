/** How the queue's rows say how far they are, and where a row goes that is moved. */
import type { QueueItem, QueueState } from "../../electron/contract.js";
import { formatRemaining } from "./format.js";

type Running = NonNullable<QueueState["running"]>;

export function queueWords(item: QueueItem, running: QueueState["running"]): string {
  switch (item.state) {
    case "running":
      return running?.id === item.id ? runningWords(running) : "Getting ready";
    case "waiting":
      return "Waiting for its turn";
    case "held":
      if (item.error) return item.error.message;
      if (item.interrupted) return "Was being read when Precis ended";
      return item.options ? "Paused" : "Not started";
    case "failed":
      return item.error?.message ?? "Stopped with an error";
    case "done":
      return "Summarised";
  }
}

function runningWords({ progress, stopping }: Running): string {
  if (stopping) return "Stopping…";
  switch (progress?.stage) {
    case "loading":
      return "Loading the model";
    case "opening":
      return progress.scans
        ? `Recognising page ${Math.min(progress.scans.done + 1, progress.scans.total)} of ${progress.scans.total}`
        : "Opening…";
    case "reading": {
      const left = progress.remainingMs === undefined ? "" : `, about ${formatRemaining(progress.remainingMs)} left`;
      return `Reading, ${Math.floor(100 * progress.fraction)} %${left}`;
    }
    case "writing":
      return "Writing";
    default:
      return "Getting ready";
  }
}

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

/** The run of each document in the window: what the queue does with it, or what the library has of an earlier one. */
import { create } from "zustand";
import type {
  Answer,
  Progress,
  QueueState,
  RunOptions,
  StoredRun,
  SummaryResult,
  WireError,
} from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { unaskedLossMs, useQueue } from "./queue.js";

export interface Run {
  /** The queue's id of it, or a new one of a run that is over. */
  readonly runId: string;
  readonly documentId: string;
  /** held: it was begun or waited for its turn, and is now held in the queue. */
  readonly phase: "waiting" | "reading" | "writing" | "held" | "done" | "failed" | "cancelled";
  readonly options: RunOptions;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly progress: Progress | undefined;
  readonly text: string;
  readonly result: SummaryResult | undefined;
  /** What was asked about an earlier run, as the library has it; what is asked in this window is in useQuestions. */
  readonly answers: readonly Answer[];
  readonly error: WireError | undefined;
  /** The user asked to cancel, and more than a minute would be lost: asked once. */
  readonly confirming: boolean;
  /** It was asked to stop; the worker has not answered yet. */
  readonly stopping: boolean;
}

/** The part of an open document that its run is found by. */
interface Shown {
  readonly id: string;
  readonly path: string;
}

interface RunsStore {
  readonly runs: Readonly<Record<string, Run>>;
  /** Takes up what the queue does with the documents of the window. */
  follow(queue: QueueState, documents: readonly Shown[]): void;
  cancel(documentId: string): void;
  /** Shows the last run that the library keeps of a document, unless there has been one since. */
  restore(documentId: string, path: string): Promise<void>;
  /** Takes back the question whether to cancel. */
  keepGoing(documentId: string): void;
  /** Forgets a run. */
  clear(documentId: string): void;
  progressed(runId: string, progress: Progress): void;
  wrote(runId: string, text: string): void;
}

export const isActive = (run: Run | undefined): boolean => run?.phase === "reading" || run?.phase === "writing";
export const isBusy = (run: Run | undefined): boolean => isActive(run) || run?.phase === "waiting";

export const useRuns = create<RunsStore>((set, get) => {
  const find = (runId: string) => Object.values(get().runs).find((run) => run.runId === runId);
  const put = (run: Run) => set(({ runs }) => ({ runs: { ...runs, [run.documentId]: run } }));
  const update = (runId: string, change: Partial<Run>) => {
    const run = find(runId);
    if (run) put({ ...run, ...change });
  };
  const over = { confirming: false, stopping: false };

  /** A finished run's summary is asked for once, while the run still counts as writing. */
  async function finish({ runId, documentId }: Run, path: string): Promise<void> {
    const outcome = await precis().storedRun({ documentId, path });
    if (!outcome.ok) update(runId, { ...over, phase: "failed", endedAt: Date.now(), error: outcome.error });
    else if (outcome.value) {
      const { started, ended, result } = outcome.value;
      update(runId, { ...over, phase: "done", startedAt: started, endedAt: ended, result, text: result.text });
    }
  }

  return {
    runs: {},
    follow({ items, running }, documents) {
      for (const { id: documentId, path } of documents) {
        let run = get().runs[documentId];
        const item = items.find((one) => one.path === path);
        const same = run !== undefined && run.runId === item?.id;
        if (run && !same && (isBusy(run) || run.phase === "held")) {
          // It was taken out of the queue.
          run = { ...run, ...over, phase: "cancelled", endedAt: Date.now() };
          put(run);
        }
        switch (item?.state) {
          case "waiting":
            if (item.options && !(same && run?.phase === "waiting")) {
              put({ ...newRun(item.id, documentId, item.options), phase: "waiting" });
            }
            break;
          case "running": {
            if (!item.options) break;
            const at = running?.id === item.id ? running : undefined;
            const stopping = at?.stopping ?? false;
            if (same && run && isActive(run)) {
              if (run.stopping !== stopping) put({ ...run, stopping });
              break;
            }
            const text = at?.text ?? "";
            const phase = text === "" ? "reading" : "writing";
            const begun = { startedAt: item.started ?? Date.now(), progress: at?.progress, text, stopping };
            put({ ...newRun(item.id, documentId, item.options), ...begun, phase });
            break;
          }
          case "held":
            if (same && run && isBusy(run)) put({ ...run, ...over, phase: "held" });
            break;
          case "done":
            if (same && run && run.phase !== "done" && !fetching.has(run.runId)) {
              fetching.add(run.runId);
              void finish(run, path).finally(() => fetching.delete(run.runId));
            }
            break;
          case "failed":
            if (item.options && (!run || (same && run.phase !== "failed"))) {
              const failed = same && run ? run : newRun(item.id, documentId, item.options);
              put({ ...failed, ...over, phase: "failed", endedAt: item.ended, error: item.error });
            }
            break;
        }
      }
    },
    async restore(documentId, path) {
      const outcome = await precis().storedRun({ documentId, path });
      if (!outcome.ok || !outcome.value || get().runs[documentId]) return;
      put(storedAs(documentId, outcome.value));
    },
    cancel(documentId) {
      const run = get().runs[documentId];
      if (!run || !isBusy(run) || run.stopping) return;
      if (isActive(run) && !run.confirming && Date.now() - run.startedAt > unaskedLossMs) {
        return update(run.runId, { confirming: true });
      }
      update(run.runId, { stopping: true, confirming: false });
      void useQueue.getState().cancel(run.runId);
    },
    keepGoing(documentId) {
      const run = get().runs[documentId];
      if (run) update(run.runId, { confirming: false });
    },
    clear(documentId) {
      const { [documentId]: _cleared, ...runs } = get().runs;
      set({ runs });
    },
    progressed(runId, progress) {
      const run = find(runId);
      if (run && isActive(run))
        update(runId, { progress, phase: progress.stage === "writing" ? "writing" : "reading" });
    },
    wrote(runId, text) {
      const run = find(runId);
      if (run && isActive(run)) update(runId, { phase: "writing", text: run.text + text });
    },
  };
});

/** Of finished runs whose summaries are asked for. */
const fetching = new Set<string>();

function newRun(runId: string, documentId: string, options: RunOptions): Run {
  return {
    runId,
    documentId,
    phase: "waiting",
    options,
    startedAt: Date.now(),
    endedAt: undefined,
    progress: undefined,
    text: "",
    result: undefined,
    answers: [],
    error: undefined,
    confirming: false,
    stopping: false,
  };
}

function storedAs(documentId: string, { started, ended, options, result, answers }: StoredRun): Run {
  const run = newRun(newId(), documentId, options);
  return { ...run, phase: "done", startedAt: started, endedAt: ended, text: result.text, result, answers };
}

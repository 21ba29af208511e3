/** One run per document. The worker does one at a time; the others wait in the order in which they were started. */
import { create } from "zustand";
import type { Progress, RunOptions, SummaryResult, WireError } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { runOptions, useSettings } from "./settings.js";

export interface Run {
  readonly runId: string;
  readonly documentId: string;
  readonly phase: "waiting" | "reading" | "writing" | "done" | "failed" | "cancelled";
  readonly options: RunOptions;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly progress: Progress | undefined;
  readonly text: string;
  readonly result: SummaryResult | undefined;
  readonly error: WireError | undefined;
  /** The user asked to cancel, and more than a minute would be lost: asked once. */
  readonly confirming: boolean;
  /** Cancel was sent; the worker has not answered yet. */
  readonly stopping: boolean;
}

interface RunsStore {
  readonly runs: Readonly<Record<string, Run>>;
  start(documentId: string): void;
  cancel(documentId: string): void;
  /** Shows the last run that the library keeps of a document, unless there has been one since. */
  restore(documentId: string, path: string): Promise<void>;
  /** Takes back the question whether to cancel. */
  keepGoing(documentId: string): void;
  /** Forgets a run, cancelling it first when it is not over. */
  clear(documentId: string): void;
  progressed(runId: string, progress: Progress): void;
  wrote(runId: string, text: string): void;
}

/** Milliseconds of work that are thrown away without asking. */
export const unaskedLossMs = 60_000;

export const isActive = (run: Run | undefined): boolean => run?.phase === "reading" || run?.phase === "writing";
export const isBusy = (run: Run | undefined): boolean => isActive(run) || run?.phase === "waiting";

export const useRuns = create<RunsStore>((set, get) => {
  const find = (runId: string) => Object.values(get().runs).find((run) => run.runId === runId);
  const update = (runId: string, change: Partial<Run>) => {
    const run = find(runId);
    if (run) set(({ runs }) => ({ runs: { ...runs, [run.documentId]: { ...run, ...change } } }));
  };

  /** Starts the run that has waited longest, if none is active. */
  function next(): void {
    const runs = Object.values(get().runs);
    const waiting = runs.filter((run) => run.phase === "waiting").sort((a, b) => a.startedAt - b.startedAt)[0];
    if (waiting && !runs.some(isActive)) void perform(waiting);
  }

  async function perform({ runId, documentId, options }: Run): Promise<void> {
    update(runId, { phase: "reading", startedAt: Date.now() });
    const outcome = await precis().summarize({ runId, documentId, options });
    const ended = { endedAt: Date.now(), confirming: false, stopping: false };
    if (outcome.ok) update(runId, { ...ended, phase: "done", result: outcome.value, text: outcome.value.text });
    else if (outcome.error.code === "cancelled") update(runId, { ...ended, phase: "cancelled" });
    else update(runId, { ...ended, phase: "failed", error: outcome.error });
    next();
  }

  return {
    runs: {},
    start(documentId) {
      if (isBusy(get().runs[documentId])) return;
      const run: Run = {
        runId: newId(),
        documentId,
        phase: "waiting",
        options: runOptions(useSettings.getState()),
        startedAt: Date.now(),
        endedAt: undefined,
        progress: undefined,
        text: "",
        result: undefined,
        error: undefined,
        confirming: false,
        stopping: false,
      };
      set(({ runs }) => ({ runs: { ...runs, [documentId]: run } }));
      next();
    },
    async restore(documentId, path) {
      const outcome = await precis().storedRun({ documentId, path });
      if (!outcome.ok || !outcome.value || get().runs[documentId]) return;
      const { started, ended, options, result } = outcome.value;
      const run: Run = {
        runId: newId(),
        documentId,
        phase: "done",
        options,
        startedAt: started,
        endedAt: ended,
        progress: undefined,
        text: result.text,
        result,
        error: undefined,
        confirming: false,
        stopping: false,
      };
      set(({ runs }) => ({ runs: { ...runs, [documentId]: run } }));
    },
    cancel(documentId) {
      const run = get().runs[documentId];
      if (!run || !isBusy(run) || run.stopping) return;
      if (run.phase === "waiting") return update(run.runId, { phase: "cancelled", endedAt: Date.now() });
      if (!run.confirming && Date.now() - run.startedAt > unaskedLossMs) return update(run.runId, { confirming: true });
      update(run.runId, { stopping: true, confirming: false });
      void precis().cancel({ runId: run.runId });
    },
    keepGoing(documentId) {
      const run = get().runs[documentId];
      if (run) update(run.runId, { confirming: false });
    },
    clear(documentId) {
      const { [documentId]: run, ...runs } = get().runs;
      if (isActive(run)) void precis().cancel({ runId: run?.runId ?? "" });
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

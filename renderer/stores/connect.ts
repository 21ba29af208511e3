/** Joins the stores to the main process' events, once, when the window starts. */
import { create } from "zustand";
import type { EventData, WireError } from "../../electron/contract.js";
import { precis } from "../precis.js";
import { useDocuments } from "./documents.js";
import { useLibrary } from "./library.js";
import { useModel } from "./model.js";
import { useQuestions } from "./questions.js";
import { useRuns } from "./runs.js";

interface AppStore {
  /** The bundled sample's path, once known. */
  readonly sample: string | undefined;
  /** Why the worker had to be replaced; until dismissed. */
  readonly workerError: WireError | undefined;
  readonly workerRestarted: boolean;
  readonly shortcutsShown: boolean;
  readonly scanLanguagesShown: boolean;
  readonly exportsShown: boolean;
  showShortcuts(shown: boolean): void;
  showScanLanguages(shown: boolean): void;
  showExports(shown: boolean): void;
  dismissWorkerError(): void;
}

export const useApp = create<AppStore>((set) => ({
  sample: undefined,
  workerError: undefined,
  workerRestarted: true,
  shortcutsShown: false,
  scanLanguagesShown: false,
  exportsShown: false,
  showShortcuts: (shortcutsShown) => set({ shortcutsShown }),
  showScanLanguages: (scanLanguagesShown) => set({ scanLanguagesShown }),
  showExports: (exportsShown) => set({ exportsShown }),
  dismissWorkerError: () => set({ workerError: undefined }),
}));

export function connect(): void {
  const { on, hello } = precis();
  on("progress", ({ runId, progress }) => {
    useModel.getState().progressed(runId, progress.fraction);
    useDocuments.getState().progressed(runId, progress);
    useRuns.getState().progressed(runId, progress);
    useQuestions.getState().progressed(runId, progress);
  });
  on(
    "text",
    oncePerFrame((runId, text) => {
      useRuns.getState().wrote(runId, text);
      useQuestions.getState().wrote(runId, text);
    }),
  );
  on("openFiles", ({ paths }) => useDocuments.getState().open(paths));
  on("workerDied", ({ error, restarted }) => {
    useApp.setState({ workerError: error, workerRestarted: restarted });
    if (!restarted) return;
    useModel.getState().forget();
    // The new worker knows no document yet.
    const { documents, reopen } = useDocuments.getState();
    for (const entry of documents) if (entry.state === "opening" || entry.state === "ready") void reopen(entry.id);
    if (documents.length === 0) void useModel.getState().ready();
  });
  void useModel.getState().ready();
  void useLibrary.getState().refresh();
  void hello().then((outcome) => {
    if (!outcome.ok) return;
    useApp.setState({ sample: outcome.value.sample });
    useDocuments.getState().open(outcome.value.files);
  });
}

/** Gathers what arrives within one frame, so that 100 tokens a second do not render 100 times. */
function oncePerFrame(write: (runId: string, text: string) => void): (data: EventData<"text">) => void {
  const gathered = new Map<string, string>();
  return ({ runId, text }) => {
    if (gathered.size === 0) {
      requestAnimationFrame(() => {
        for (const [id, all] of gathered) write(id, all);
        gathered.clear();
      });
    }
    gathered.set(runId, (gathered.get(runId) ?? "") + text);
  };
}

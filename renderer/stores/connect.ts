/** Joins the stores to the main process' events, once, when the window starts. */
import { create } from "zustand";
import type { EventData, Machine, QueueState, WireError } from "../../electron/contract.js";
import { followAppearance } from "../appearance.js";
import { openFiles } from "../open.js";
import { painted } from "../painted.js";
import { precis } from "../precis.js";
import { type OpenDocument, useDocuments } from "./documents.js";
import { useLibrary } from "./library.js";
import { useModel } from "./model.js";
import { useModels } from "./models.js";
import { useQuestions } from "./questions.js";
import { useQueue } from "./queue.js";
import { useRuns } from "./runs.js";
import { useSettings } from "./settings.js";

interface AppStore {
  /** The bundled sample's path, once known. */
  readonly sample: string | undefined;
  /** The computer's memory as it was when the window began; a forecast knows it better. */
  readonly machine: Machine | undefined;
  /** Why the worker had to be replaced; until dismissed. */
  readonly workerError: WireError | undefined;
  readonly workerRestarted: boolean;
  /** What the user should know about the settings; until dismissed. */
  readonly settingsNotice: string | undefined;
  readonly shortcutsShown: boolean;
  readonly scanLanguagesShown: boolean;
  readonly exportsShown: boolean;
  showShortcuts(shown: boolean): void;
  showScanLanguages(shown: boolean): void;
  showExports(shown: boolean): void;
  dismissWorkerError(): void;
  dismissSettingsNotice(): void;
}

export const useApp = create<AppStore>((set) => ({
  sample: undefined,
  machine: undefined,
  workerError: undefined,
  workerRestarted: true,
  settingsNotice: undefined,
  shortcutsShown: false,
  scanLanguagesShown: false,
  exportsShown: false,
  showShortcuts: (shortcutsShown) => set({ shortcutsShown }),
  showScanLanguages: (scanLanguagesShown) => set({ scanLanguagesShown }),
  showExports: (exportsShown) => set({ exportsShown }),
  dismissWorkerError: () => set({ workerError: undefined }),
  dismissSettingsNotice: () => set({ settingsNotice: undefined }),
}));

export function connect(): void {
  const { on, hello } = precis();
  on("progress", ({ runId, progress }) => {
    useModel.getState().progressed(runId, progress.fraction);
    useDocuments.getState().progressed(runId, progress);
    useRuns.getState().progressed(runId, progress);
    useQuestions.getState().progressed(runId, progress);
    useQueue.getState().progressed(runId, progress);
  });
  on(
    "text",
    oncePerFrame((runId, text) => {
      useRuns.getState().wrote(runId, text);
      useQuestions.getState().wrote(runId, text);
    }),
  );
  on("openFiles", ({ paths }) => openFiles(paths));
  on("settings", (settings) => useSettings.setState(settings));
  on("settingsProblem", ({ message, next }) => useApp.setState({ settingsNotice: `${message} ${next ?? ""}`.trim() }));
  on("modelActivity", ({ id, activity }) => useModels.getState().acted(id, activity));
  on("queueChanged", (state) => useQueue.getState().changed(state));
  followQueue();
  on("workerDied", ({ error, restarted }) => {
    useApp.setState({ workerError: error, workerRestarted: restarted });
    if (!restarted) return;
    // The new worker knows no document yet.
    loadAgain();
  });
  followAppearance();
  void painted.then(() => {
    void useModels.getState().refresh();
    void useModel.getState().ready();
    void useLibrary.getState().refresh();
    void useQueue.getState().refresh();
  });
  void hello().then((outcome) => {
    if (!outcome.ok) return;
    const { sample, machine, settings, settingsNotice } = outcome.value;
    useSettings.setState(settings);
    useApp.setState({ sample, machine, settingsNotice });
    openFiles(outcome.value.files);
  });
}

/** Loads the model, and what is open with it: its tokens are counted in the model's vocabulary. */
export function loadAgain(states: readonly OpenDocument["state"][] = ["opening", "ready"]): void {
  useModel.getState().forget();
  const { documents, reopen } = useDocuments.getState();
  for (const entry of documents) if (states.includes(entry.state)) void reopen(entry.id);
  if (documents.length === 0) void useModel.getState().ready();
}

/** Shows in the window's documents what the queue does with them, whichever came first. */
function followQueue(): void {
  const follow = () => useRuns.getState().follow(useQueue.getState(), useDocuments.getState().documents);
  const doneOf = ({ items }: Pick<QueueState, "items">) => items.filter(({ state }) => state === "done").length;
  useQueue.subscribe((now, before) => {
    follow();
    if (doneOf(now) > doneOf(before)) void useLibrary.getState().refresh();
  });
  useDocuments.subscribe((now, before) => {
    if (now.documents !== before.documents) follow();
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

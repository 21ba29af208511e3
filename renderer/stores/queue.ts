/** The documents that are summarised one after the other, as the main process tells of them. */
import { create } from "zustand";
import { useShallow } from "zustand/react/shallow";
import type { Progress, QueueItem, QueueRequest, QueueState, RunOptions, WireError } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { recognitionOf, runOptions, useSettings } from "./settings.js";

/** What is done with one item, or with all without an id. */
export interface QueueAct {
  readonly what: "hold" | "cancel";
  readonly id?: string;
}

/** Milliseconds of work that are thrown away without asking. */
export const unaskedLossMs = 60_000;

interface QueueStore extends QueueState {
  /** Why the last thing asked of it was not done. */
  readonly error: WireError | undefined;
  /** What would lose much, while the user is asked whether to do it. */
  readonly asked: QueueAct | undefined;
  refresh(): Promise<void>;
  /** Takes up what the main process says that it is now. */
  changed(state: QueueState): void;
  /** Puts documents at the end, each on its own or as one summary of them all; without options they are held. */
  add(paths: readonly string[], options?: RunOptions, together?: boolean): Promise<void>;
  /** Moves one before another; to the end when there is no other. */
  move(id: string, before: string | undefined): Promise<void>;
  /** Of one; of all without an id. */
  hold(id?: string): Promise<void>;
  /** Lets go on with the choices that it was queued with, or those of now. */
  resume(id?: string): Promise<void>;
  cancel(id?: string): Promise<void>;
  /** Holds or cancels; what would lose more than a minute, or many documents' places, is asked once. */
  act(wanted: QueueAct): void;
  /** Takes back the question. */
  keepGoing(): void;
  progressed(runId: string, progress: Progress): void;
}

export const useQueue = create<QueueStore>((set, get) => {
  /** How often main has said something by itself: an answer that was asked for before may be older, and come later. */
  let changes = 0;

  async function ask(request: QueueRequest): Promise<void> {
    const outcome = await precis().queue(request);
    set({ error: outcome.ok ? undefined : outcome.error });
  }

  return {
    items: [],
    running: undefined,
    unsaved: undefined,
    error: undefined,
    asked: undefined,
    async refresh() {
      const before = changes;
      const outcome = await precis().queueState();
      if (!outcome.ok) set({ error: outcome.error });
      else if (changes === before) set(outcome.value);
    },
    changed(state) {
      changes++;
      const { asked } = get();
      const lasts = state.items.some((item) => isOpen(item) && (asked?.id ?? item.id) === item.id);
      set({ ...state, asked: lasts ? asked : undefined });
    },
    add: (paths, options, together = false) =>
      ask({
        what: "add",
        items: (together ? paths.slice(0, 1) : paths).map((path) => ({
          id: newId(),
          path,
          ...(together ? { further: paths.slice(1) } : {}),
        })),
        options,
        recognition: recognitionOf(useSettings.getState()),
      }),
    move: (id, before) => ask({ what: "move", id, before }),
    hold: (id) => ask({ what: "hold", id }),
    resume: (id) => ask({ what: "resume", id, options: runOptions(useSettings.getState()) }),
    cancel: (id) => ask({ what: "cancel", id }),
    act(wanted) {
      const { what, id } = wanted;
      const { asked } = get();
      const lossy =
        lostMs(get(), id) > unaskedLossMs || (what === "cancel" && id === undefined && rowsOf(get()).length > 1);
      if (lossy && !(asked?.what === what && asked.id === id)) return set({ asked: wanted });
      set({ asked: undefined });
      void get()[what](id);
    },
    keepGoing: () => set({ asked: undefined }),
    progressed: (runId, progress) =>
      set(({ running }) => (running?.id === runId ? { running: { ...running, progress } } : {})),
  };
});

export const isOpen = ({ state }: QueueItem): boolean => state !== "done" && state !== "failed";

/** Of reading that stops when this item does, or all of them. */
export function lostMs({ items, running }: QueueState, id: string | undefined): number {
  const now = items.find((item) => item.id === running?.id);
  return now?.started !== undefined && (id === undefined || id === now.id) ? Date.now() - now.started : 0;
}

/** What can be done with all of it at once. */
export function wholeQueue(queue: QueueState): "pause" | "resume" | "start" | undefined {
  const held = queue.items.filter(({ state }) => state === "held");
  if (goesOn(queue)) return "pause";
  if (held.length === 0) return undefined;
  return held.some(({ options }) => options !== undefined) ? "resume" : "start";
}

/** Whether something runs or waits for its turn. */
export const goesOn = ({ items }: QueueState): boolean =>
  items.some(({ state }) => state === "running" || state === "waiting");

/**
 * The rows to show, which then stand in no other list: what runs first, then the others in their order. Those that are
 * done stand with the documents, and so does one that is alone and not held.
 */
export function rowsOf({ items }: QueueState): readonly QueueItem[] {
  const rows = items.filter(({ state }) => state !== "done");
  if (items.length === 1 && rows[0]?.state !== "held") return [];
  return [...rows.filter(({ state }) => state === "running"), ...rows.filter(({ state }) => state !== "running")];
}

/** The files of the rows that are shown. */
export const useQueuedPaths = (): readonly string[] =>
  useQueue(useShallow((state) => rowsOf(state).map(({ path }) => path)));

/** Takes a document out of the queue, if it has not had its turn. */
export function dequeue(path: string): void {
  const { items, cancel } = useQueue.getState();
  const item = items.find((one) => one.path === path);
  if (item && isOpen(item)) void cancel(item.id);
}

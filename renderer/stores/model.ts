/** The model: loaded once at the start, and again when the worker had to be replaced. */
import { create } from "zustand";
import type { ModelSummary, Outcome, WireError } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";

interface ModelStore {
  readonly state: "loading" | "ready" | "failed";
  readonly model: ModelSummary | undefined;
  readonly error: WireError | undefined;
  /** 0..1 while loading. */
  readonly fraction: number;
  readonly runId: string | undefined;
  /** The model, loading it when that has not been done or has failed. Callers at the same time share one load. */
  ready(): Promise<Outcome<ModelSummary>>;
  /** Forgets the model: its worker is gone. The figures stay, since the file is the same. */
  forget(): void;
  progressed(runId: string, fraction: number): void;
}

let loading: Promise<Outcome<ModelSummary>> | undefined;

export const useModel = create<ModelStore>((set, get) => ({
  state: "loading",
  model: undefined,
  error: undefined,
  fraction: 0,
  runId: undefined,
  ready() {
    if (loading && get().state !== "failed") return loading;
    const runId = newId();
    set({ state: "loading", error: undefined, fraction: 0, runId });
    const attempt: Promise<Outcome<ModelSummary>> = precis()
      .loadModel({ runId })
      .then((outcome) => {
        if (attempt !== loading) return outcome; // forgotten meanwhile
        if (outcome.ok) set({ state: "ready", model: outcome.value });
        else set({ state: "failed", error: outcome.error });
        return outcome;
      });
    loading = attempt;
    return attempt;
  },
  forget() {
    loading = undefined;
    set({ state: "loading", fraction: 0 });
  },
  progressed(runId, fraction) {
    if (runId === get().runId) set({ fraction });
  },
}));

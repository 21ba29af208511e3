/** The models that there are and could be, and what goes on with them. */

import { create } from "zustand";
import type { ModelActivity, Outcome, WindowModel, WireError } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { precis } from "../precis.js";

interface ModelsStore {
  /** Undefined until they are known. */
  readonly models: readonly WindowModel[] | undefined;
  /** Why the last thing that was asked for was not done; until the next. */
  readonly error: WireError | undefined;
  /** What was done, in words. */
  readonly notice: string | undefined;
  refresh(): Promise<void>;
  download(id: string): Promise<void>;
  verify(id: string): Promise<void>;
  /** Stops a download or check; what has come of a download is kept. */
  pause(id: string): Promise<void>;
  /** Stops a download, and deletes what has come. */
  discard(id: string): Promise<void>;
  /** Puts GGUF files into the list. */
  add(paths: readonly string[]): Promise<void>;
  /** The same, with the system's dialog. */
  addChosen(): Promise<void>;
  remove(id: string): Promise<void>;
  /** Something went on, or ended. */
  acted(id: string, activity: ModelActivity | undefined): void;
}

/** Whether a model is at work: its list entry is another once it has ended. */
export const isAtWork = (activity: ModelActivity | undefined): boolean =>
  activity?.kind === "downloading" || activity?.kind === "verifying";

export const useModels = create<ModelsStore>((set, get) => {
  /** Does what main is asked for and shows what it came to; the list is another then. */
  async function perform<Value>(asked: Promise<Outcome<Value>>, notice?: (value: Value) => string): Promise<void> {
    set({ error: undefined, notice: undefined });
    const outcome = await asked;
    if (!outcome.ok) set({ error: outcome.error });
    else if (notice) set({ notice: notice(outcome.value) });
    await get().refresh();
  }

  return {
    models: undefined,
    error: undefined,
    notice: undefined,
    async refresh() {
      const outcome = await precis().modelsList();
      set(outcome.ok ? { models: outcome.value } : { error: outcome.error });
    },
    download: (id) => perform(precis().downloadModel({ id })),
    verify: (id) => perform(precis().verifyModel({ id })),
    pause: (id) => perform(precis().pauseModel({ id })),
    discard: (id) => perform(precis().discardModel({ id })),
    async add(paths) {
      for (const path of paths) {
        await perform(precis().addModel({ path }), (id) => t("models.added", { name: id }));
        if (get().error) return;
      }
    },
    async addChosen() {
      const outcome = await precis().chooseModelFile();
      if (!outcome.ok) set({ error: outcome.error });
      else if (outcome.value !== undefined) await get().add([outcome.value]);
    },
    remove: (id) => perform(precis().deleteModel({ id }), (words) => words),
    acted(id, activity) {
      const { models, refresh } = get();
      set({ models: models?.map((model) => (model.id === id ? { ...model, activity } : model)) });
      if (!isAtWork(activity)) void refresh();
    },
  };
});

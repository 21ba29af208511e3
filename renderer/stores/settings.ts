/** The choices for the next run; they are remembered between starts. */
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import type { RunOptions } from "../../electron/contract.js";
import { roundShare } from "../view/budget.js";

interface Settings {
  /** Percent of the full cache, 1 to 100, one decimal. */
  readonly share: number;
  readonly policy: RunOptions["policy"];
  readonly length: RunOptions["length"];
  /** In words ("German"); "" is the document's own. */
  readonly language: string;
}

interface SettingsStore extends Settings {
  setShare(share: number): void;
  choose(choice: Partial<Pick<Settings, "policy" | "length" | "language">>): void;
}

export const useSettings = create<SettingsStore>()(
  persist(
    (set) => ({
      share: 25,
      policy: "dynamickv",
      length: "medium",
      language: "",
      setShare: (share) => set({ share: roundShare(share) }),
      choose: (choice) => set(choice),
    }),
    { name: "settings", version: 1, storage: createJSONStorage(() => localStorage) },
  ),
);

/** The settings as a run's options. The seed is fixed and the temperature 0: the same choices give the same summary. */
export function runOptions({ share, policy, length, language }: Settings): RunOptions {
  return {
    budget: `${policy === "full" ? 100 : share}%`,
    policy,
    length,
    ...(language ? { language } : {}),
    seed: 1,
    temperature: 0,
  };
}

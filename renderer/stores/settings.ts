/** The choices for the next run; they are remembered between starts. */
import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import type { Recognition, RunOptions } from "../../electron/contract.js";
import { roundShare } from "../view/budget.js";

interface Settings {
  /** Percent of the full cache, 1 to 100, one decimal. */
  readonly share: number;
  readonly policy: RunOptions["policy"];
  readonly length: RunOptions["length"];
  /** In words ("German"); "" is the document's own. */
  readonly language: string;
  /** Tesseract's codes of the languages that scanned pages are recognised in; never none. */
  readonly scanLanguages: readonly string[];
  /** Where the data of languages other than English lies. */
  readonly scanFolder: string | undefined;
}

interface SettingsStore extends Settings {
  setShare(share: number): void;
  choose(choice: Partial<Pick<Settings, "policy" | "length" | "language" | "scanLanguages" | "scanFolder">>): void;
}

export const useSettings = create<SettingsStore>()(
  persist(
    (set) => ({
      share: 25,
      policy: "dynamickv",
      length: "medium",
      language: "",
      scanLanguages: ["eng"],
      scanFolder: undefined,
      setShare: (share) => set({ share: roundShare(share) }),
      choose: (choice) => set(choice),
    }),
    { name: "settings", version: 1, storage: createJSONStorage(() => localStorage) },
  ),
);

/** The settings as a run's options. The seed is fixed and the temperature 0: the same choices give the same summary. */
export function runOptions({
  share,
  policy,
  length,
  language,
}: Pick<Settings, "share" | "policy" | "length" | "language">): RunOptions {
  return {
    budget: `${policy === "full" ? 100 : share}%`,
    policy,
    length,
    ...(language ? { language } : {}),
    seed: 1,
    temperature: 0,
  };
}

/** How scanned pages are to be recognised. */
export function recognitionOf({
  scanLanguages,
  scanFolder,
}: Pick<Settings, "scanLanguages" | "scanFolder">): Recognition {
  return { languages: scanLanguages.join("+"), ...(scanFolder ? { folder: scanFolder } : {}) };
}

/**
 * The settings, and the choices for the next run, which are settings, too: the main process keeps them (electron/settings.ts
 * says what each is) and hears every change.
 */
import { create } from "zustand";
import type { Recognition, RunOptions, Settings, SettingsChange } from "../../electron/contract.js";
import { firstSettings } from "../../electron/core.js";
import { precis } from "../precis.js";
import { roundShare } from "../view/budget.js";

interface Choices extends Settings {
  /** What the next summary dwells on; "" is nothing in particular. Forgotten when the window closes. */
  readonly focus: string;
}

interface SettingsStore extends Choices {
  setShare(share: number): void;
  choose(choice: SettingsChange & { readonly focus?: string }): void;
}

export const useSettings = create<SettingsStore>()((set, get) => ({
  ...firstSettings,
  focus: "",
  setShare: (share) => get().choose({ share: roundShare(share) }),
  choose(choice) {
    set(choice);
    const { focus: _, ...change } = choice;
    if (Object.keys(change).length > 0) void precis().changeSettings(change);
  },
}));

/**
 * Makes a component follow a change of the window's language: words are asked for while it is rendered. The whole window
 * does (App), so that only what React would not render again needs this.
 */
export const useLanguage = (): unknown => useSettings((store) => store.interfaceLanguage);

/** What of the settings decides a run. */
type RunSettings = Pick<
  Choices,
  | "share"
  | "policy"
  | "kvType"
  | "reading"
  | "reaim"
  | "groupLayers"
  | "threads"
  | "seed"
  | "style"
  | "length"
  | "language"
  | "focus"
>;

/** The settings as a run's options. The temperature is 0: the same choices give the same summary. */
export function runOptions(settings: RunSettings): RunOptions {
  const { share, policy, kvType, reading, reaim, groupLayers, threads, seed, style, length, language, focus } =
    settings;
  return {
    budget: `${policy === "full" ? 100 : share}%`,
    policy,
    ...(kvType === undefined ? {} : { kvType }),
    // where it is possible the answer is checked: then nobody needs to be told where it is not
    ...(reaim === "checked" ? {} : { reaim }),
    // what keeps the whole cache is not read fast
    ...(reading === "fast" && policy !== "full" ? { reading } : {}),
    ...(groupLayers === undefined ? {} : { groupLayers }),
    ...(threads === undefined ? {} : { threads }),
    length,
    style,
    ...(focus.trim() === "" ? {} : { focus: focus.trim() }),
    ...(language === "" ? {} : { language }),
    seed,
    temperature: 0,
  };
}

/** Whether several chosen documents become one summary; chapters are of one document. */
export function becomesOne({ together, style }: Pick<Settings, "together" | "style">, documents: number): boolean {
  return together && documents > 1 && style !== "chapters";
}

/** How scanned pages are to be recognised. */
export function recognitionOf({
  scanLanguages,
  scanFolder,
}: Pick<Settings, "scanLanguages" | "scanFolder">): Recognition {
  return { languages: scanLanguages.join("+"), ...(scanFolder ? { folder: scanFolder } : {}) };
}

/** Every setting with its name, one sentence and the words that find it; how each is set. */

import type { Settings, SettingsChange } from "../../electron/contract.js";
import { interfaceLanguages, isAddress, zooms } from "../../electron/core.js";
import { ownNames, t } from "../../electron/language.js";
import { languages, lengths, styles } from "./choices.js";
import { formatPercent } from "./format.js";

export type Control =
  | {
      readonly kind: "choice";
      readonly labels: readonly string[];
      /** Index of the label; -1 when the value is none of them. */
      chosen(settings: Settings): number;
      change(index: number): SettingsChange;
    }
  | {
      readonly kind: "number";
      readonly unit: string;
      readonly min: number;
      readonly max: number;
      readonly step: number;
      value(settings: Settings): number;
      change(value: number): SettingsChange;
    }
  | {
      readonly kind: "text";
      readonly placeholder: string;
      value(settings: Settings): string;
      /** Or what is wrong with it. */
      change(value: string): SettingsChange | string;
    }
  /** Set in a view of its own. */
  | { readonly kind: "view"; readonly label: string; readonly view: "models" | "scan-languages" };

export type SettingGroup = "appearance" | "summaries" | "documents" | "models" | "storage";

export interface Setting {
  readonly id: string;
  readonly group: SettingGroup;
  readonly name: string;
  readonly sentence: string;
  /** What else people call it. */
  readonly words: string;
  readonly control: Control;
}

export const settings = (): readonly Setting[] => [
  {
    id: "theme",
    group: "appearance",
    name: t("settings.theme"),
    sentence: t("settings.themeAbout"),
    words: t("settings.themeWords"),
    control: choice("theme", [
      ["system", t("settings.system")],
      ["light", t("settings.light")],
      ["dark", t("settings.dark")],
    ]),
  },
  {
    id: "contrast",
    group: "appearance",
    name: t("settings.contrast"),
    sentence: t("settings.contrastAbout"),
    words: t("settings.contrastWords"),
    control: choice("contrast", [
      ["system", t("settings.system")],
      ["more", t("settings.always")],
    ]),
  },
  {
    id: "motion",
    group: "appearance",
    name: t("settings.motion"),
    sentence: t("settings.motionAbout"),
    words: t("settings.motionWords"),
    control: choice("motion", [
      ["system", t("settings.system")],
      ["less", t("settings.always")],
    ]),
  },
  {
    id: "zoom",
    group: "appearance",
    name: t("settings.zoom"),
    sentence: t("settings.zoomAbout"),
    words: t("settings.zoomWords"),
    control: choice(
      "zoom",
      zooms.map((zoom) => [zoom, formatPercent(Math.round(100 * zoom))] as const),
    ),
  },
  {
    id: "interface-language",
    group: "appearance",
    name: t("settings.interfaceLanguage"),
    sentence: t("settings.interfaceLanguageAbout"),
    words: t("settings.interfaceLanguageWords"),
    control: choice("interfaceLanguage", [
      ["system", t("settings.system")],
      ...interfaceLanguages.map((tag) => [tag, ownNames[tag]] as const),
    ]),
  },
  {
    id: "share",
    group: "summaries",
    name: t("settings.share"),
    sentence: t("settings.shareAbout"),
    words: t("settings.shareWords"),
    control: {
      kind: "number",
      unit: "%",
      min: 1,
      max: 100,
      step: 0.1,
      value: ({ share }) => share,
      change: (share) => ({ share: Math.round(share * 10) / 10 }),
    },
  },
  {
    id: "length",
    group: "summaries",
    name: t("settings.length"),
    sentence: t("settings.lengthAbout"),
    words: t("settings.lengthWords"),
    control: choice("length", lengths()),
  },
  {
    id: "style",
    group: "summaries",
    name: t("settings.style"),
    sentence: t("settings.styleAbout"),
    words: t("settings.styleWords"),
    control: choice("style", styles()),
  },
  {
    id: "language",
    group: "summaries",
    name: t("settings.language"),
    sentence: t("settings.languageAbout"),
    words: t("settings.languageWords"),
    control: choice("language", [["", t("settings.documentLanguage")], ...languages()]),
  },
  {
    id: "scan-languages",
    group: "documents",
    name: t("settings.scanLanguages"),
    sentence: t("settings.scanLanguagesAbout"),
    words: t("settings.scanLanguagesWords"),
    control: { kind: "view", label: t("settings.choose"), view: "scan-languages" },
  },
  {
    id: "model",
    group: "models",
    name: t("settings.model"),
    sentence: t("settings.modelAbout"),
    words: t("settings.modelWords"),
    control: { kind: "view", label: t("common.models"), view: "models" },
  },
  {
    id: "proxy",
    group: "models",
    name: t("settings.proxy"),
    sentence: t("settings.proxyAbout"),
    words: t("settings.proxyWords"),
    control: address("proxy", "http://proxy.example:3128"),
  },
  {
    id: "mirror",
    group: "models",
    name: t("settings.mirror"),
    sentence: t("settings.mirrorAbout"),
    words: t("settings.mirrorWords"),
    control: address("mirror", "https://huggingface.co"),
  },
  {
    id: "cache",
    group: "storage",
    name: t("settings.cache"),
    sentence: t("settings.cacheAbout"),
    words: t("settings.cacheWords"),
    control: {
      kind: "number",
      unit: t("settings.gibibytes"),
      min: 0,
      max: 1_024,
      step: 1,
      value: ({ cacheGiB }) => cacheGiB,
      change: (cacheGiB) => ({ cacheGiB }),
    },
  },
];

export const groupName = (group: SettingGroup): string => t(`settings.${group}`);

/** Those that have all the words of a search, in the name, the sentence or what else they are called. */
export function findSettings(query: string): readonly Setting[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  return settings().filter(({ group, name, sentence, words }) => {
    const text = `${groupName(group)} ${name} ${sentence} ${words}`.toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

function choice<Key extends keyof Settings>(key: Key, options: readonly (readonly [Settings[Key], string])[]): Control {
  return {
    kind: "choice",
    labels: options.map(([, label]) => label),
    chosen: (current) => options.findIndex(([value]) => value === current[key]),
    change: (index) => ({ [key]: options[index]?.[0] }),
  };
}

function address(key: "proxy" | "mirror", placeholder: string): Control {
  return {
    kind: "text",
    placeholder,
    value: (current) => current[key],
    change: (value) => (isAddress(value.trim()) ? { [key]: value.trim() } : t("settings.badAddress")),
  };
}

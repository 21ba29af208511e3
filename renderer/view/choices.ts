/** What can be chosen for a summary, as menus name it. */
import type { ExportFormat, RunOptions } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { languageName } from "./format.js";

export const lengths = () =>
  [
    ["short", t("choices.short")],
    ["medium", t("choices.medium")],
    ["long", t("choices.long")],
  ] as const;

export const styles = () =>
  [
    ["paragraph", t("choices.paragraph")],
    ["bullets", t("choices.bullets")],
    ["executive", t("choices.executive")],
    ["chapters", t("choices.chapters")],
  ] as const;

/** Every policy by what it is called; the first is the default. */
export const policies = () =>
  [
    ["dynamickv", "DynamicKV"],
    ["dynamickv-paper", t("choices.dynamickvPaper")],
    ["snapkv", "SnapKV"],
    ["pyramidkv", "PyramidKV"],
    ["ada-kv", "Ada-KV"],
    ["cake", "CAKE"],
    ["chunkkv", "ChunkKV"],
    ["expected-attention", "Expected Attention"],
    ["keydiff", "KeyDiff"],
    ["h2o", "H2O"],
    ["streaming-llm", "StreamingLLM"],
    ["full", t("choices.fullCache")],
  ] as const satisfies readonly (readonly [RunOptions["policy"], string])[];

/** What a value is called in a list of choices. */
export const label = (pairs: readonly (readonly [string, string])[], value: string): string =>
  pairs.find(([key]) => key === value)?.[1] ?? value;

export const policyLabel = (policy: string): string => label(policies(), policy);

/** What a summary is saved as. */
export const exportFormats = (): readonly (readonly [ExportFormat, string])[] => [
  ["pdf", t("formats.pdf")],
  ["docx", t("formats.docx")],
  ["html", t("formats.html")],
  ["md", t("formats.md")],
  ["json", t("formats.json")],
];

/** Languages that a summary can be asked for in: the word that the model is told, and the language's code. */
const languageCodes: Readonly<Record<string, string>> = {
  English: "en",
  Arabic: "ar",
  Chinese: "zh",
  Dutch: "nl",
  French: "fr",
  German: "de",
  Hindi: "hi",
  Italian: "it",
  Japanese: "ja",
  Korean: "ko",
  Polish: "pl",
  Portuguese: "pt",
  Russian: "ru",
  Spanish: "es",
  Turkish: "tr",
  Ukrainian: "uk",
};

/** What a language is called that the model is told by its English name. */
export function summaryLanguage(word: string): string {
  const code = languageCodes[word];
  return code === undefined ? word : languageName(code);
}

export const languages = () => Object.keys(languageCodes).map((word) => [word, summaryLanguage(word)] as const);

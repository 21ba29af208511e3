/** What can be chosen for a summary, as menus name it. */
import type { ExportFormat } from "../../electron/contract.js";
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

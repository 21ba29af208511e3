/**
 * The words of the window in every language that it has; the main process' menus, tray, dialogs and errors take theirs
 * from here, too. Pure, so that the window shares it.
 */
import { createInstance } from "i18next";
import { interfaceLanguages } from "./first-settings.js";
import de from "./locales/de.json" with { type: "json" };
import en from "./locales/en.json" with { type: "json" };
import es from "./locales/es.json" with { type: "json" };
import fr from "./locales/fr.json" with { type: "json" };
import ja from "./locales/ja.json" with { type: "json" };
import zhHans from "./locales/zh-Hans.json" with { type: "json" };
import type { Settings } from "./settings.js";

export type Language = (typeof interfaceLanguages)[number];

/** By language, then by part of the window. A word that has a plural stands there once for each of its forms. */
export const locales = { en, de, es, fr, ja, "zh-Hans": zhHans } as const satisfies Record<Language, object>;

/** What each language calls itself. */
export const ownNames: Readonly<Record<Language, string>> = {
  en: "English",
  de: "Deutsch",
  es: "Español",
  fr: "Français",
  ja: "日本語",
  "zh-Hans": "简体中文",
};

type Words = typeof en;
type WithoutForm<Name> = Name extends `${infer Word}_${Intl.LDMLPluralRule}` ? Word : Name;

/** Every word that there is, such as "menu.file"; one that has a plural without its form. */
export type Key = {
  [Part in keyof Words]: `${Part}.${WithoutForm<keyof Words[Part] & string>}`;
}[keyof Words];

const i18n = createInstance();
void i18n.init({
  lng: "en",
  fallbackLng: "en",
  resources: Object.fromEntries(Object.entries(locales).map(([language, words]) => [language, { translation: words }])),
  nsSeparator: false,
  initAsync: false,
  // React writes text as text, and so do menus and dialogs.
  interpolation: { escapeValue: false },
});

let spoken: Language = "en";
let translate = i18n.getFixedT(spoken);

/** The language of the window now. */
export const language = (): Language => spoken;

/** "ltr", or "rtl" in a language that is written from right to left. */
export const direction = (): "ltr" | "rtl" => i18n.dir(spoken);

/** From now on, words are in this language. */
export function speak(wanted: Language): void {
  spoken = wanted;
  translate = i18n.getFixedT(wanted);
}

/** A word in the window's language. @param values what stands for its {{names}}; `count` chooses the plural form */
export const t = (key: Key, values: Readonly<Record<string, string | number>> = {}): string => translate(key, values);

/** The language that was chosen; "system" is the system's, or English where there is none for it. */
export function languageOf(chosen: Settings["interfaceLanguage"], system: string): Language {
  if (chosen !== "system") return chosen;
  const wanted = scriptOf(system);
  return interfaceLanguages.find((each) => scriptOf(each) === wanted) ?? "en";
}

/** A tag's language and script: "zh-CN" is "zh-Hans", "de-AT" is "de-Latn". */
function scriptOf(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script}`;
  } catch {
    return undefined; // no tag at all
  }
}

/** What is costly to make is made once for each language that is used. */
export function perLanguage<Value>(make: (language: Language) => Value): () => Value {
  const made = new Map<Language, Value>();
  return () => {
    const value = made.get(spoken) ?? make(spoken);
    made.set(spoken, value);
    return value;
  };
}

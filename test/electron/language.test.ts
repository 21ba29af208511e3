/** Every word of the window is there in every language, and none stands in the code. */
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { interfaceLanguages } from "../../electron/first-settings.js";
import {
  direction,
  type Key,
  type Language,
  language,
  languageOf,
  locales,
  speak,
  t,
} from "../../electron/language.js";
import { formatBytes, formatDuration, formatPercent, plural } from "../../renderer/view/format.js";
import { isNode, type Node, nodesIn, parsed, sourcesIn, textsOf } from "./source.js";

afterEach(() => speak("en"));

/** A language's words by their whole keys. */
const wordsOf = (tag: Language): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(locales[tag]).flatMap(([part, words]) =>
      Object.entries(words as Record<string, string>).map(([name, word]) => [`${part}.${name}`, word] as const),
    ),
  );

const form = /_(zero|one|two|few|many|other)$/;
const english = wordsOf("en");

/** The keys that a language must have: a word that has a plural in English has one for each form of the language. */
function wanted(tag: Language): string[] {
  const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
  const keys = [...english.keys()].flatMap((key) =>
    form.test(key) ? forms.map((each) => key.replace(form, `_${each}`)) : [key],
  );
  return [...new Set(keys)].sort();
}

const placeholders = (word: string): string[] =>
  [...new Set([...word.matchAll(/\{\{\s*(\w+)[^}]*\}\}/g)].map(([, name]) => name as string))].sort();

describe.each(interfaceLanguages)("in %s", (tag) => {
  const words = wordsOf(tag);

  it("every word is there, in every form that the language has, and no other", () => {
    expect([...words.keys()].sort()).toEqual(wanted(tag));
  });

  it("nothing is left empty, and every word has the same things to fill in as in English", () => {
    for (const [key, word] of words) {
      expect(word.trim(), key).not.toBe("");
      const original = english.get(key) ?? english.get(key.replace(form, "_other")) ?? "";
      // "One page" need not count.
      const optional = /_(one|many)$/.test(key) ? ["count"] : [];
      const without = (names: string[]) => names.filter((name) => !optional.includes(name));
      expect(without(placeholders(word)), key).toEqual(without(placeholders(original)));
    }
  });
});

describe("a word", () => {
  it("is in the language that is spoken, with its plural and its numbers", () => {
    expect([plural(1, "page"), plural(12_000, "page")]).toEqual(["1 page", "12,000 pages"]);
    speak("de");
    expect([plural(1, "page"), plural(12_000, "page")]).toEqual(["1 Seite", "12.000 Seiten"]);
    expect([formatPercent(6.9), formatBytes(17_301_504)]).toEqual(["6,9\u00a0%", "16,5 MiB"]);
    speak("fr");
    expect([plural(0, "page"), formatBytes(2 ** 30)]).toEqual(["0 page", "1,0 Gio"]);
    speak("ja");
    expect([plural(3, "page"), formatDuration(200_000)]).toEqual(["3 ページ", "3 分 20 秒"]);
    expect([language(), direction(), t("common.close")]).toEqual(["ja", "ltr", "閉じる"]);
  });

  it("is left as it is: what fills it in is not written as HTML", () => {
    expect(t("documents.closeOne", { name: "<a> & 'b'.pdf" })).toBe("Close <a> & 'b'.pdf");
  });
});

it.each<[string, Language]>([
  ["de-AT", "de"],
  ["en-GB", "en"],
  ["es-419", "es"],
  ["zh-CN", "zh-Hans"],
  ["zh-TW", "en"],
  ["pt-BR", "en"],
  ["", "en"],
])("takes for a system in %j the language %s", (system, tag) => {
  expect(languageOf("system", system)).toBe(tag);
  expect(languageOf("fr", system)).toBe("fr");
});

/** What has no language: names, and what is a file or a unit everywhere. */
const everywhere = new Set(["Precis", "KiB", "MiB"]);

const readAttributes = new Set([
  "aria-label",
  "aria-valuetext",
  "title",
  "placeholder",
  "label",
  "alt",
  "hint",
  "name",
]);
const readProperties = new Set(["label", "title", "message", "next", "sentence", "detail", "body", "buttons"]);
/** Elsewhere only what looks like words to be read counts: a key or a mode is a text, too. */
const looksRead = (text: string): boolean => /^\p{Lu}\p{Ll}+( |…|$)|\p{L}{2} \p{L}{2}/u.test(text);

/** Texts that a user reads and that stand in a file instead of among the words. */
function readTexts(file: string, source?: string): string[] {
  const found: string[] = [];
  const add = (texts: string[], counts = (text: string) => /\p{L}/u.test(text)) =>
    found.push(...texts.filter((text) => counts(text) && !everywhere.has(text.trim())));
  for (const node of nodesIn(parsed(file, source))) {
    if (node.type === "JSXText") add([String(node.value)]);
    else if (node.type === "JSXElement" || node.type === "JSXFragment") {
      for (const child of node.children as Node[]) if (child.type === "JSXExpressionContainer") add(textsOf(child));
    } else if (node.type === "JSXAttribute") {
      if (readAttributes.has(String((node.name as Node).name))) add(textsOf(node.value));
    } else if (node.type === "Property" && isNode(node.key)) {
      if (readProperties.has(String(node.key.name))) add(textsOf(node.value));
    } else if (node.type === "NewExpression" && isNode(node.callee) && node.callee.name === "PrecisError") {
      add((node.arguments as unknown[]).slice(1, 3).flatMap(textsOf));
    } else if (node.type === "ReturnStatement") add(textsOf(node.argument), looksRead);
    else if (node.type === "ArrowFunctionExpression") add(textsOf(node.body), looksRead);
  }
  return found;
}

const sources = ["renderer", "electron"].flatMap(sourcesIn);

it("every file of the window and of the main process is looked at", () => {
  expect(sources).toContain(path.join("renderer", "components", "pages", "Viewer.tsx"));
  expect(sources).toContain(path.join("electron", "menu.ts"));
});

it.each(sources)("%s has no words of its own", (file) => {
  expect(readTexts(file)).toEqual([]);
});

it.each([
  ["<p>Not found</p>", "Not found"],
  ['<p>{open ? t("pages.fit") : "Shut"}</p>', "Shut"],
  ['<p>{open && count + " pages"}</p>', " pages"],
  ['<input aria-label="Search" />', "Search"],
  ['<a title={"Close " + name} />', "Close "],
  ['({ label: "Open…", role: "quit" })', "Open…"],
  ['new PrecisError("usage", "Nothing is open.")', "Nothing is open."],
  ['const words = () => (late ? "Still at work" : t("state.done"))', "Still at work"],
  ['function words() { return "Paused"; }', "Paused"],
])("a text in the code is found: %s", (source, text) => {
  expect(readTexts("found.tsx", source)).toEqual([text]);
});

/** Each word that is asked for by its whole key, with the names of what is given to fill it in. */
function* asked(file: string): Generator<{ key: string; given: string[] }> {
  for (const node of nodesIn(parsed(file))) {
    if (node.type !== "CallExpression" || (node.callee as Node).name !== "t") continue;
    const [key, values] = node.arguments as Node[];
    const properties = (values?.properties ?? []) as Node[];
    const known = values === undefined || (values.type === "ObjectExpression" && !properties.some(({ key }) => !key));
    for (const text of known ? textsOf(key) : []) {
      if (text.includes(".")) yield { key: text, given: properties.map(({ key }) => String((key as Node).name)) };
    }
  }
}

it("every word that is asked for gets what it has to fill in", () => {
  const needs = (key: string) => placeholders(english.get(key) ?? english.get(`${key}_other`) ?? "");
  const calls = sources.flatMap((file) => [...asked(file)].map((call) => ({ file, ...call })));
  expect(calls.length).toBeGreaterThan(300);
  for (const { file, key, given } of calls) {
    for (const name of needs(key)) expect(given, `${key} in ${file}`).toContain(name);
  }
  const typed: Key = "menu.file";
  expect(english.has(typed)).toBe(true);
});

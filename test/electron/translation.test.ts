/** Every sentence of the core is marked, is there in every language, and is known again by its template. */
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { pageList } from "../../core/documents/page-list.js";
import { said } from "../../core/said.js";
import { interfaceLanguages } from "../../electron/first-settings.js";
import { type Language, speak } from "../../electron/language.js";
import { catalogues, translated } from "../../electron/translation.js";
import { type Node, nodesIn, parsed, sourcesIn, textsOf } from "./source.js";

afterEach(() => speak("en"));

const others = interfaceLanguages.filter((tag) => tag !== "en");

/** The command line and reports are English, whatever the window speaks. */
const sources = [...sourcesIn("core"), ...sourcesIn("electron")].filter(
  (file) => !/^core[\\/](cli|report)[\\/]/.test(file),
);

const literalsOf = (template: Node): string[] =>
  (template.quasis as Node[]).map(({ value }) => (value as { cooked: string }).cooked);

/** Literals and holes: `"${name}" is empty.` is `"{0}" is empty.` */
const templateOf = (literals: readonly string[]): string =>
  literals.reduce((text, literal, index) => `${text}{${index - 1}}${literal}`);

const isSaid = (node: Node): boolean => node.type === "TaggedTemplateExpression" && (node.tag as Node).name === "said";

const templates = [
  ...new Set(
    sources.flatMap((file) =>
      [...nodesIn(parsed(file))].filter(isSaid).map(({ quasi }) => templateOf(literalsOf(quasi as Node))),
    ),
  ),
];

const holesOf = (template: string): string[] => (template.match(/\{\d+\}/g) ?? []).sort();
const filled = (template: string, values: readonly string[]): string =>
  template.replace(/\{(\d+)\}/g, (_, index) => values[Number(index)] ?? "");
const words = (tag: Language, template: string): string => catalogues[tag]?.[template] ?? "";

it("the templates are found in the code", () => {
  expect(templates.length).toBeGreaterThan(250);
  expect(templates).toContain('"{0}" is empty.');
});

describe.each(others)("in %s", (tag) => {
  it("there are words for every template, with the same things to fill in, and for nothing else", () => {
    expect(Object.keys(catalogues[tag] ?? {}).sort()).toEqual([...templates].sort());
    for (const template of templates) {
      expect(holesOf(words(tag, template)), template).toEqual(holesOf(template));
      expect(
        words(tag, template)
          .replace(/\{\d+\}/g, "")
          .trim(),
        template,
      ).not.toBe("");
    }
  });

  it("every sentence is known again, whatever fills it in", () => {
    speak(tag);
    const value = fc.stringMatching(/^[a-zß-öñ語文-]{1,12}(\.[a-z]{3})?$/);
    const filling = fc.tuple(fc.constantFrom(...templates), fc.array(value, { minLength: 3, maxLength: 3 }));
    fc.assert(
      fc.property(filling, ([template, values]) => {
        expect(translated(filled(template, values))).toBe(filled(words(tag, template), values));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** What fills sentences in: names with dots, spaces, quotes and brackets, paths, addresses and native reasons. */
const samples = [
  ["Tom & Jerry (1), 2.pdf", "/home/a b/Über.txt", "C:\\Users\\x\\model-1.5.gguf"],
  ["dynamickv", "EACCES, permission denied 'a.b'", "huggingface.co"],
  ["512", "3", "42"],
];

it.each(samples)("every template is known again with %j, %j and %j", (...values) => {
  speak("de");
  for (const template of templates) {
    expect(translated(filled(template, values)), template).toBe(filled(words("de", template), values));
  }
});

it.each<[Language, string, string]>([
  [
    "de",
    '"plan.pdf" is a damaged PDF: it has no pages.',
    "„plan.pdf“ ist ein beschädigtes PDF: keine Seiten vorhanden.",
  ],
  [
    "de",
    '"plan.pdf" is a damaged PDF: Invalid PDF structure.',
    "„plan.pdf“ ist ein beschädigtes PDF: Invalid PDF structure.",
  ],
  [
    "de",
    "Read in 3 parts, because it takes 11,480 tokens and the model reads at most 8,192 at a time, instruction and answer included: what links distant parts may be missing.",
    "In 3 Teilen gelesen. Grund: es hat 11.480 Tokens, und das Modell liest höchstens 8.192 auf einmal, Anweisung und Antwort eingerechnet. Was weit auseinanderliegende Teile verbindet, kann fehlen.",
  ],
  [
    "de",
    "several documents are summarised together; a.pdf itself because reading it whole takes about 1.5 GiB and 900.0 MiB is free; with a budget of 6.9% it would be read whole; b.pdf itself because it takes 11,480 tokens and the model reads at most 8,192 at a time, instruction and answer included",
    "mehrere Dokumente werden gemeinsam zusammengefasst; a.pdf selbst, Grund: es ganz zu lesen braucht etwa 1,5 GiB, und 900,0 MiB sind frei; mit einem Budget von 6,9\u00a0% würde es ganz gelesen; b.pdf selbst, Grund: es hat 11.480 Tokens, und das Modell liest höchstens 8.192 auf einmal, Anweisung und Antwort eingerechnet",
  ],
  [
    "de",
    "Not read: pages 1 to 3, 5 and 7 to 9, because it is damaged.",
    "Nicht gelesen: Seiten 1–3, 5, 7–9. Grund: beschädigt.",
  ],
  [
    "fr",
    "Scanned: the text of page 8 was recognised (OCR), with a confidence of 91 %.",
    "Numérisé\u00a0: le texte a été reconnu (OCR), confiance 91\u00a0%\u00a0: page 8.",
  ],
  [
    "fr",
    "The disk has too little room: 1.5 GiB are still to come and 20.0 MiB are free.",
    "Le disque a trop peu de place\u00a0: il reste 1,5 Gio à recevoir et 20,0 Mio sont libres.",
  ],
  [
    "es",
    'No page of "a.pdf" can be read: it is damaged, or it takes too long to read.',
    "No se puede leer ninguna página de «a.pdf»: datos dañados, se tarda demasiado en leer.",
  ],
  [
    "ja",
    'The files attached to it were not read: "a, b.txt", "c.txt".',
    "添付ファイルは読み取っていません: 「a, b.txt」、「c.txt」。",
  ],
  [
    "zh-Hans",
    "A budget of 6.9% with the policy dynamickv would fit; or close other programs.",
    "预算 6.9%（策略 dynamickv） 可以放下；或者关闭其他程序。",
  ],
  ["ja", "This is something that the core never said.", "This is something that the core never said."],
  [
    "ja",
    'This is not in the library now. The library "/a/b.sqlite" cannot be used: database is locked. Update Precis to use it.',
    "これは今ライブラリにありません。ライブラリ「/a/b.sqlite」を使えません: database is locked。使うには Precis を更新してください。",
  ],
  ["de", "Tom and Jerry", "Tom and Jerry"],
  [
    "de",
    'The files attached to it were not read: "Tom and Jerry.txt", "c.txt" and 2 more.',
    "Die angehängten Dateien wurden nicht gelesen: „Tom and Jerry.txt“, „c.txt“ und 2 weitere.",
  ],
  ["en", '"plan.pdf" is empty.', '"plan.pdf" is empty.'],
  [
    "en",
    '"by 50% in 3 MiB.pdf" needs 1.5 GiB; with a budget of 6.9% or "25%" of v2.5%x and 40 %.',
    '"by 50% in 3 MiB.pdf" needs 1.5 GiB; with a budget of 6.9 % or "25%" of v2.5%x and 40 %.',
  ],
])("in %s, %j is %j", (tag, sentence, translation) => {
  speak(tag);
  expect(translated(sentence)).toBe(translation);
});

it("lists of pages are written as the window writes them", () => {
  speak("de");
  expect(translated(pageList([1, 2, 3, 7], "slide"))).toBe("Folien 1–3, 7");
  expect(translated(pageList([4, 5], "chapter"))).toBe("Kapitel 4, 5");
});

it("a mark leaves a sentence as it is", () => {
  expect(said`"${"a"}" keeps ${2} of \`b\``).toBe('"a" keeps 2 of `b`');
});

/** Functions and classes whose arguments at these places are read by a user. */
const spoken: Readonly<Record<string, readonly number[]>> = {
  PrecisError: [1, 2],
  SavedCacheRefused: [0],
  failedPage: [1],
  damaged: [1],
  unsupported: [0],
  cannotCompress: [0],
  cannotReadFast: [0],
  diskFull: [0],
  usage: [0],
};

const isWords = (text: string): boolean => /\p{L}/u.test(text);

/** Texts that a user reads and that are not marked: of errors, of reasons for them, and of warnings. */
function unmarked(file: string, source?: string): string[] {
  const nodes = [...nodesIn(parsed(file, source))];
  const named = (name: unknown) =>
    nodes.filter(({ type, id }) => type === "VariableDeclarator" && (id as Node).name === name).map(({ init }) => init);
  /** What an expression can come to, through the names that it is given in the file. */
  const texts = (node: unknown): string[] => {
    const { type, name } = (node ?? {}) as Node;
    return (type === "Identifier" ? named(name) : [node]).flatMap(textsOf).filter(isWords);
  };
  return nodes.flatMap((node) => {
    if (isSaid(node)) return ((node.quasi as Node).expressions as Node[]).flatMap(textsOf).filter(isWords);
    const args = (node.arguments ?? []) as Node[];
    const callee = node.callee as Node | undefined;
    if (node.type === "NewExpression" || node.type === "CallExpression") {
      const places = spoken[String(callee?.name)] ?? [];
      const { name } = (callee?.property ?? {}) as Node;
      const pushed = isWarnings(callee?.object) && name === "push" ? args : [];
      return [...places.map((place) => args[place]), ...pushed].flatMap(texts);
    }
    if (node.type === "ThrowStatement" && file.startsWith("core")) {
      const { type, callee, arguments: given = [] } = node.argument as Node;
      const reason = type === "NewExpression" && (callee as Node).name === "Error" && /documents/.test(file);
      return reason ? (given as Node[]).slice(0, 1).flatMap(texts) : [];
    }
    const key = node.type === "Property" ? (node.key as Node).name : undefined;
    if (key === "warnings") return texts(node.value);
    return key === "reason" || key === "why" || key === "next" ? texts(node.value) : [];
  });
}

/** `warnings`, or the warnings of something. */
function isWarnings(node: unknown): boolean {
  const { name, property } = (node ?? {}) as Node;
  return name === "warnings" || (property as Node | undefined)?.name === "warnings";
}

it.each(sources)("what %s says is marked", (file) => {
  expect(unmarked(file)).toEqual([]);
});

it.each([
  ['throw new PrecisError("usage", "No file.", said`Choose one.`)', "No file."],
  ['new PrecisError("usage", said`No.`, late ? said`Wait.` : "Go on.")', "Go on."],
  ['const next = "Go on."; new PrecisError("usage", said`No.`, next)', "Go on."],
  ["warnings.push(`It is late.`)", "It is late."],
  ['steps.warnings.push("It is late.")', "It is late."],
  ['({ warnings: failed ? ["It failed."] : [] })', "It failed."],
  ['failedPage(3, "it is damaged")', "it is damaged"],
  ['throw new Error("it has no pages")', "it has no pages"],
  ["said`It is $" + '{late ? "late" : now}.`', "late"],
])("a text that is not marked is found: %s", (source, text) => {
  expect(unmarked("core/documents/found.ts", source)).toContain(text);
});

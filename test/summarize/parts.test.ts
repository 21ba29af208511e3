import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SourceDocument, textPage } from "../../core/documents/document.js";
import { stepStore } from "../../core/summarize/finished.js";
import type { RunOptions } from "../../core/summarize/options.js";
import { planRun } from "../../core/summarize/plan.js";
import { planReading, sourceOf } from "../../core/summarize/reading.js";
import { summaryResultSchema } from "../../core/summarize/result.js";
import {
  type SummaryContext,
  type SummaryProgress,
  summarizeDocument,
  summarizeTogether,
} from "../../core/summarize/summarize.js";
import { type FakeOptions, fakeEngine, fakeModel } from "../support/fake-engine.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-parts-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options: RunOptions = { budget: "25%", policy: "dynamickv", length: "medium", seed: 1, temperature: 0 };

/** Page n says "page<n>" a hundred times. */
const book = (pages: number, path = "/book.pdf"): SourceDocument => ({
  path,
  title: "Book",
  kind: "pdf",
  unit: "page",
  pages: Array.from({ length: pages }, (_, index) => textPage(index + 1, `page${index + 1} `.repeat(100).trim())),
  warnings: [],
});

/** What a model would note: the first and the last word that it read. */
const ends = (document: string) => {
  const words = document.match(/\S+/g) ?? [];
  return `${words[0]} to ${words.at(-1)}.`;
};

async function run(
  changed: Partial<RunOptions> = {},
  document = book(30),
  fake: FakeOptions = {},
  more: Partial<SummaryContext> = {},
) {
  const engine = fakeEngine({ contextLength: 1500, answer: ends, ...fake });
  const context = { loadMs: 0, readMs: 0, steps: stepStore(folder), ...more };
  const result = await summarizeDocument(engine, document, { ...options, ...changed }, context);
  expect(engine.openSessions).toBe(0);
  return { engine, result, texts: engine.seen.read.map((read) => read.document) };
}

describe("a document that is too long for the model", () => {
  test("is read in parts, every page of it, and what was noted of them becomes the answer", async () => {
    const { engine, result, texts } = await run();
    expect(summaryResultSchema.strict().parse(result)).toEqual(result);
    expect(result.document.pagesRead).toHaveLength(30);
    expect(result.parts.length).toBeGreaterThan(2);
    expect(result.parts.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(3000);
    expect(result.parts[0]?.pages.first).toBe(1);
    expect(result.parts.at(-1)?.pages.last).toBe(30);
    // a trial, the parts, the answer
    expect(texts).toHaveLength(1 + result.parts.length + 1);
    expect(texts.at(-1)?.split("\n\n")).toEqual(texts.slice(1, -1).map(ends));
    expect(result.text).toBe(ends(texts.at(-1) as string));
    expect(result.warnings).toEqual([
      expect.stringMatching(/^Read in \d parts, because it takes 3,000 tokens and the model reads at most 1,500/),
    ]);
    for (const entries of engine.seen.budgetEntries.slice(1)) {
      expect(entries * 3 * 256).toBeLessThanOrEqual(result.budget.bytes);
    }
  });

  test("has a little of the part before with each part, and no page twice", async () => {
    const { result, texts } = await run();
    texts.slice(2, -1).forEach((text, index) => {
      const before = result.parts[index]?.pages.last;
      expect(text.startsWith(`page${before} `)).toBe(true);
      expect(text.split(/\s+/).length).toBeLessThanOrEqual((result.parts[index + 1]?.tokens ?? 0) + 128);
    });
  });

  test("is planned before it is read: how many parts, why and how long", async () => {
    const seen: SummaryProgress[] = [];
    await run({}, book(30), { steps: 4, stepMs: 2 }, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toMatchObject({ stage: "reading", fraction: 0, part: { number: 1, why: /at most 1,500/ } });
    expect(seen[0]?.remainingMs).toBeGreaterThan(0);
    const reading = seen.filter(({ stage }) => stage === "reading");
    const fractions = reading.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
    expect(fractions.at(-1)).toBeLessThanOrEqual(1);
    const count = seen[0]?.part?.count ?? 0;
    expect(new Set(reading.map(({ part }) => part?.number)).size).toBe(count);
    expect(seen.at(-1)?.stage).toBe("writing");
  });

  test("passes only the answer on as text", async () => {
    let text = "";
    const { result } = await run({}, book(30), {}, { onText: (piece) => (text += piece) });
    expect(text).toBe(result.text);
  });

  test("joins notes in rounds when they do not fit one prompt", async () => {
    const noted = `${"note ".repeat(60)}`;
    const answer = (text: string, instruction: string) =>
      instruction.includes("two paragraphs") ? `${text.split("note").length - 1} notes` : noted;
    const { result, engine } = await run({ partTokens: 400 }, book(60), { answer });
    const joins = engine.seen.read.slice(1 + result.parts.length);
    expect(joins.length).toBeGreaterThan(2);
    for (const { document } of joins) expect(document.split(/\s+/).length).toBeLessThanOrEqual(401);
  });

  test("never asks for more than the context holds, whatever the length", async () => {
    for (const length of ["short", "medium", "long"] as const) {
      const { engine } = await run({ length });
      for (const [index, tokens] of engine.seen.promptTokens.entries()) {
        expect(tokens + (engine.seen.maxTokens[index] as number)).toBeLessThanOrEqual(1500);
      }
    }
  });

  test("answers a question from all parts", async () => {
    const { engine, result } = await run({ question: "Which pages?" });
    expect(engine.seen.read.every(({ instruction }) => instruction.endsWith("Question: Which pages?"))).toBe(true);
    expect(result.parts.length).toBeGreaterThan(2);
  });

  test("says of which pages nothing was written, and that notes were cut", async () => {
    const silent = (text: string) => (text.includes("page30") ? "" : ends(text));
    const { result } = await run({}, book(30), { answer: silent, stopped: "max-tokens" });
    expect(result.warnings).toContainEqual(expect.stringMatching(/^The model wrote nothing about pages \d+ to 30/));
    expect(result.warnings).toContainEqual(
      expect.stringMatching(/^What was noted of the parts was cut at 2\d\d tokens \d times/),
    );
  });
});

test("a model that writes nothing at all is not asked to summarise nothing", async () => {
  const { result, engine } = await run({}, book(30), { answer: "" });
  expect(engine.seen.read).toHaveLength(1 + result.parts.length);
  expect(result.text).toBe("");
  expect(result.warnings.filter((warning) => /wrote nothing/.test(warning))).toHaveLength(result.parts.length);
});

describe("a document that is too large for the memory", () => {
  const available = (tokens: number) => {
    const plan = planRun(fakeModel, { tokens, headTokens: 12, windowTokens: 16 }, 300, options);
    return plan.estimate.devices.memory;
  };

  test("is read in parts that fit, which the budget that would read it whole stands beside", async () => {
    const { result } = await run({}, book(30), { contextLength: 8192 }, { availableBytes: available(1100) });
    expect(result.parts.length).toBeGreaterThan(3);
    expect(result.warnings).toEqual([
      expect.stringMatching(/reading it whole takes about .* is free; with a budget of/),
    ]);
    const budget = /budget of ([\d.]+%)/.exec(result.warnings[0] ?? "")?.[1] as string;
    const whole = await run({ budget }, book(30), { contextLength: 8192 }, { availableBytes: available(1100) });
    expect(whole.result.parts).toHaveLength(1);
  });

  test("is cut in the same parts again though less memory would do for larger ones", async () => {
    const controller = new AbortController();
    const engine = fakeEngine({ answer: ends, onStep: () => engine.seen.read.length > 3 && controller.abort() });
    const context = { loadMs: 0, readMs: 0, steps: stepStore(folder) };
    const first = { ...context, signal: controller.signal, availableBytes: available(1000) };
    await expect(summarizeDocument(engine, book(30), options, first)).rejects.toMatchObject({ code: "cancelled" });
    const { result } = await run({}, book(30), { contextLength: 8192 }, { availableBytes: available(1400) });
    expect(result.warnings).toContainEqual(expect.stringMatching(/were taken over/));
  });
});

describe("a run that ended early", () => {
  /** Cancels while the given reading (the trial is the first) is under way; answers what was read. */
  async function interrupted(reading: number) {
    const controller = new AbortController();
    const texts: string[] = [];
    const engine = fakeEngine({
      contextLength: 1500,
      answer: ends,
      onStep: () => {
        if (engine.seen.read.length === reading) controller.abort();
      },
    });
    const context = { loadMs: 0, readMs: 0, steps: stepStore(folder), signal: controller.signal };
    await expect(summarizeDocument(engine, book(30), options, context)).rejects.toMatchObject({ code: "cancelled" });
    texts.push(...engine.seen.read.map((read) => read.document));
    return texts;
  }

  test("goes on without reading finished parts again, and forgets them in the end", async () => {
    const uninterrupted = await run({}, book(30), {}, { steps: undefined });
    const before = await interrupted(4);
    expect(readdirSync(folder)).toHaveLength(1);
    const { result, texts } = await run();
    // the trial and two parts were read; the third was not finished
    expect(before.slice(0, 3)).not.toContain(texts[0]);
    expect(texts[0]).toBe(before[3]);
    expect(texts).toHaveLength(result.parts.length - 2 + 1);
    expect(result.text).toBe(uninterrupted.result.text);
    expect(result.parts).toEqual(uninterrupted.result.parts);
    expect(result.warnings).toContainEqual(expect.stringMatching(/^2 of \d steps were taken over/));
    expect(readdirSync(folder)).toEqual([]);
  });

  test("shows how far it had come from the beginning", async () => {
    await interrupted(4);
    const seen: SummaryProgress[] = [];
    await run({}, book(30), {}, { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]?.part?.number).toBe(3);
    expect(seen[0]?.fraction).toBeGreaterThan(0);
  });

  test.each([
    ["document", {}, book(31)],
    ["budget", { budget: "26%" }, book(30)],
    ["policy", { policy: "snapkv" }, book(30)],
    ["length", { length: "long" }, book(30)],
    ["focus", { focus: "Money" }, book(30)],
    ["language", { language: "German" }, book(30)],
    ["seed", { seed: 2 }, book(30)],
    ["size of parts", { partTokens: 900 }, book(30)],
  ] as [string, Partial<RunOptions>, SourceDocument][])(
    "is not taken up with another %s",
    async (_, changed, document) => {
      await interrupted(4);
      const { result, texts } = await run(changed, document);
      expect(texts).toHaveLength(1 + result.parts.length + 1);
    },
  );

  test("is not taken up from a damaged file, one of another version or one that was copied, and says so", async () => {
    const damages: [(text: string) => string, RegExp][] = [
      [(text) => text.replace("page1 to", "page9 to"), /damaged/],
      [(text) => text.slice(0, -10), /damaged/],
      [() => "", /damaged/],
      [(text) => text.replace("STEPS 1", "STEPS 2"), /another version/],
    ];
    for (const [damage, reason] of damages) {
      await interrupted(4);
      const file = join(folder, readdirSync(folder)[0] as string);
      writeFileSync(file, damage(readFileSync(file, "utf8")));
      const { result, texts } = await run();
      expect(texts).toHaveLength(1 + result.parts.length + 1);
      expect(result.warnings).toContainEqual(expect.stringMatching(reason));
    }
    await interrupted(4);
    const file = join(folder, readdirSync(folder)[0] as string);
    const kept = readFileSync(file, "utf8");
    await run();
    // of another document, under this one's name
    const other = fakeEngine({ contextLength: 1500 });
    await summarizeDocument(other, book(40), options, { loadMs: 0, readMs: 0, steps: stepStore(folder) });
    writeFileSync(file, kept.replace("/fake.gguf", "/else.gguf"));
    expect((await run()).result.warnings).toContainEqual(expect.stringMatching(/was not used/));
  });

  test("costs no answer where nothing can be saved", async () => {
    writeFileSync(join(folder, "file"), "");
    const { result } = await run({}, book(30), {}, { steps: stepStore(join(folder, "file")) });
    expect(result.text).not.toBe("");
    expect(result.warnings.filter((warning) => /could not be saved/.test(warning))).toHaveLength(1);
  });
});

describe("styles", () => {
  const report = (): SourceDocument => ({
    ...book(9, "/report.pdf"),
    outline: [
      { title: "Aims", page: 1, level: 1 },
      { title: "Results", page: 4, level: 1 },
      { title: "Table", page: 5, level: 2 },
      { title: "Outlook", page: 8, level: 1 },
    ],
  });

  test("by chapter gives each its own summary under its title, though all would fit one prompt", async () => {
    let text = "";
    const { result } = await run(
      { style: "chapters" },
      report(),
      { contextLength: 8192 },
      { onText: (piece) => (text += piece) },
    );
    expect(result.text).toBe(
      "## Aims\n\npage1 to page3.\n\n## Results\n\npage4 to page7.\n\n## Outlook\n\npage8 to page9.",
    );
    expect(text.trim()).toBe(result.text);
    expect(result.parts.map(({ title, pages }) => [title, pages.first, pages.last])).toEqual([
      ["Aims", 1, 3],
      ["Results", 4, 7],
      ["Outlook", 8, 9],
    ]);
  });

  test("by chapter joins the parts of a long one", async () => {
    const { result } = await run({ style: "chapters", partTokens: 250 }, report(), { contextLength: 8192 });
    expect(result.text.match(/^## .*/gm)).toEqual(["## Aims", "## Results", "## Outlook"]);
    expect(result.parts.length).toBeGreaterThan(4);
  });

  test("by chapter falls back on parts, and says so", async () => {
    const { result } = await run({ style: "chapters" });
    expect(result.text.match(/^## pages \d+ to \d+$/gm)).toHaveLength(result.parts.length);
    expect(result.warnings).toContainEqual(expect.stringMatching(/name no chapters/));
  });

  test("differ in what is asked for", async () => {
    const asked: string[] = [];
    for (const style of ["paragraph", "bullets", "executive"] as const) {
      const { engine } = await run({ style }, book(3));
      asked.push(engine.seen.read.at(-1)?.instruction ?? "");
    }
    expect(new Set(asked).size).toBe(3);
    expect(asked[1]).toMatch(/"- "/);
    expect(asked[2]).toMatch(/## Findings/);
  });

  test("that the model did not keep to are said to be missing", async () => {
    const { result } = await run({ style: "bullets" }, book(3), { answer: "No list." });
    expect(result.warnings).toEqual([expect.stringMatching(/form that was asked for/)]);
    const kept = await run({ style: "bullets" }, book(3), { answer: "- One.\n- Two." });
    expect(kept.result.warnings).toEqual([]);
  });

  test("a focus is part of every prompt's window, a language only of the answer's", async () => {
    const { engine } = await run({ focus: "What does it cost?", language: "German" });
    const asked = engine.seen.read.slice(1).map(({ instruction }) => instruction);
    for (const instruction of asked) expect(instruction).toMatch(/What does it cost\?$/);
    expect(asked.filter((instruction) => instruction.includes("German"))).toEqual([asked.at(-1)]);
  });
});

describe("several documents together", () => {
  const together = async (documents: readonly SourceDocument[], fake: FakeOptions = {}) => {
    const engine = fakeEngine({ contextLength: 1500, answer: ends, ...fake });
    const context = { loadMs: 0, readMs: 0, steps: stepStore(folder) };
    return { engine, result: await summarizeTogether(engine, documents, options, context) };
  };

  test("give one summary from what was noted of each, and each one's claims under its name", async () => {
    const { engine, result } = await together([book(3, "/a/one.pdf"), book(30, "/b/two.docx")]);
    const last = engine.seen.read.at(-1);
    expect(last?.document).toMatch(/^one\.pdf says:\npage1 to page3\.\n\ntwo\.docx says:\n/);
    expect(last?.instruction).toMatch(/Name the document/);
    expect(result.text).toMatch(/^one\.pdf to .*\n\n## one\.pdf\n\npage1 to page3\.\n\n## two\.docx\n\npage/);
    expect([result.document, ...result.furtherDocuments].map(({ path }) => path)).toEqual([
      "/a/one.pdf",
      "/b/two.docx",
    ]);
    expect(new Set(result.parts.map(({ document }) => document))).toEqual(new Set([0, 1]));
    expect(summaryResultSchema.strict().parse(result)).toEqual(result);
  });

  test("are read in parts where one of them is long, and it is said which", async () => {
    const { result } = await together([book(3, "/a/one.pdf"), book(30, "/b/two.docx")]);
    expect(result.warnings).toEqual([
      expect.stringMatching(
        /because several documents are summarised together; two\.docx itself because it takes 3,000/,
      ),
    ]);
  });

  test("of one name are told apart by their folders", async () => {
    const { result } = await together([book(3, "/a/one.pdf"), book(3, "/b/one.pdf")]);
    expect(result.text).toContain("## /a/one.pdf");
    expect(result.text).toContain("## /b/one.pdf");
  });

  test("that are many are joined in rounds", async () => {
    const many = Array.from({ length: 40 }, (_, index) => book(2, `/${index}.pdf`));
    const { result } = await together(many, { answer: () => "note ".repeat(100) });
    expect(result.furtherDocuments).toHaveLength(39);
  });
});

test("a document that fits is read whole, in one part", async () => {
  const { engine, result } = await run({}, book(5));
  expect(engine.seen.read.map(({ document }) => document.split(/\s+/).length)).toEqual([500]);
  expect(result.parts).toEqual([{ document: 0, pages: { first: 1, last: 5 }, tokens: 500 }]);
  expect(result.warnings).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

describe("2,000 pages", () => {
  const long = () => {
    const engine = fakeEngine();
    return { engine, source: sourceOf(engine, book(2000)) };
  };

  test("are planned in seconds, in parts that fit", async () => {
    const { engine, source } = long();
    const started = performance.now();
    const reading = await planReading(engine, source, options, { availableBytes: 2 ** 40, alone: true });
    expect(performance.now() - started).toBeLessThan(15_000);
    const parts = reading.chapters.flatMap((chapter) => chapter.parts);
    expect(Math.abs(parts.length - 200_000 / 7_600)).toBeLessThan(2);
    expect(parts.map(({ start }) => start).slice(1)).toEqual(parts.map(({ end }) => end).slice(0, -1));
  });

  test("can be cancelled while they are planned", async () => {
    const { engine, source } = long();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 10);
    const started = performance.now();
    const planning = { availableBytes: 2 ** 40, alone: true, signal: controller.signal };
    await expect(planReading(engine, source, options, planning)).rejects.toMatchObject({ code: "cancelled" });
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

import { describe, expect, test } from "vitest";
import { type SourceDocument, textPage } from "../../core/documents/document.js";
import { parseBudget } from "../../core/estimate/estimate.js";
import type { RunOptions } from "../../core/summarize/options.js";
import { instruction, promptOverhead } from "../../core/summarize/prompt.js";
import { summaryResultSchema } from "../../core/summarize/result.js";
import { type SummaryProgress, summarizeDocument } from "../../core/summarize/summarize.js";
import { fakeEngine } from "../support/fake-engine.js";

const document: SourceDocument = {
  path: "/reports/harbour.pdf",
  title: "Harbour",
  kind: "pdf",
  unit: "page",
  pages: [
    textPage(1, "The harbour silts up. ".repeat(100).trim()),
    textPage(2, ""),
    textPage(3, "Dredging costs money. ".repeat(100).trim()),
  ],
  warnings: ["Page 2 has no text."],
};

const options: RunOptions = { budget: "25%", policy: "dynamickv", length: "medium", seed: 1, temperature: 0 };
const times = { loadMs: 11, readMs: 12 };

describe("summarizeDocument", () => {
  test("answers with the contract's result", async () => {
    const engine = fakeEngine();
    const result = await summarizeDocument(engine, document, options, times);
    expect(summaryResultSchema.parse(result)).toEqual(result);
    expect(result.text).toBe("The harbour was rebuilt.");
    expect(result.document).toEqual({
      path: "/reports/harbour.pdf",
      title: "Harbour",
      pages: 3,
      tokens: 700,
      pagesRead: [1, 3],
      coverage: { unit: "page", text: [1, 3], ocr: [], empty: [2], failed: [] },
      warnings: ["Page 2 has no text."],
    });
    expect(result.furtherDocuments).toEqual([]);
    expect(result.parts).toEqual([{ document: 0, pages: { first: 1, last: 3 }, tokens: 700 }]);
    expect(result.policy).toBe("dynamickv");
    expect(result.timings).toMatchObject({ loadMs: 11, readMs: 12, prefillMs: 3, compressMs: 4, decodeTokens: 5 });
    expect(result.warnings).toEqual([]);
    expect(result.memory.peakRssBytes).toBeGreaterThan(10 * 2 ** 20);
    expect(engine.openSessions).toBe(0);
  });

  test("ties each sentence of the answer to the pages that support it", async () => {
    const engine = fakeEngine({ answer: "- Dredging costs money.\n- The mayor sang." });
    const pages = [textPage(1, "The harbour silts up."), textPage(2, ""), textPage(3, "Dredging costs money.")];
    const wide = { ...options, budget: "100%" };
    const { citations, text } = await summarizeDocument(engine, { ...document, pages }, wide, times);
    expect(citations.map(({ start, end, pages }) => [text.slice(start, end), pages])).toEqual([
      ["Dredging costs money.", [3]],
      ["The mayor sang.", []],
    ]);
  });

  test("gives the engine the budget of the whole prompt, instruction included", async () => {
    const engine = fakeEngine();
    const result = await summarizeDocument(engine, document, options, times);
    const tokens = result.kv.fullBytes / (30 * 3 * 256);
    expect(tokens).toBeGreaterThan(700);
    expect(engine.seen.budgetEntries).toEqual([parseBudget("25%", engine.model, tokens).entriesTotal]);
    expect(result.budget.bytes).toBe(parseBudget("25%", engine.model, tokens).bytes);
  });

  test("refuses a model whose context holds hardly more than instruction and answer, and opens no session", async () => {
    const engine = fakeEngine({ contextLength: 500 });
    const run = summarizeDocument(engine, document, options, times);
    await expect(run).rejects.toMatchObject({ code: "too-long", message: expect.stringMatching(/at most 500 tokens/) });
    expect(engine.seen.budgetEntries).toEqual([]);
    expect(engine.openSessions).toBe(0);
  });

  test("says that an answer was cut", async () => {
    const result = await summarizeDocument(fakeEngine({ stopped: "max-tokens" }), document, options, times);
    expect(result.warnings).toEqual(["The answer was cut at 5 tokens."]);
  });

  test("says that an answer followed the whole cache to no end, and gives it", async () => {
    const { text, warnings } = await summarizeDocument(
      fakeEngine({ wholeLost: "it was cut" }),
      document,
      options,
      times,
    );
    expect(text).toBe("The harbour was rebuilt.");
    expect(warnings).toEqual([expect.stringMatching(/only in part \(it was cut\)/)]);
  });

  test("says that a policy which keeps everything used no budget", async () => {
    const full = await summarizeDocument(fakeEngine(), document, { ...options, policy: "full" }, times);
    expect(full.warnings).toEqual([expect.stringContaining("25%")]);
    expect(full.budget.bytes).toBe(full.kv.fullBytes);
    const whole = await summarizeDocument(
      fakeEngine(),
      document,
      { ...options, policy: "full", budget: "100%" },
      times,
    );
    expect(whole.warnings).toEqual([]);
  });

  test("refuses a budget that the instruction alone fills", async () => {
    const run = summarizeDocument(fakeEngine(), document, { ...options, budget: "5" }, times);
    await expect(run).rejects.toMatchObject({ code: "budget-too-small" });
  });

  test("cancels while reading and leaves no session", async () => {
    const controller = new AbortController();
    const engine = fakeEngine({ steps: 100, onStep: (step) => step === 3 && controller.abort() });
    const run = summarizeDocument(engine, document, options, { ...times, signal: controller.signal });
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
    expect(engine.openSessions).toBe(0);
    expect(engine.seen.sampling).toEqual([]);
  });

  test("reports reading, then writing", async () => {
    const seen: SummaryProgress[] = [];
    let text = "";
    await summarizeDocument(fakeEngine({ steps: 4, pieces: 3, answer: "So. " }), document, options, {
      ...times,
      onProgress: (progress) => seen.push(progress),
      onText: (piece) => {
        text += piece;
      },
    });
    expect(seen.map(({ stage }) => stage)).toEqual([...Array(4).fill("reading"), ...Array(3).fill("writing")]);
    expect(seen[3]?.fraction).toBe(1);
    expect(text).toBe("So. So. So. ");
  });

  test("does not punish repeated digits in answers to questions", async () => {
    const engine = fakeEngine();
    await summarizeDocument(engine, document, { ...options, question: "How much?" }, times);
    await summarizeDocument(engine, document, options, times);
    expect(engine.seen.sampling.map(({ repeatPenalty }) => repeatPenalty)).toEqual([1, 1.1]);
  });
});

describe("the prompt", () => {
  test("puts the instruction after the document", async () => {
    const engine = fakeEngine();
    await summarizeDocument(engine, document, { ...options, question: "What silts up?", language: "German" }, times);
    const [, , text, after] = engine.seen.prompts.at(-1)?.split("|") ?? [];
    expect(text).toContain("Dredging costs money.");
    expect(after).toMatch(/German.*\n.*What silts up\?$/);
  });

  test("differs by length and stays short", () => {
    const all = (["short", "medium", "long"] as const).map((length) => instruction({ length }));
    expect(new Set(all).size).toBe(3);
    for (const words of all) expect(words.split(" ").length).toBeLessThan(30);
  });

  test("takes no more beside the document than its overhead says", async () => {
    const engine = fakeEngine();
    const overhead = promptOverhead(engine);
    for (const length of ["short", "medium", "long"] as const) {
      const { kv } = await summarizeDocument(engine, document, { ...options, length, language: "German" }, times);
      expect(kv.fullBytes / (30 * 3 * 256) - 700).toBeLessThanOrEqual(overhead);
    }
  });
});

describe("a form", () => {
  const sections = { ...options, style: "executive", length: "long" } as const;

  test("is begun for the model, and led on where it ends too early", async () => {
    let streamed = "";
    const onText = (piece: string) => (streamed += piece);
    const engine = fakeEngine({ answer: "The harbour was rebuilt." });
    const result = await summarizeDocument(engine, document, sections, { ...times, onText });
    const section = (title: string) => `## ${title}\nThe harbour was rebuilt.`;
    expect(result.text).toBe(["Purpose", "Findings", "Conclusions"].map(section).join("\n\n"));
    expect(streamed).toBe(result.text);
    expect(result.warnings).toEqual([]);
    // what is written for the model counts
    expect(result.timings.decodeTokens).toBe(3 * 5 + 3 * 2);
    expect(engine.seen.maxTokens).toEqual([698, 691, 684]);
  });

  test("is left to a model that keeps to it", async () => {
    const engine = fakeEngine({ answer: "To inform.\n\n## Findings\nIt silts up.\n\n## Conclusions\nDredge it." });
    const { text } = await summarizeDocument(engine, document, sections, times);
    expect(text).toBe("## Purpose\nTo inform.\n\n## Findings\nIt silts up.\n\n## Conclusions\nDredge it.");
    expect(engine.seen.maxTokens).toHaveLength(1);
    const list = fakeEngine({ answer: " It silts up.\n- Dredge it." });
    const bullets = await summarizeDocument(list, document, { ...options, style: "bullets" }, times);
    expect(bullets.text).toBe("- It silts up.\n- Dredge it.");
  });

  test("is given up where the model says nothing, is cut, or keeps to nothing", async () => {
    const silent = fakeEngine({ answer: "", stopped: "max-tokens" });
    expect((await summarizeDocument(silent, document, sections, times)).warnings).toContainEqual(
      expect.stringMatching(/does not have the form/),
    );
    expect(silent.seen.maxTokens).toHaveLength(1);
    const stubborn = fakeEngine({ answer: "No." });
    await summarizeDocument(stubborn, document, { ...options, style: "bullets" }, times);
    expect(stubborn.seen.maxTokens.length).toBeLessThanOrEqual(3);
  });

  test("is not that of notes, of answers to questions or of running text", async () => {
    const { text } = await summarizeDocument(fakeEngine(), document, options, times);
    expect(text).toBe("The harbour was rebuilt.");
    const asked = await summarizeDocument(fakeEngine(), document, { ...options, question: "What?" }, times);
    expect(asked.text).toBe("The harbour was rebuilt.");
    const engine = fakeEngine({ contextLength: 700 });
    const parts = await summarizeDocument(engine, document, { ...options, style: "bullets", length: "short" }, times);
    expect(parts.text.startsWith("-")).toBe(true);
    const notes = engine.seen.read.slice(1, 1 + parts.parts.length);
    expect(notes.every(({ instruction }) => !instruction.includes("list"))).toBe(true);
  });
});

describe("the picture of what was kept", () => {
  test("comes with the result, for each layer and page", async () => {
    const { retention } = await summarizeDocument(fakeEngine(), document, options, times);
    expect(retention?.pages.map(({ page }) => page)).toEqual([1, 3]);
    const bytes = Buffer.from(retention?.shares ?? "", "base64");
    expect(bytes).toHaveLength(retention?.columns ?? 0);
    // every fourth token is kept
    expect(bytes.reduce((sum, share) => sum + share, 0) / bytes.length / 255).toBeCloseTo(0.25, 1);
  });
});

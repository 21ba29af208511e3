import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type SourceDocument, textPage } from "../../core/documents/document.js";
import { CacheStore } from "../../core/engine/cache-store.js";
import type { RunOptions } from "../../core/summarize/options.js";
import { summarizeDocument } from "../../core/summarize/summarize.js";
import { type FakeOptions, fakeEngine } from "../support/fake-engine.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-caches-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const document = (words = "The harbour silts up. "): SourceDocument => ({
  path: "/harbour.pdf",
  title: "Harbour",
  kind: "pdf",
  unit: "page",
  pages: [textPage(1, words.repeat(200).trim())],
  warnings: [],
});
const options: RunOptions = {
  budget: "25%",
  policy: "dynamickv",
  length: "short",
  question: "Why?",
  seed: 1,
  temperature: 0,
};

/** Asks once; answers how often the document was read and what was said about it. */
async function ask(changed: Partial<RunOptions> = {}, of = document(), fake: FakeOptions = {}, readAgain = false) {
  const engine = fakeEngine(fake);
  const context = { loadMs: 0, readMs: 0, caches: new CacheStore(folder), readAgain };
  const { warnings, savedCache } = await summarizeDocument(engine, of, { ...options, ...changed }, context);
  return { read: engine.seen.budgetEntries.length, warnings, savedCache };
}

describe("a saved cache", () => {
  test("spares reading the same document again, and says so", async () => {
    expect(await ask()).toEqual({ read: 1, warnings: [] });
    const again = await ask();
    expect(again.read).toBe(0);
    expect(again.savedCache).toBe("same");
    expect(again.warnings).toEqual([expect.stringMatching(/not read again/)]);
    const other = await ask({ question: "Where?" }, document(), { sameWindow: false });
    expect(other.read).toBe(0);
    expect(other.savedCache).toBe("other");
    expect(other.warnings).toEqual([expect.stringMatching(/another question/)]);
  });

  test("is made anew by a reading that was asked for", async () => {
    await ask();
    expect(await ask({ question: "Where?" }, document(), {}, true)).toEqual({ read: 1, warnings: [] });
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test("is of one document, policy, budget, kind of entry and way of reading", async () => {
    await ask();
    expect((await ask({}, document("Another text. "))).read).toBe(1);
    expect((await ask({ budget: "26%" })).read).toBe(1);
    expect((await ask({ policy: "snapkv" })).read).toBe(1);
    expect((await ask({ kvType: "q8_0" })).read).toBe(1);
    expect((await ask({ reading: "fast" })).read).toBe(1);
    expect(readdirSync(folder)).toHaveLength(6);
    expect((await ask({ policy: "full", budget: "100%" })).read).toBe(1);
    expect(readdirSync(folder), "the full cache is not saved").toHaveLength(6);
  });

  test("is of no use to an answer that was to be checked where it cannot be, which is said", async () => {
    const { warnings } = await ask({ policy: "streaming-llm", reaim: "checked" });
    expect(warnings).toEqual([expect.stringMatching(/does not follow the answer, because.*streaming-llm/)]);
    expect((await ask({ policy: "streaming-llm" }, document("Another. "))).warnings).toEqual([]);
  });

  test("that is damaged is said to be, the document is read again, and a good one takes its place", async () => {
    await ask();
    writeFileSync(join(folder, readdirSync(folder)[0] as string), "damaged");
    const again = await ask();
    expect(again.read).toBe(1);
    expect(again.warnings).toEqual([expect.stringMatching(/not used \(it is damaged\).*read again/)]);
    expect((await ask()).read).toBe(0);
  });

  test("that cannot be written does not cost the answer", async () => {
    writeFileSync(join(folder, "file"), "");
    const engine = fakeEngine();
    const caches = new CacheStore(join(folder, "file"));
    const result = await summarizeDocument(engine, document(), options, { loadMs: 0, readMs: 0, caches });
    expect(result.text).not.toBe("");
    expect(result.warnings).toEqual([expect.stringMatching(/could not be saved/)]);
  });
});

test("a run that cannot fit is refused before anything is read", async () => {
  const engine = fakeEngine();
  const context = { loadMs: 0, readMs: 0, availableBytes: 2 ** 20 };
  await expect(summarizeDocument(engine, document(), options, context)).rejects.toMatchObject({
    code: "out-of-memory",
  });
  expect(engine.seen.budgetEntries).toEqual([]);
});

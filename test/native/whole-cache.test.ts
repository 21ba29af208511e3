import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Policy } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import { SavedCacheRefused } from "../../core/engine/saved-cache.js";
import type { DocumentSession } from "../../core/engine/session.js";
import type { Engine, ReadOptions, Sampling } from "../../core/engine/types.js";
import { someTokens, writeRandomModel } from "../support/gguf.js";
import { largestDifference, openSession, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-whole-"));
afterAll(() => rmSync(folder, { recursive: true }));
const wholeFiles = () => readdirSync(folder).filter((name) => name.endsWith(".whole"));

const tokens = someTokens(700);
const prompt = { tokens, headTokens: 4, windowTokens: 16 };
// past 768 tokens, where a full cache has more cells than before
const following = tokens.slice(0, 80);
const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1.1, seed: 1 };
const policy = createPolicy("dynamickv");

let files = 0;
const fresh = () => join(folder, `${files++}.whole`);

describe.each([
  ["llama", "f16"],
  ["llama", "q8_0"],
  ["gemma3", "f16"],
] as const)("a whole cache beside a compressed one (%s, %s)", (architecture, kvType) => {
  let engine: Engine;
  let session: DocumentSession;
  let budgetEntries: number;
  beforeAll(async () => {
    const path = join(folder, `${architecture}.gguf`);
    writeRandomModel(path, { ...tinyModel, architecture });
    engine = await loadEngine(path, architecture);
    session = await openSession(engine);
    budgetEntries = 60 * engine.model.fullLayers;
  });
  afterAll(async () => {
    await session?.dispose();
    await engine?.dispose();
  });

  const read = async (more: Partial<ReadOptions> = {}) =>
    await session.read(prompt, { policy, budgetEntries, kvType, hiddenType: "f32", groupLayers: 2, ...more });

  it("writes, checked by drafts or alone, what the full cache writes, and holds no more than without", async () => {
    // what is read and scored in q8_0 is f16 until it is cut down: the whole cache is of f16 whatever the compressed one is
    const plain = await session.read(prompt, { policy: createPolicy("full"), budgetEntries: 0, hiddenType: "f32" });
    const full = await session.generate({ sampling: greedy, maxTokens: 90 });
    const compressed = await read();
    await read({ whole: { path: fresh(), kept: false } });
    expect(wholeFiles()).toEqual([]);
    // drafts, and the whole cache alone, in turns
    let turns = 0;
    const pace = { stretch: 16, next: () => (turns++ % 2 === 0 ? 8 : 1), took: () => {} };
    const follow = { policy: policy.aimed as Policy, budgetEntries, mode: "checked", pace } as const;
    const pieces: string[] = [];
    const checked = await session.generate({
      sampling: greedy,
      maxTokens: 90,
      follow,
      onText: (piece) => pieces.push(piece),
    });
    expect(pieces.join("")).toBe(checked.text);
    expect(checked.tokens).toBe(full.tokens);
    expect(checked.drafted).toBeGreaterThanOrEqual(checked.confirmed);
    expect(checked.confirmed).toBeGreaterThan(0);
    if (kvType === "f16") expect(checked.text).toBe(full.text);
    const grown = (90 / 60) * compressed.kv.retainedBytes;
    expect(checked.peakKvBytes).toBeLessThan(compressed.kv.peakBytes + grown);
    // what sliding layers hold counts, too
    if (architecture === "llama") expect(checked.peakKvBytes).toBeLessThan(plain.kv.fullBytes);
  });

  it("lets the compressed one go on from what a draft looked at, in its place and within its budget", async () => {
    await read();
    const plain = await session.generate({ sampling: greedy, maxTokens: 30 });
    await read({ whole: { path: fresh(), kept: false } });
    const follow = { policy: policy.aimed as Policy, budgetEntries, mode: "draft" } as const;
    const drafted = await session.generate({ sampling: greedy, maxTokens: 30, follow });
    expect(drafted.drafted).toBe(0);
    expect(drafted.tokens).toBe(30);
    // (this random model writes the same whatever it has read)
    if (architecture === "llama") expect(drafted.text).not.toBe(plain.text);
  });

  it("forgets a draft, and leaves the whole cache as it was", async () => {
    await read({ whole: { path: fresh(), kept: false } });
    const logits = session.logits();
    const expected = await session.feedWhole(following);
    session.rewind(logits);
    await session.draft({ policy: policy.aimed as Policy, budgetEntries, mode: "draft" }, greedy);
    expect(largestDifference(session.logits(), logits)).toBe(0);
    expect(largestDifference(await session.feedWhole(following), expected)).toBe(0);
    session.rewind(logits);
    const short = await session.feed(following);
    expect(largestDifference(short, expected)).toBeGreaterThan(0);
    await session.read(prompt, { policy: createPolicy("full"), budgetEntries: 0, hiddenType: "f32" });
    const full = await session.feed(following);
    if (kvType === "f16") expect(largestDifference(full, expected)).toBe(0);
  });

  it("is not looked at where it was refused: the answer is the plain one", async () => {
    await read();
    const plain = await session.generate({ sampling: greedy, maxTokens: 20 });
    const reasons: string[] = [];
    const onWholeRefused = (reason: string) => reasons.push(reason);
    await read({ whole: { path: join(folder, "none", "x.whole"), kept: true }, onWholeRefused });
    const follow = { policy: policy.aimed as Policy, budgetEntries, mode: "checked" } as const;
    const without = await session.generate({ sampling: greedy, maxTokens: 20, follow });
    expect(reasons).toEqual(["No such file or directory"]);
    expect(without.text).toBe(plain.text);
    expect(await session.keepWhole("x")).toBe(false);
  });
});

describe("a whole cache that is kept", () => {
  let engine: Engine;
  let budgetEntries: number;
  const file = join(folder, "kept.whole");
  beforeAll(async () => {
    const path = join(folder, "kept.gguf");
    writeRandomModel(path, { ...tinyModel, architecture: "llama" });
    engine = await loadEngine(path, "kept");
    budgetEntries = 60 * engine.model.fullLayers;
    const session = await openSession(engine);
    await session.read(prompt, {
      policy,
      budgetEntries,
      hiddenType: "f32",
      whole: { path: `${file}.part`, kept: true },
    });
    expect(await session.keepWhole("this document")).toBe(true);
    renameSync(`${file}.part`, file);
    // what is written on it later is not of the document
    await session.feed(following);
    await session.dispose();
  });
  afterAll(async () => await engine?.dispose());

  const before = tokens.length - prompt.windowTokens;
  const other = {
    ...prompt,
    tokens: Uint32Array.from([...tokens.slice(0, before), ...tokens.slice(100, 180)]),
    windowTokens: 80,
  };

  it.each([
    ["the same window", prompt],
    ["a longer window", other],
  ])("gives with %s what reading all again gives", async (_, asked) => {
    const session = await openSession(engine);
    const entries = (40 + asked.windowTokens) * engine.model.fullLayers;
    const again: Uint32Array[][] = [];
    const kept: Uint32Array[][] = [];
    await session.read(asked, {
      policy: policy.recalled as Policy,
      budgetEntries: entries,
      hiddenType: "f32",
      onKept: (list) => again.push([...list]),
    });
    const expected = session.logits();
    const takes = { policy, budgetEntries: entries, onKept: (list: readonly Uint32Array[]) => kept.push([...list]) };
    const taken = await session.takeWhole(asked, file, "this document", takes);
    // the window comes in another batch: other kernels, and other last digits
    expect(largestDifference(session.logits(), expected)).toBeLessThan(0.05);
    expect(taken.kv.retainedBytes).toBeLessThan(0.2 * taken.kv.fullBytes);
    expect(kept).toHaveLength(engine.model.fullLayers);
    const shared = kept
      .flat()
      .reduce((sum, list, i) => sum + list.filter((p) => again.flat()[i]?.includes(p)).length, 0);
    const all = kept.flat().reduce((sum, list) => sum + list.length, 0);
    expect(shared / all).toBeGreaterThan(asked === prompt ? 0.97 : 0.6);
    const follow = { policy: policy.aimed as Policy, budgetEntries: entries, mode: "checked" } as const;
    const answer = await session.generate({ sampling: greedy, maxTokens: 70, follow });
    await session.read(asked, { policy: createPolicy("full"), budgetEntries: 0, hiddenType: "f32" });
    expect(answer.text.slice(0, 40)).toBe(
      (await session.generate({ sampling: greedy, maxTokens: 70 })).text.slice(0, 40),
    );
    await session.dispose();
  });

  it("is refused when it is damaged, cut short, unfinished, of something else or too small", async () => {
    const session = await openSession(engine);
    const whole = readFileSync(file);
    const refusal = async (identity = "this document", asked = prompt, answerTokens = 100) => {
      const path = join(folder, "refused.whole");
      writeFileSync(path, whole);
      return { path, take: session.takeWhole(asked, path, identity, { policy, budgetEntries, answerTokens }) };
    };
    const expectRefused = async (attempt: Promise<unknown>, reason: RegExp) => {
      await expect(attempt).rejects.toBeInstanceOf(SavedCacheRefused);
      await expect(attempt).rejects.toThrow(reason);
    };
    await expectRefused((await refusal("another")).take, /of another document/);
    await expectRefused((await refusal("this document", prompt, 5000)).take, /no room/);
    const path = join(folder, "hurt.whole");
    const takeHurt = () =>
      session.takeWhole(prompt, path, "this document", { policy, budgetEntries, answerTokens: 100 });
    for (const [hurt, reason] of [
      [() => whole.with(5000, (whole[5000] as number) ^ 1), /damaged/],
      [() => whole.subarray(0, whole.length - 9), /not whole/],
      [() => Buffer.concat([whole.subarray(0, 8192), whole.subarray(-64)]), /cut short/],
      [() => new Uint8Array(0), /Invalid argument/],
    ] as const) {
      writeFileSync(path, hurt());
      await expectRefused(takeHurt(), reason);
    }
    truncateSync(path, 0);
    rmSync(path);
    await expectRefused(takeHurt(), /No such file/);
    // and nothing of that hurts a session
    await session.takeWhole(prompt, file, "this document", { policy, budgetEntries });
    expect((await session.generate({ sampling: greedy, maxTokens: 5 })).tokens).toBe(5);
    await session.dispose();
  });
});

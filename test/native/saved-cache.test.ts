import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import { SavedCacheRefused } from "../../core/engine/saved-cache.js";
import type { Engine, Prompt, Sampling } from "../../core/engine/types.js";
import { someTokens, writeRandomModel } from "../support/gguf.js";
import { largestDifference, loadDefaultEngine, openSession, promptOf, textTokens, tinyModel } from "./support.js";

const greedy: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1.1, seed: 1 };
const folder = mkdtempSync(join(tmpdir(), "precis-saved-"));
const file = join(folder, "document.kv");
let engine: Engine;
let prompt: Prompt;
let answer: string;
let logits: Float32Array;
/** Positions by layer and KV head. */
const kept: Uint32Array[][] = [];

beforeAll(async () => {
  engine = await loadDefaultEngine();
  prompt = promptOf(textTokens(engine, 700));
  const session = await openSession(engine);
  const policy = createPolicy("dynamickv");
  await session.read(prompt, {
    policy,
    budgetEntries: 100 * 30,
    kvType: "q8_0",
    onKept: (list) => kept.push([...list]),
  });
  await session.save(file, "this document");
  logits = session.logits();
  answer = (await session.generate({ sampling: greedy, maxTokens: 40 })).text;
  await session.dispose();
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await engine?.dispose();
});

describe("a saved cache", () => {
  it("gives the same greedy answer as the run that wrote it, from a fraction of the bytes", async () => {
    const session = await openSession(engine);
    const resumed = await session.resume(prompt, file, "this document", { kvType: "q8_0" });
    expect(resumed.sameWindow).toBe(true);
    expect(largestDifference(session.logits(), logits)).toBe(0);
    expect((await session.generate({ sampling: greedy, maxTokens: 40 })).text).toBe(answer);
    await session.dispose();
    expect(resumed.kv.retainedBytes).toBe(100 * 30 * engine.model.kvHeads * 136);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(file).size).toBeLessThan(resumed.kv.retainedBytes + 300_000);
  });

  it("tells of the same positions as the run that wrote it, and goes on with an answer that is begun for it", async () => {
    const session = await openSession(engine);
    const again: Uint32Array[][] = [];
    const options = { kvType: "q8_0", onKept: (list: readonly Uint32Array[]) => again.push([...list]) } as const;
    const { kv } = await session.resume(prompt, file, "this document", options);
    expect(again).toEqual(kept);
    expect(again).toHaveLength(30);
    const entries = again.map((heads) => heads.reduce((sum, { length }) => sum + length, 0) / heads.length);
    expect(entries.map((count) => count + prompt.windowTokens)).toEqual(kv.layers.map(({ tokens }) => tokens));
    // the penalty begins anew with what the model writes itself
    const sampling = { ...greedy, repeatPenalty: 1 };
    const whole = await session.generate({ sampling, maxTokens: 40 });
    const first = whole.text.slice(0, whole.text.indexOf(" ", 20));
    const begin = engine.tokenize(first);
    await session.resume(prompt, file, "this document", options);
    const { text } = await session.generate({ begin, sampling, maxTokens: 40 - begin.length });
    await session.dispose();
    expect(first + text).toBe(whole.text);
  });

  it("reads another window on the saved entries: the logits are those of decoding it there token by token", async () => {
    const other = promptOf(Uint32Array.from([...prompt.tokens.slice(0, 684), ...textTokens(engine, 40).slice(15)]), 25);
    const session = await openSession(engine);
    const resumed = await session.resume(other, file, "this document", { kvType: "q8_0" });
    expect(resumed.sameWindow).toBe(false);
    const read = session.logits();
    await session.dispose();

    const single = promptOf(other.tokens.slice(0, 685), 1);
    const again = await openSession(engine);
    await again.resume(single, file, "this document", { kvType: "q8_0" });
    const fed = await again.feed(other.tokens.slice(685));
    await again.dispose();
    const last = fed.slice(-read.length);
    // one batch of 25 against 25 of one: other kernels
    expect(largestDifference(read, last)).toBeLessThan(1);
    expect(read.indexOf(Math.max(...read))).toBe(last.indexOf(Math.max(...last)));
  });

  it("is refused when it is damaged, cut short, of something else or missing, and the session can still read", async () => {
    const whole = readFileSync(file);
    const bad = join(folder, "bad.kv");
    const session = await openSession(engine);
    const refused = async (why: RegExp, identity = "this document") => {
      const error = await session.resume(prompt, bad, identity, { kvType: "q8_0" }).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(SavedCacheRefused);
      expect(error.message).toMatch(why);
    };
    await refused(/there is none/);
    for (const at of [20, Math.floor(whole.length / 2), whole.length - 60]) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] as number) ^ 1;
      writeFileSync(bad, damaged);
      await refused(/damaged/);
    }
    for (const length of [0, 11, 5000, whole.length - 1]) {
      writeFileSync(bad, whole);
      truncateSync(bad, length);
      await refused(/cut short/);
    }
    writeFileSync(bad, Buffer.concat([Buffer.from("%PDF-1.7"), whole.subarray(8)]));
    await refused(/not a saved cache/);
    writeFileSync(bad, Buffer.concat([whole.subarray(0, 8), Buffer.from([9, 0, 0, 0]), whole.subarray(12)]));
    await refused(/version 9/);
    writeFileSync(bad, whole);
    await refused(/another document/, "another");
    // whole and of this name, yet stored in another type
    await expect(session.resume(prompt, file, "this document", { kvType: "f16" })).rejects.toThrow(/does not fit/);

    await session.read(prompt, { policy: createPolicy("dynamickv"), budgetEntries: 100 * 30, kvType: "q8_0" });
    expect((await session.generate({ sampling: greedy, maxTokens: 40 })).text).toBe(answer);
    await session.dispose();
  });

  it("holds sliding-window layers too", async () => {
    const path = join(folder, "gemma3.gguf");
    writeRandomModel(path, { ...tinyModel, architecture: "gemma3", context: 4096 });
    const gemma = await loadEngine(path, "gemma3");
    const tokens = someTokens(1900);
    const long = { tokens, headTokens: 4, windowTokens: 16 };
    const first = await openSession(gemma);
    await first.read(long, { policy: createPolicy("dynamickv"), budgetEntries: 200 * gemma.model.fullLayers });
    const saved = join(folder, "gemma3.kv");
    await first.save(saved, "gemma");
    const expected = await first.feed(tokens.slice(0, 30));
    await first.dispose();
    const second = await openSession(gemma);
    await second.resume(long, saved, "gemma", {});
    expect(largestDifference(await second.feed(tokens.slice(0, 30)), expected)).toBe(0);
    await second.dispose();
    await gemma.dispose();
  });
});

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Policy } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { KvType } from "../../core/engine/kv.js";
import { choose, record, replay } from "../../core/engine/replay.js";
import type { Engine } from "../../core/engine/types.js";
import { someTokens, writeRandomModel } from "../support/gguf.js";
import { largestDifference, openSession, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tokens = someTokens(700);
const prompt = { tokens, headTokens: 4, windowTokens: 16 };
const following = tokens.slice(0, 8);

describe.each(["llama", "gemma3"] as const)("a choice made on a recorded reading (%s)", (architecture) => {
  let engine: Engine;
  beforeAll(async () => {
    const path = join(folder, `${architecture}.gguf`);
    writeRandomModel(path, { ...tinyModel, architecture });
    engine = await loadEngine(path, architecture);
  });
  afterAll(async () => await engine?.dispose());

  /** Every number that reading, or replaying, and eight more tokens give. */
  const really = async (policy: Policy, budgetEntries: number, kvType: KvType) => {
    const session = await openSession(engine);
    const { kv } = await session.read(prompt, { policy, budgetEntries, kvType });
    const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
    await session.dispose();
    return { logits, kv };
  };

  it.each(["f16", "q8_0"] as const)(
    "gives the logits of reading with that policy and budget, stored in %s",
    async (kvType) => {
      const session = await openSession(engine);
      const recording = structuredClone(await record(session, prompt, createPolicy("dynamickv"), { kvType }));
      const compare = async (policy: Policy, share: number) => {
        const entries = Math.floor(share * tokens.length) * engine.model.fullLayers;
        const kept = choose(engine.model, prompt, recording.scores, policy, entries);
        const { kv } = await replay(session, recording, kept);
        const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
        const expected = await really(policy, entries, kvType);
        expect(largestDifference(logits, expected.logits), `${policy.name} ${share}`).toBe(0);
        expect(kv.layers).toEqual(expected.kv.layers);
        return logits;
      };
      const quarter = await compare(createPolicy("dynamickv"), 0.25);
      const little = await compare(createPolicy("dynamickv"), 0.05);
      expect(largestDifference(quarter, little)).toBeGreaterThan(0);
      // a policy that reads no scores can stand on those of any other
      await compare(createPolicy("streaming-llm"), 0.05);
      // KV heads that keep different numbers of entries
      await compare(createPolicy("ada-kv", { reduction: "max" }), 0.1);
      await session.dispose();
    },
  );
});

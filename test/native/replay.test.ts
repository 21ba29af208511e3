import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { KvType } from "../../core/engine/kv.js";
import { choose, record, replay } from "../../core/engine/replay.js";
import type { Engine } from "../../core/engine/types.js";
import { writeRandomModel } from "../support/gguf.js";
import { largestDifference, openSession, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-replay-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tokens = Uint32Array.from({ length: 700 }, (_, index) => 3 + ((index * 7919) % 256));
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
  const really = async (name: string, budgetEntries: number, kvType: KvType) => {
    const session = await openSession(engine);
    const { kv } = await session.read(prompt, { policy: createPolicy(name), budgetEntries, kvType });
    const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
    await session.dispose();
    return { logits, kv };
  };

  it.each(["f16", "q8_0"] as const)(
    "gives the logits of reading with that policy and budget, stored in %s",
    async (kvType) => {
      const session = await openSession(engine);
      const recording = structuredClone(await record(session, prompt, createPolicy("dynamickv"), { kvType }));
      const compare = async (name: string, share: number) => {
        const entries = Math.floor(share * tokens.length) * engine.model.fullLayers;
        const kept = choose(engine.model, prompt, recording.scores, createPolicy(name), entries);
        const { kv } = await replay(session, recording, kept);
        const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
        const expected = await really(name, entries, kvType);
        expect(largestDifference(logits, expected.logits), `${name} ${share}`).toBe(0);
        expect(kv.layers).toEqual(expected.kv.layers);
        return logits;
      };
      const quarter = await compare("dynamickv", 0.25);
      const little = await compare("dynamickv", 0.05);
      expect(largestDifference(quarter, little)).toBeGreaterThan(0);
      // a policy that reads no scores can stand on those of any other
      await compare("streaming-llm", 0.05);
      await session.dispose();
    },
  );
});

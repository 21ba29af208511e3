import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPolicy } from "../../core/compression/registry.js";
import type { Engine } from "../../core/engine/types.js";
import { loadDefaultEngine, openSession, promptOf, textTokens } from "./support.js";

let engine: Engine;
beforeAll(async () => {
  engine = await loadDefaultEngine();
});
afterAll(async () => await engine?.dispose());

describe("cancelling", () => {
  it("ends reading within 250 ms at any moment, and the session can read again", async () => {
    const session = await openSession(engine);
    for (const policy of [createPolicy("dynamickv"), createPolicy("full")]) {
      for (const after of [5, 120, 900]) {
        const controller = new AbortController();
        let cancelledAt = 0;
        setTimeout(() => {
          cancelledAt = performance.now();
          controller.abort();
        }, after);
        const reading = session.read(promptOf(textTokens(engine, 5000)), {
          policy,
          budgetEntries: 300 * engine.model.layers,
          signal: controller.signal,
        });
        await expect(reading).rejects.toMatchObject({ code: "cancelled" });
        expect(performance.now() - cancelledAt, `${policy.name} after ${after} ms`).toBeLessThan(250);
      }
    }
    const { tokens } = await session.read(promptOf(textTokens(engine, 100)), {
      policy: createPolicy("full"),
      budgetEntries: 0,
    });
    expect(tokens).toBe(100);
    await session.dispose();
  });

  it("ends writing within 250 ms and frees everything", async () => {
    const session = await openSession(engine);
    await session.read(promptOf(textTokens(engine, 600)), { policy: createPolicy("full"), budgetEntries: 0 });
    const controller = new AbortController();
    let cancelledAt = 0;
    const writing = session.generate({
      sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 3 },
      maxTokens: 2000,
      signal: controller.signal,
      onText: () => {
        if (cancelledAt > 0) return;
        cancelledAt = performance.now();
        controller.abort();
      },
    });
    await expect(writing).rejects.toMatchObject({ code: "cancelled" });
    expect(performance.now() - cancelledAt).toBeLessThan(250);
    await session.dispose();
  });

  it("reports progress at least twice a second, never backwards", async () => {
    const session = await openSession(engine);
    const seen: { at: number; fraction: number }[] = [];
    await session.read(promptOf(textTokens(engine, 2000)), {
      policy: createPolicy("dynamickv"),
      budgetEntries: 200 * engine.model.layers,
      onProgress: ({ fraction }) => seen.push({ at: performance.now(), fraction }),
    });
    await session.dispose();
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.at(-1)?.fraction).toBe(1);
    for (const [index, { at, fraction }] of seen.entries()) {
      const last = seen[index - 1];
      if (last === undefined) continue;
      expect(at - last.at).toBeLessThan(500);
      expect(fraction).toBeGreaterThanOrEqual(last.fraction);
    }
  });
});

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import { someTokens, writeRandomModel } from "../support/gguf.js";
import { rss } from "../support/rss.js";
import { shapedModel } from "../support/shapes.js";
import { keepEverything, largestDifference, openSession, promptOf, stockLogits, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-models-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a tiny model with random weights", () => {
  for (const architecture of ["llama", "qwen2", "qwen3", "phi3", "smollm3", "granite", "mistral3", "gemma3"] as const) {
    it(`of architecture ${architecture} has stock llama.cpp's logits, read plainly and layer by layer`, async () => {
      const path = join(folder, `${architecture}.gguf`);
      writeRandomModel(path, { ...tinyModel, architecture });
      const engine = await loadEngine(path, architecture);
      expect(engine.model).toMatchObject({ architecture, layers: 12, queryHeads: 4, kvHeads: 2, keySize: 64 });
      const tokens = someTokens(700);
      const [prompt, following] = [tokens.slice(0, 690), tokens.slice(690)];
      const stock = stockLogits(engine, prompt, following);
      const vocabulary = stock.length / (1 + following.length);
      for (const policy of [createPolicy("full"), keepEverything]) {
        const session = await openSession(engine);
        await session.read(promptOf(prompt), { policy, budgetEntries: 0, hiddenType: "f32" });
        expect(largestDifference(session.logits(), stock.slice(0, vocabulary)), policy.name).toBe(0);
        expect(largestDifference(await session.feed(following), stock.slice(vocabulary)), policy.name).toBe(0);
      }
      await engine.dispose();
    });
  }

  it.runIf(process.platform === "linux")(
    "does not lie in memory twice where llama.cpp repacks its weights",
    async () => {
      // q4_0 is repacked, all but embeddings and norms; f16 is computed with from the file's own pages
      for (const [weights, most, least] of [
        ["q4_0", 0.5, 0],
        ["f16", 1.1, 0.8],
      ] as const) {
        const path = join(folder, `${weights}.gguf`);
        writeRandomModel(path, { ...tinyModel, architecture: "llama", weights, layers: 24 });
        const engine = await loadEngine(path, weights);
        const resident = residentOf(path) / statSync(path).size;
        await engine.dispose();
        expect(resident, weights).toBeLessThan(most);
        expect(resident, weights).toBeGreaterThanOrEqual(least);
      }
    },
  );

  it.runIf(process.platform === "linux")("does not do so while it is loaded either", async () => {
    const path = join(folder, "large.gguf");
    writeRandomModel(path, shapedModel("llama-3.1-8b-like", { layers: 6 }));
    const before = rss("VmRSS");
    // from here on the highest count is a new one (Linux, proc(5))
    writeFileSync("/proc/self/clear_refs", "5");
    const engine = await loadEngine(path, "large");
    const most = (rss("VmHWM") - before) / statSync(path).size;
    await engine.dispose();
    expect(most).toBeLessThan(1.4);
    expect(most).toBeGreaterThan(0.9);
  });

  it("of an architecture that cannot be read in groups is refused by name, and read the plain way when asked to", async () => {
    const path = join(folder, "internlm2.gguf");
    writeRandomModel(path, { ...tinyModel, architecture: "internlm2" });
    const engine = await loadEngine(path, "internlm2");
    const tokens = someTokens(300);
    const [prompt, following] = [tokens.slice(0, 290), tokens.slice(290)];
    const session = await openSession(engine);
    await expect(
      session.read(promptOf(prompt), { policy: createPolicy("dynamickv"), budgetEntries: 1200 }),
    ).rejects.toMatchObject({
      code: "model-unsupported",
      message: expect.stringMatching(/'internlm2' is not supported/),
      next: expect.stringMatching(/policy "full"/),
    });
    const { kv } = await session.read(promptOf(prompt), { policy: createPolicy("full"), budgetEntries: 0 });
    expect(kv.retainedBytes).toBeGreaterThanOrEqual(290 * 12 * 2 * 2 * (64 + 64));
    const logits = Float32Array.from([...session.logits(), ...(await session.feed(following))]);
    expect(largestDifference(logits, stockLogits(engine, prompt, following))).toBe(0);
    await engine.dispose();
  });
});

/** Resident bytes of a file's mappings. */
function residentOf(path: string): number {
  const mappings = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  const sizes = mappings
    .filter((mapping) => mapping.includes(path))
    .map((mapping) => /^Rss:\s+(\d+)/m.exec(mapping)?.[1]);
  return sizes.reduce((total, size) => total + 1024 * Number(size), 0);
}

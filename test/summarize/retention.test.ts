import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type SourceDocument, textPage } from "../../core/documents/document.js";
import { planReading, sourceOf } from "../../core/summarize/reading.js";
import { KeptOfPart, retentionOf, sharesKept } from "../../core/summarize/retention.js";
import { fakeEngine } from "../support/fake-engine.js";

const ascending = (positions: Iterable<number>) => Uint32Array.from([...new Set(positions)].sort((a, b) => a - b));
const bytesOf = (base64: string) => [...Buffer.from(base64, "base64")];

describe("what a layer keeps of stretches of the text", () => {
  test("is all or nothing where all or nothing is kept, in every head", () => {
    const half = ascending(Array.from({ length: 50 }, (_, index) => 10 + index));
    expect([...sharesKept([half, half], 10, 110, 4)]).toEqual([255, 255, 0, 0]);
    expect([...sharesKept([half, new Uint32Array(0)], 10, 110, 4)]).toEqual([128, 128, 0, 0]);
  });

  test("counts each position in one stretch, and hides none that is kept", () => {
    const tokens = fc.integer({ min: 1, max: 400 });
    const kept = fc.array(fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 80 }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        tokens,
        fc.integer({ min: 0, max: 200 }),
        kept,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (size, from, lists, some) => {
          const columns = Math.max(1, Math.round(some * size));
          const heads = lists.map(ascending);
          const shares = sharesKept(heads, from, from + size, columns);
          expect(shares).toHaveLength(columns);
          const inside = new Set(heads.flatMap((list) => [...list]).filter((at) => at >= from && at < from + size));
          const columnsOf = new Set([...inside].map((at) => Math.floor(((at - from) * columns) / size)));
          expect(new Set([...shares.keys()].filter((column) => (shares[column] as number) > 0))).toEqual(columnsOf);
        },
      ),
    );
  });

  test.each([
    [30, 3, 8_000],
    [80, 8, 128_000],
  ])("of %i layers with %i heads and %i tokens takes less than 50 ms of the processor", (layers, heads, tokens) => {
    // 6.9 %, each head its own
    const lists = Array.from({ length: heads }, (_, head) =>
      Uint32Array.from({ length: Math.floor(tokens * 0.069) }, (_, index) => Math.floor(index / 0.069) + (head % 7)),
    );
    const once = () => {
      const started = process.cpuUsage();
      for (let layer = 0; layer < layers; layer++) sharesKept(lists, 12, tokens, 512);
      return process.cpuUsage(started).user / 1000;
    };
    expect(Math.min(once(), once(), once())).toBeLessThan(50);
  });
});

describe("the picture of a run", () => {
  const document: SourceDocument = {
    path: "/book.pdf",
    title: "Book",
    kind: "pdf",
    unit: "page",
    pages: Array.from({ length: 20 }, (_, index) => textPage(index + 1, index === 4 ? "" : "word ".repeat(100).trim())),
    warnings: [],
  };
  const options = { budget: "25%", policy: "dynamickv", length: "short", seed: 0, temperature: 0 } as const;
  const planning = { availableBytes: 2 ** 40, alone: true };

  test("is in proportion to the text, and says where each page with text begins", async () => {
    const engine = fakeEngine();
    const reading = await planReading(engine, sourceOf(engine, document), options, planning);
    const [part] = reading.chapters[0]?.parts ?? [];
    if (!part) throw new Error("There is no part.");
    const kept = new KeptOfPart({ tokens: new Uint32Array(1_920), headTokens: 8, windowTokens: 12 }, part, part.tokens);
    const firstHalf = Uint32Array.from({ length: 958 }, (_, index) => index);
    for (let layer = 0; layer < 2; layer++) kept.add([firstHalf]);
    const picture = retentionOf(engine, [reading], 2, [kept.shares]);
    expect(picture?.columns).toBe(512);
    const bytes = bytesOf(picture?.shares ?? "");
    expect(bytes).toHaveLength(2 * 512);
    expect(bytes.slice(0, 256)).toEqual(Array(256).fill(255));
    expect(bytes.slice(257, 512)).toEqual(Array(255).fill(0));
    expect(picture?.pages.map(({ page }) => page)).toEqual([
      1,
      2,
      3,
      4,
      ...Array.from({ length: 15 }, (_, n) => n + 6),
    ]);
    expect(picture?.pages[1]?.at).toBeCloseTo(512 / 19, 1);
  });

  test("has the parts side by side, the context before a part left out", async () => {
    const engine = fakeEngine({ contextLength: 1_500 });
    const reading = await planReading(engine, sourceOf(engine, document), options, planning);
    const parts = reading.chapters.flatMap((chapter) => chapter.parts);
    expect(parts.length).toBeGreaterThan(1);
    const total = parts.reduce((sum, { tokens }) => sum + tokens, 0);
    const kept = parts.map((part, index) => {
      const one = new KeptOfPart(
        { tokens: new Uint32Array(20 + 40 + part.tokens), headTokens: 8, windowTokens: 12 },
        part,
        total,
      );
      // of each part's own tokens: all of the first, none of the others, though all of their context
      const all = Uint32Array.from({ length: index === 0 ? 60 + part.tokens : 48 }, (_, at) => at);
      one.add([all]);
      return one.shares;
    });
    const picture = retentionOf(engine, [reading], 1, kept);
    const bytes = bytesOf(picture?.shares ?? "");
    const first = bytesOf(kept[0] ?? "").length;
    expect(first / bytes.length).toBeCloseTo((parts[0]?.tokens ?? 0) / total, 1);
    expect(bytes.slice(0, first)).toEqual(Array(first).fill(255));
    expect(bytes.slice(first).every((share) => share === 0)).toBe(true);
    expect(new Set(picture?.pages.map(({ page }) => page)).size).toBe(picture?.pages.length);
    expect(picture?.pages).toHaveLength(19);
  });

  test("is not drawn where a part has none", async () => {
    const engine = fakeEngine();
    const reading = await planReading(engine, sourceOf(engine, document), options, planning);
    expect(retentionOf(engine, [reading], 2, [undefined])).toBeUndefined();
  });
});

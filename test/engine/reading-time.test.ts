import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ReadingTime, type ReadingWork, workAt } from "../../core/engine/reading-time.js";

/** Layers of `tokens`, and the next one up to `within`. */
const work = (layers: number, tokens: number, within = 0): ReadingWork => ({
  tokens: layers * tokens + within,
  squares: layers * tokens ** 2 + within ** 2,
});

describe("the time that reading will take", () => {
  it("is unknown before anything was read", () => {
    expect(new ReadingTime(1e-4).of(work(1, 100))).toBeUndefined();
  });

  it("tells weights from attention by how time grows within layers, and so foresees layers that fewer tokens go through", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.integer({ min: 2000, max: 40_000 }),
        (perToken, off, tokens) => {
          const ratio = 1e-4;
          const takes = ({ tokens: n, squares }: ReadingWork) => perToken * (n + off * ratio * squares);
          const time = new ReadingTime(ratio);
          for (let part = 1; part <= 40; part++) {
            const [layers, within] = [Math.floor(part / 8), ((part % 8) * tokens) / 8];
            const done = work(layers, tokens, within);
            time.add(done, layers, takes(done));
          }
          const fewer = work(20, Math.round(tokens / 3));
          expect((time.of(fewer) as number) / takes(fewer)).toBeCloseTo(1, 3);
        },
      ),
    );
  });

  it("goes by the multiply-adds where whole layers alone were seen", () => {
    const time = new ReadingTime(1e-3);
    for (const layers of [1, 2, 3]) time.add(work(layers, 1000), layers, layers * 2000);
    expect(time.of(work(1, 1000))).toBeCloseTo(2000, 6);
    // half of the weights' time and a quarter of the rest's
    expect(time.of(work(1, 500))).toBeCloseTo(500 + 250, 6);
  });

  it("goes by the last layers where the machine has become slower", () => {
    const time = new ReadingTime(1e-3);
    for (let layers = 1; layers <= 10; layers++) {
      time.add(work(layers, 1000), layers, layers <= 5 ? layers * 1000 : 5000 + (layers - 5) * 3000);
    }
    expect(time.of(work(1, 1000))).toBeCloseTo(3000, 6);
  });

  it("takes a stall for no more than slow attention or slow weights", () => {
    for (const stalled of [0.1, 1]) {
      const time = new ReadingTime(1e-4);
      for (const within of [0.1, 0.4, 0.7, 1]) {
        const done = work(0, 0, 10_000 * within);
        time.add(done, 0, done.tokens + 1e-4 * done.squares + (within >= stalled ? 60_000 : 0));
      }
      const [few, all] = [time.of(work(1, 3000)) as number, time.of(work(1, 10_000)) as number];
      expect(few / all).toBeGreaterThan(0.09);
      expect(few / all).toBeLessThan(0.3);
    }
  });
});

describe("what is read and left", () => {
  const costs = { weights: 10, projections: 2, others: 0.001 };
  const through = [4096, 4096, 1024, 1024];

  it("is all of it, whatever was read, with the last layer's queries, keys and values alone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_240 }), fc.constantFrom(1, 2), (progress, together) => {
        const { done, left } = workAt(progress, through, together, costs);
        expect(done.tokens + left.tokens).toBeCloseTo(4096 + 4096 + 1024 + 0.2 * 1024, 6);
        expect(done.squares + left.squares).toBeCloseTo(2 * 4096 ** 2 + 1024 ** 2, 3);
      }),
    );
  });

  it("goes layer by layer, or through a group's layers at once, with half of the batch at work", () => {
    expect(workAt(4096 + 1024, through, 1, costs)).toMatchObject({
      done: { tokens: 4096 + 1024 + 256, squares: 4096 ** 2 + 1280 ** 2 },
      layersRead: 1,
    });
    expect(workAt(2048, through, 2, costs)).toMatchObject({
      done: { tokens: 2 * (1024 + 256), squares: 2 * 1280 ** 2 },
      layersRead: 0,
    });
    expect(workAt(10_240, through, 2, costs)).toMatchObject({ left: { tokens: 0, squares: 0 }, layersRead: 4 });
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  colourRamp,
  keptByPage,
  movedPoint,
  parseColour,
  passageAround,
  pixelsOf,
  placeAt,
  type RetentionMap,
  retentionMap,
  rulerTicks,
  tints,
  tintsOf,
} from "../../renderer/view/retention.js";

const grey = Uint8ClampedArray.from({ length: 3 * 256 }, (_, index) => Math.floor(index / 3));

const mapOf = (
  layers: number,
  columns: number,
  share: (layer: number, column: number) => number,
  pages: RetentionMap["pages"] = [],
): RetentionMap => ({
  layers,
  columns,
  shares: Uint8Array.from({ length: layers * columns }, (_, at) => share(Math.floor(at / columns), at % columns)),
  pages,
});

/** The first channel of each pixel. */
const levels = (pixels: Uint8ClampedArray) => [...pixels].filter((_, index) => index % 4 === 0);

const sizes = fc.record({
  layers: fc.integer({ min: 1, max: 40 }),
  columns: fc.integer({ min: 1, max: 80 }),
  width: fc.integer({ min: 1, max: 120 }),
  height: fc.integer({ min: 1, max: 60 }),
});

describe("the pixels", () => {
  it("are the map itself where each cell is one", () => {
    const map = mapOf(3, 4, (layer, column) => 60 * layer + column);
    expect(levels(pixelsOf(map, 4, 3, grey))).toEqual([...map.shares]);
  });

  it("repeat cells that are larger, and average those that are smaller", () => {
    const map = mapOf(2, 2, (layer, column) => 100 * layer + 50 * column);
    expect(levels(pixelsOf(map, 4, 4, grey))).toEqual([
      0, 0, 50, 50, 0, 0, 50, 50, 100, 100, 150, 150, 100, 100, 150, 150,
    ]);
    expect(levels(pixelsOf(map, 1, 1, grey))).toEqual([75]);
    expect(levels(pixelsOf(map, 2, 1, grey))).toEqual([50, 100]);
  });

  it("fill every size, lie between the least and the most, and are opaque", () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 999 }), ({ layers, columns, width, height }, seed) => {
        const map = mapOf(layers, columns, (layer, column) => (seed + 37 * layer + 11 * column) % 200);
        const pixels = pixelsOf(map, width, height, grey);
        expect(pixels).toHaveLength(4 * width * height);
        const [least, most] = [Math.min(...map.shares), Math.max(...map.shares)];
        expect(levels(pixels).every((level) => level >= least && level <= most)).toBe(true);
        expect(pixels.every((value, index) => index % 4 !== 3 || value === 255)).toBe(true);
      }),
    );
  });

  it.each([
    [30, 512],
    [80, 512],
  ])("of %i layers and %i stretches on a large screen take less than 50 ms of the processor", (layers, columns) => {
    const map = mapOf(layers, columns, (layer, column) => (layer * column) % 256);
    const once = () => {
      const started = process.cpuUsage();
      pixelsOf(map, 2_400, 480, grey);
      return process.cpuUsage(started).user / 1000;
    };
    expect(Math.min(once(), once(), once())).toBeLessThan(50);
  });
});

describe("the colours", () => {
  it("go in one hue from one end to the other, every step darker than the last", () => {
    const ramp = colourRamp([0.96, 0.01, 195], [0.36, 0.085, 195]).map(parseColour);
    expect(ramp[0]).toEqual([0.96, 0.01, 195]);
    expect(ramp[255]?.[0]).toBeCloseTo(0.36);
    for (let share = 1; share < 256; share++) expect(ramp[share]?.[0]).toBeLessThan(ramp[share - 1]?.[0] as number);
    expect(new Set(ramp.map(([, , hue]) => hue))).toEqual(new Set([195]));
  });

  it("are read from a style sheet", () => {
    expect(parseColour(" oklch(0.955 0.008 195)")).toEqual([0.955, 0.008, 195]);
    expect(parseColour("oklch(95.5% .008 195)")).toEqual([0.955, 0.008, 195]);
  });
});

describe("places", () => {
  const pages = [1, 2, 3, 4].map((page, index) => ({ document: 0, page, at: 2.5 * index }));
  const map = mapOf(4, 10, (layer, column) => (column < 5 ? 255 : 51 * layer), pages);

  it("name the layer, the page and what is kept there", () => {
    expect(placeAt(map, { x: 0, y: 0 })).toEqual({ layer: 0, page: pages[0], within: 0.2, share: 1, everywhere: 1 });
    expect(placeAt(map, { x: 0.99, y: 0.99 })).toMatchObject({ layer: 3, page: pages[3], share: 0.6 });
    expect(placeAt(map, { x: 0.99, y: 0.99 }).everywhere).toBeCloseTo(0.3);
    expect(placeAt(map, { x: 7, y: -3 })).toMatchObject({ layer: 0, page: pages[3] });
  });

  it("are reached by the arrow keys, page by page and layer by layer, and not beyond the ends", () => {
    let point = { x: 0, y: 0 };
    const visited = [];
    for (let steps = 0; steps < 5; steps++) {
      visited.push(placeAt(map, point).page?.page);
      point = movedPoint(map, point, "ArrowRight") ?? point;
    }
    expect(visited).toEqual([1, 2, 3, 4, 4]);
    point = movedPoint(map, point, "ArrowDown") ?? point;
    expect(placeAt(map, point).layer).toBe(1);
    for (let steps = 0; steps < 9; steps++) point = movedPoint(map, point, "ArrowLeft") ?? point;
    expect(placeAt(map, point)).toMatchObject({ layer: 1, page: { page: 1 } });
    expect(movedPoint(map, point, "Enter")).toBeUndefined();
  });

  it("show the words around them, whole words and no more than fit", () => {
    const text = Array.from({ length: 200 }, (_, index) => `word${index}`).join(" ");
    expect(passageAround(text, 0)).toMatch(/^word0 word1 .*\d …$/);
    expect(passageAround(text, 1)).toMatch(/^… word\d+ .* word199$/);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.string({ maxLength: 500 }), (within, other) => {
        expect(passageAround(text, within)).toMatch(/^(… )?(word\d+ )+word\d+( …)?$/);
        expect(passageAround(other, within).length).toBeLessThanOrEqual(200);
      }),
    );
  });

  it("add up to each page's share", () => {
    expect(keptByPage(map).map(({ share }) => share)).toEqual([1, 1, expect.closeTo(0.3), expect.closeTo(0.3)]);
  });

  it("give every page a share between nothing and all, even pages smaller than a stretch", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 60 }), (starts) => {
        const many = starts.sort((a, b) => a - b).map((at, index) => ({ document: 0, page: index + 1, at }));
        const kept = keptByPage({ ...map, pages: many });
        expect(kept).toHaveLength(many.length);
        expect(kept.every(({ share }) => share >= 0 && share <= 1)).toBe(true);
      }),
    );
  });

  it("are marked on the ruler at round numbers, the first page always, no two on each other and none cut off", () => {
    const many = Array.from({ length: 300 }, (_, index) => ({ document: 0, page: index + 1, at: index / 30 }));
    const ticks = rulerTicks({ ...map, pages: many }, 8);
    expect(ticks.map(({ page }) => page)).toEqual([1, 50, 100, 150, 200, 250]);
    expect(ticks.every(({ at }) => at >= 0 && at <= 1)).toBe(true);
  });
});

it("is only drawn when it has a row for each layer", () => {
  const shares = btoa(String.fromCharCode(0, 128, 255, 1));
  expect(retentionMap({ columns: 2, shares, pages: [] }, 2)?.shares).toEqual(Uint8Array.of(0, 128, 255, 1));
  expect(retentionMap({ columns: 2, shares, pages: [] }, 3)).toBeUndefined();
  expect(retentionMap({ columns: 0, shares: "", pages: [] }, 0)).toBeUndefined();
});

describe("the tints of a page's words", () => {
  const pages = [
    { document: 0, page: 2, at: 0 },
    { document: 0, page: 5, at: 4 },
  ];
  // of the second page, the third quarter is kept by half of the layers, the last by all
  const map = mapOf(2, 8, (layer, column) => (column === 7 || (column === 6 && layer === 0) ? 255 : 0), pages);
  const words = "aaa bbb ccc ddd ";

  it("are those of the stretches that are kept, and there are none elsewhere", () => {
    expect(tintsOf(map, 0, 5, words)).toEqual([
      { start: 8, end: 12, tint: 2 },
      { start: 12, end: 16, tint: tints.length - 1 },
    ]);
    expect(tintsOf(map, 0, 2, words)).toEqual([]);
    expect(tintsOf(map, 0, 3, words)).toEqual([]);
    expect(tintsOf(map, 1, 5, words)).toEqual([]);
  });

  it("do not cut a word, and cut what has no words", () => {
    expect(tintsOf(map, 0, 5, "aaaaaaaaaaaaa bb")).toEqual([{ start: 14, end: 16, tint: 3 }]);
    const [first] = tintsOf(map, 0, 5, "字".repeat(200));
    expect(first?.start).toBeGreaterThan(90);
    expect(first?.start).toBeLessThan(117);
  });

  it("lie in order within the text, without overlapping", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 0, max: 999 }), (text, seed) => {
        const any = mapOf(3, 9, (layer, column) => (seed * (layer + 1) * (column + 3)) % 256, pages);
        let end = 0;
        for (const one of tintsOf(any, 0, 5, text)) {
          expect(one.start).toBeGreaterThanOrEqual(end);
          expect(one.end).toBeGreaterThan(one.start);
          end = one.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});

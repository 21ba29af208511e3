import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  heightOf,
  layoutOf,
  nextZoom,
  pageGap,
  pageRead,
  pagesBetween,
  pagesToShow,
  pictureScale,
  placeAt,
  shownSize,
  shownSizes,
  zoomSteps,
} from "../../renderer/view/page-layout.js";

const heights = fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 40 });
const letter = { width: 612, height: 792 };

describe("pages under one another", () => {
  it("are in sight exactly when something of them is", () => {
    fc.assert(
      fc.property(
        heights,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 50, max: 2_000 }),
        (all, at, seen) => {
          const layout = layoutOf(all);
          const from = Math.floor(at * Math.max(0, layout.height - seen));
          const to = from + seen;
          const inSight = all.flatMap((height, index) => {
            const top = layout.tops[index]!;
            return top < to && top + height > from ? [index + 1] : [];
          });
          const { first, last } = pagesBetween(layout, from, to);
          expect({ first, last }).toEqual({ first: inSight[0], last: inSight.at(-1) });
        },
      ),
    );
  });

  it("are there with one neighbour on either side", () => {
    expect(pagesToShow({ first: 5, last: 6 }, 1_000)).toEqual([4, 5, 6, 7]);
    expect(pagesToShow({ first: 1, last: 1 }, 1)).toEqual([1]);
    expect(pagesToShow({ first: 1_000, last: 1_000 }, 1_000)).toEqual([999, 1_000]);
  });

  it("keep the place that is read when any of them becomes larger or smaller", () => {
    fc.assert(
      fc.property(
        heights,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 5_000 }),
        (all, at, other) => {
          const layout = layoutOf(all);
          const height = at * (layout.height - 1);
          const place = placeAt(layout, height);
          expect(heightOf(layout, place)).toBeCloseTo(height, 5);
          const changed = layoutOf([other, ...all.slice(1)]);
          expect(placeAt(changed, heightOf(changed, place) + 1e-6).page).toBe(place.page);
        },
      ),
    );
  });

  it("count the last page as read at the end, however short it is", () => {
    const layout = layoutOf([1_000, 1_000, 40]);
    expect(pageRead(layout, 0, 800)).toBe(1);
    expect(pageRead(layout, 900, 1_700)).toBe(2);
    expect(pageRead(layout, layout.height - 800, layout.height)).toBe(3);
  });

  it("go to the first or last page when a place is outside", () => {
    const layout = layoutOf([100, 100]);
    expect(heightOf(layout, { page: 9, at: 0 })).toBe(layout.tops[1]);
    expect(heightOf(layout, { page: 0, at: 0 })).toBe(pageGap);
  });
});

describe("the size of a page", () => {
  it("fits the room that there is, each page for itself", () => {
    const [upright, across] = shownSizes([letter, { width: 792, height: 612 }], "fit", 500);
    expect(upright!.width).toBe(500 - 2 * pageGap);
    expect(across!.width).toBe(500 - 2 * pageGap);
    expect(across!.height).toBeLessThan(upright!.height);
  });

  it("is that of paper at 100 %: 96 pixels an inch", () => {
    expect(shownSize(letter, 1, 300)).toEqual({ width: 816, height: 1_056, zoom: 1 });
  });

  it("never makes a document higher than a browser can show", () => {
    const sizes = shownSizes(
      Array.from({ length: 10_000 }, () => letter),
      4,
      500,
    );
    expect(layoutOf(sizes.map(({ height }) => height)).height).toBeLessThan(2 ** 25);
    expect(sizes[0]!.width / sizes[0]!.height).toBeCloseTo(letter.width / letter.height, 3);
  });

  it("is changed in steps, from any zoom, as far as the first and the last", () => {
    expect(nextZoom(0.93, 1)).toBe(1);
    expect(nextZoom(0.93, -1)).toBe(0.9);
    expect(nextZoom(1, 1)).toBe(1.1);
    expect(nextZoom(4, 1)).toBe(4);
    expect(nextZoom(0.1, -1)).toBe(zoomSteps[0]);
  });

  it("is drawn with fewer pixels when they would fill the memory", () => {
    expect(pictureScale({ width: 816, height: 1_056 }, 2)).toBe(2);
    const scale = pictureScale({ width: 6_000, height: 8_000 }, 2);
    expect(6_000 * scale * 8_000 * scale).toBeLessThanOrEqual(2 ** 24 + 1);
  });
});

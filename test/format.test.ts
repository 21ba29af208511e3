import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatShare } from "../core/format.js";

describe("formatBytes", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1536, "1.5 KiB"],
    [2 ** 20 - 1, "1.0 MiB"],
    [172_800_000, "164.8 MiB"],
    [4 * 2 ** 30, "4.0 GiB"],
    [5 * 2 ** 50, "5120.0 TiB"],
  ])("%d is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it("is never further than half a step of its last digit from the bytes", () => {
    const factors: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 45 }), (bytes) => {
        const [value = "", unit = ""] = formatBytes(bytes).split(" ");
        const factor = factors[unit] as number;
        // Just below a unit's end the next unit's step counts.
        const step = unit === "B" ? 0 : factor * 0.0501;
        expect(Math.abs(Number(value) * factor - bytes)).toBeLessThanOrEqual(step);
        expect(unit === "TiB" || Number(value) < 1024).toBe(true);
      }),
    );
  });
});

describe("formatShare and formatDuration", () => {
  it.each([
    [69, 1000, "6.9%"],
    [3, 3, "100.0%"],
    [0, 0, "0.0%"],
  ])("%d of %d is %s", (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });

  it.each([
    [0, "0.0 s"],
    [9_940, "9.9 s"],
    [9_960, "10 s"],
    [59_600, "1 min 0 s"],
    [200_000, "3 min 20 s"],
    [3_899_000, "1 h 5 min"],
  ])("%d ms is %s", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

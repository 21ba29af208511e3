import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PrecisError } from "../../core/errors.js";
import { firstSettings, steppedZoom, zooms } from "../../electron/first-settings.js";
import { SettingsFile } from "../../electron/settings-file.js";

let folder: string;
let file: string;
let problems: PrecisError[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-settings-"));
  file = join(folder, "settings.json");
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path = file) => new SettingsFile(path, (error) => problems.push(error));

describe("the settings file", () => {
  it("keeps what was changed, and nothing lies beside it", async () => {
    const first = open();
    expect([first.current, first.notice]).toEqual([firstSettings, undefined]);
    first.change({ theme: "dark", share: 6.9 });
    expect(first.change({ scanFolder: "/data" })).toMatchObject({ theme: "dark", share: 6.9, scanFolder: "/data" });
    await first.flush();
    expect(readdirSync(folder)).toEqual(["settings.json"]);
    const again = open();
    expect([again.current, again.notice]).toEqual([
      { ...firstSettings, theme: "dark", share: 6.9, scanFolder: "/data" },
      undefined,
    ]);
    again.change({ scanFolder: undefined });
    await again.flush();
    expect(open().current.scanFolder).toBeUndefined();
  });

  it("is written by itself a moment after a change", async () => {
    open().change({ zoom: 1.25 });
    await expect.poll(() => open().current.zoom, { timeout: 3_000 }).toBe(1.25);
  });

  it.each([
    ["is no JSON", '{"theme": "da'],
    ["is empty", ""],
    ["holds something else", "[1, 2]"],
    ["was overwritten with zeros", "\0".repeat(400)],
  ])("that %s gives the first settings, a notice, and what it held", (_what, text) => {
    writeFileSync(file, text);
    const { current, notice } = open();
    expect(current).toEqual(firstSettings);
    expect(notice).toMatch(/damaged/);
    expect(notice).toContain(`${file}.damaged`);
    expect(readFileSync(`${file}.damaged`, "utf8")).toBe(text);
    expect(open().notice).toBeUndefined();
  });

  it("loses only the settings in it that are none, and names them", () => {
    writeFileSync(file, JSON.stringify({ theme: "purple", zoom: 1.5, proxy: "nowhere", unknown: 1 }));
    const { current, notice } = open();
    expect(current).toEqual({ ...firstSettings, zoom: 1.5 });
    expect(notice).toMatch(/: theme, proxy\./);
  });

  it("that cannot be written is told, and the change counts until the end", async () => {
    writeFileSync(join(folder, "file"), "");
    const settings = open(join(folder, "file", "settings.json"));
    settings.change({ theme: "dark" });
    await settings.flush();
    expect(problems).toHaveLength(1);
    expect(settings.current.theme).toBe("dark");
  });
});

describe("zoom", () => {
  it("goes from one step to the next, also from between two, and stops at the ends", () => {
    expect(steppedZoom(1, 1)).toBe(1.1);
    expect(steppedZoom(1, -1)).toBe(0.9);
    expect(steppedZoom(1.2, 1)).toBe(1.25);
    expect(steppedZoom(zooms[0], -1)).toBe(zooms[0]);
    expect(steppedZoom(2, 1)).toBe(2);
  });
});

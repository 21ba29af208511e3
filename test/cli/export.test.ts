import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addExport } from "../../core/cli/export.js";
import { summaryJson } from "../../core/report/json.js";
import { richAnswers, richResult } from "../report/fixture.js";

describe("precis export", () => {
  let folder = "";
  beforeEach(async () => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    folder = await mkdtemp(join(tmpdir(), "precis-export-"));
    await writeFile(join(folder, "year.json"), summaryJson(richResult(), richAnswers()));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(folder, { recursive: true, force: true });
  });
  const run = (...names: string[]) => {
    const program = new Command();
    addExport(program);
    return program.parseAsync(["export", ...names.map((name) => join(folder, name))], { from: "user" });
  };

  it("writes a saved summary in the formats that the names ask for", async () => {
    await run("year.json", "a.MD", "b.html", "c.docx", "d.json");
    expect(await readFile(join(folder, "a.MD"), "utf8")).toMatch(/\(pages 2, 3 and 7\)[\s\S]*### Who pays\?/);
    expect(await readFile(join(folder, "b.html"), "utf8")).toMatch(/^<!doctype html>/);
    expect((await readFile(join(folder, "c.docx"))).subarray(0, 2).toString()).toBe("PK");
    expect(await readFile(join(folder, "d.json"), "utf8")).toBe(summaryJson(richResult(), richAnswers()));
  });

  it.each([
    ["a type that there is not", ["year.json", "a.md", "b.odt"], "usage", "cannot be written"],
    ["a PDF", ["year.json", "a.md", "b.pdf"], "usage", "window"],
    ["a summary that is not there", ["none.json", "a.md"], "file-missing", "none.json"],
  ])("writes nothing when asked for %s", async (_what, names, code, words) => {
    await expect(run(...names)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(await readdir(folder)).toEqual(["year.json"]);
  });
});

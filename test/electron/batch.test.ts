import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { PrecisError } from "../../core/errors.js";
import { exportSummaries } from "../../electron/batch.js";
import type { StoredRun, Summarised } from "../../electron/contract.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "precis-batch-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const parts = {
  lastRun: async (document: string) =>
    document.includes("none") ? undefined : ({ result: { text: `Of ${document}` } } as StoredRun),
  writeSummary: async (file: string, _format: string, { result: { text } }: Summarised) => {
    if (text.includes("full")) throw new PrecisError("write-failed", "The disk is full.");
    await writeFile(file, text);
  },
};

it("saves each under a name that is free, and overwrites nothing", async () => {
  await writeFile(path.join(folder, "minutes summary.md"), "mine");
  const outcome = await exportSummaries(["/a/minutes.pdf", "/b/minutes.docx", "/c/wall.pdf"], "md", folder, parts);
  const names = ["minutes summary (2).md", "minutes summary (3).md", "wall summary.md"];
  expect(outcome).toEqual({ folder, written: names, failed: [] });
  expect((await readdir(folder)).sort()).toEqual([...names, "minutes summary.md"].sort());
  expect(await readFile(path.join(folder, "minutes summary.md"), "utf8")).toBe("mine");
  expect(await readFile(path.join(folder, "minutes summary (3).md"), "utf8")).toBe("Of /b/minutes.docx");
});

it("names those that could not be saved, and saves the others", async () => {
  const outcome = await exportSummaries(["/none.pdf", "/full.pdf", "/wall.pdf"], "pdf", folder, parts);
  expect(outcome.written).toEqual(["wall summary.pdf"]);
  expect(outcome.failed.map(({ path: file, error }) => [file, error.code])).toEqual([
    ["/none.pdf", "usage"],
    ["/full.pdf", "write-failed"],
  ]);
});

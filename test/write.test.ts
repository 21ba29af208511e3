import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomically } from "../core/write.js";

describe("writeFileAtomically", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "precis-report-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("writes a new file and replaces an old one, leaving nothing beside it", async () => {
    const path = join(folder, "summary.md");
    await writeFileAtomically(path, "first");
    await writeFileAtomically(path, "zwölf €");
    expect(await readFile(path, "utf8")).toBe("zwölf €");
    expect(await readdir(folder)).toEqual(["summary.md"]);
  });

  it("says that the folder is missing", async () => {
    await expect(writeFileAtomically(join(folder, "none", "a.md"), "x")).rejects.toMatchObject({
      code: "write-failed",
      message: expect.stringContaining("folder does not exist"),
      next: expect.stringContaining("folder"),
    });
  });

  it("leaves a folder of that name alone and cleans up", async () => {
    await mkdir(join(folder, "taken"));
    await expect(writeFileAtomically(join(folder, "taken"), "x")).rejects.toMatchObject({ code: "write-failed" });
    expect(await readdir(folder)).toEqual(["taken"]);
  });

  it.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
    "keeps the old file when it may not write",
    async () => {
      const path = join(folder, "kept.md");
      await writeFile(path, "old");
      await chmod(folder, 0o500);
      await expect(writeFileAtomically(path, "new")).rejects.toMatchObject({
        code: "write-failed",
        message: expect.stringContaining("permission"),
      });
      await chmod(folder, 0o700);
      expect(await readFile(path, "utf8")).toBe("old");
    },
  );
});

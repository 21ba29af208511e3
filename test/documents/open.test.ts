import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { MAX_FILE_BYTES, openDocument } from "../../core/documents/open.js";
import { temporaryFolder } from "./folder.js";
import { drawnPdf, words } from "./pdfs.js";

const write = temporaryFolder();
const PNG = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

describe("openDocument tells the format by content", () => {
  it("reads a PDF that is called .txt", async () => {
    const path = await write("report.txt", await drawnPdf([words("The harbour froze.")]));
    expect(await openDocument(path)).toMatchObject({ kind: "pdf", pages: [{ number: 1, text: "The harbour froze." }] });
  });

  it("reads a PDF with other bytes before its header", async () => {
    const pdf = await drawnPdf([words("Late header.")]);
    const path = await write("mail.pdf", Buffer.concat([Buffer.from("Content-Type: application/pdf\r\n\r\n"), pdf]));
    expect((await openDocument(path)).pages[0]?.text).toBe("Late header.");
  });

  it("reads a text that mentions a PDF's header as text", async () => {
    const path = await write("notes.pdf", "A PDF begins with %PDF-1.7 and ends with an end mark.");
    expect((await openDocument(path)).kind).toBe("text");
  });

  it("reads a text that begins like a program as text", async () => {
    const path = await write("MZ.txt", "MZ Motorcycles: a history\n");
    expect((await openDocument(path)).kind).toBe("text");
  });

  it.each([
    ["a PNG picture", "scan.pdf", Buffer.from(PNG, "latin1")],
    ["a JPEG picture", "scan.txt", Buffer.from("\xff\xd8\xff\xe0\0\x10JFIF\0", "latin1")],
    ["a ZIP archive", "things.md", Buffer.from("PK\x03\x04\x14\0\0\0photos/a.jpg", "latin1")],
    ["an Excel workbook (XLSX)", "sums.pdf", Buffer.from("PK\x03\x04\x14\0\0\0xl/workbook.xml", "latin1")],
    ["a GGUF model", "model.txt", Buffer.from("GGUF\x03\0\0\0", "latin1")],
    ["a binary file of an unknown kind", "x.md", Buffer.from([1, 2, 3, 4, 0, 9, 9, 9])],
    ["a binary file of an unknown kind", "y.txt", Buffer.from("\x01\x02\x03 text with control characters", "latin1")],
  ])("refuses %s with its name in the message", async (what, name, bytes) => {
    const path = await write(name, bytes);
    await expect(openDocument(path)).rejects.toMatchObject({
      code: "file-type",
      message: expect.stringContaining(what),
      next: expect.stringContaining("PDF"),
    });
  });
});

describe("openDocument says why a file cannot be read", () => {
  it("missing", async () => {
    const path = join(dirname(await write("here.txt", "x")), "gone.pdf");
    await expect(openDocument(path)).rejects.toMatchObject({ code: "file-missing" });
    await expect(openDocument(join(path, "deeper.pdf"))).rejects.toMatchObject({ code: "file-missing" });
  });

  it("a folder", async () => {
    const folder = join(dirname(await write("here.txt", "x")), "folder.pdf");
    await mkdir(folder);
    await expect(openDocument(folder)).rejects.toMatchObject({
      code: "file-unreadable",
      message: expect.stringContaining("folder"),
    });
  });

  it.skipIf(process.platform === "win32")("a pipe, without waiting for its writer", async () => {
    const path = join(dirname(await write("here.txt", "x")), "pipe");
    execFileSync("mkfifo", [path]);
    await expect(openDocument(path)).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it.skipIf(process.platform === "win32" || process.getuid?.() === 0)("without permission", async () => {
    const path = await write("secret.txt", "secret");
    await chmod(path, 0);
    await expect(openDocument(path)).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it.skipIf(process.platform === "win32")("a link in a circle", async () => {
    const path = join(dirname(await write("here.txt", "x")), "circle");
    await symlink(path, path);
    await expect(openDocument(path)).rejects.toMatchObject({ code: "file-unreadable" });
  });

  it.each([
    ["no bytes", ""],
    ["only a byte-order mark", "\ufeff"],
    ["only white space", " \n\f\n\t "],
  ])("%s", async (_, content) => {
    await expect(openDocument(await write("empty.md", content))).rejects.toMatchObject({ code: "file-empty" });
  });

  it("too large, with the limit", async () => {
    const path = await write("large.pdf", "%PDF-1.7");
    await truncate(path, MAX_FILE_BYTES + 1);
    await expect(openDocument(path)).rejects.toMatchObject({
      code: "file-unreadable",
      message: expect.stringContaining("256 MiB"),
    });
  });

  it("cancelled before it began", async () => {
    const path = await write("a.txt", "text");
    await expect(openDocument(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});

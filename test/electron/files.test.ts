import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pdfDataSchema } from "../../electron/contract.js";
import { documentsIn, pdfData, pdfPart } from "../../electron/files.js";

it("takes documents from a command line, and neither options nor the app's folder", () => {
  const args = ["--no-sandbox", ".", "report.pdf", "/abs/Notes.MD", "--x=y.pdf", "script.js"];
  expect(documentsIn(args, "/home/anna")).toEqual([
    path.resolve("/home/anna/report.pdf"),
    path.resolve("/abs/Notes.MD"),
  ]);
});

describe("bytes of a PDF for the window", () => {
  const sample = "assets/samples/harbour-report.pdf";
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "precis-parts-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const file = async (name: string, content: string | Uint8Array) => {
    const target = path.join(folder, name);
    await writeFile(target, content);
    return target;
  };

  it("are those that were asked for, as far as the file goes", async () => {
    const whole = await readFile(sample);
    const part = await pdfPart(sample, 100, 5_000);
    expect(part?.size).toBe(whole.length);
    expect(whole.subarray(100, 5_000).equals(part!.bytes)).toBe(true);
    const end = await pdfPart(sample, whole.length - 10, whole.length + 90);
    expect(whole.subarray(-10).equals(end!.bytes)).toBe(true);
    expect((await pdfPart(sample, whole.length + 1, whole.length + 9))?.bytes.length).toBe(0);
  });

  it("may have others before them, as PDF readers allow", async () => {
    const target = await file("mail.pdf", Buffer.concat([Buffer.from("from: a mailer\n\n"), await readFile(sample)]));
    expect(await pdfPart(target, 0, 16)).toMatchObject({ bytes: new Uint8Array(Buffer.from("from: a mailer\n\n")) });
  });

  it.each([
    ["notes.pdf", "A text that speaks of %PDF-1.7 and has nothing else to do with it."],
    ["key.txt", "-----BEGIN PRIVATE KEY-----"],
    ["empty.pdf", ""],
  ])("are not handed out of what is no PDF: %s", async (name, content) => {
    expect(await pdfPart(await file(name, content), 0, 100)).toBeUndefined();
  });

  it("of a file that is gone or a folder are an error in words", async () => {
    await expect(pdfPart(path.join(folder, "gone.pdf"), 0, 9)).rejects.toMatchObject({ code: "file-unreadable" });
    await expect(pdfPart(folder, 0, 9)).rejects.toMatchObject({ code: "file-unreadable" });
  });
});

describe("pdf.js' own data", () => {
  it("are its character maps and fonts", async () => {
    expect((await pdfData({ folder: "cmaps", name: "UniJIS-UTF16-H.bcmap" })).length).toBeGreaterThan(100);
    expect((await pdfData({ folder: "standard_fonts", name: "FoxitSymbol.pfb" })).length).toBeGreaterThan(1_000);
  });

  it.each([
    { folder: "cmaps", name: "../package.json" },
    { folder: "cmaps", name: "a/b.bcmap" },
    { folder: "build", name: "pdf.mjs" },
    { folder: "standard_fonts", name: "x.txt" },
  ])("are nothing else: $folder/$name", (wanted) => expect(pdfDataSchema.safeParse(wanted).success).toBe(false));
});

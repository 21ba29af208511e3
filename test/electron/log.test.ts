import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepLog } from "../../electron/log.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "precis-log-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An output that notes what comes through. */
function output() {
  const written: unknown[] = [];
  return { written, write: (chunk: string | Uint8Array) => written.push(chunk) > 0 };
}

it("has what was written to the output, which still gets it, from this start and the one before", async () => {
  const file = path.join(folder, "logs", "precis.log");
  const [one, other] = [output(), output()];
  keepLog(file, "first start", one);
  one.write("It broke.\n");
  keepLog(file, "second start", other);
  other.write(Buffer.from("Again.\n"));
  expect(await readFile(file, "utf8")).toBe("first start\nIt broke.\nsecond start\nAgain.\n");
  expect(one.written).toEqual(["It broke.\n"]);
  expect(other.written).toHaveLength(1);
});

it("is its owner's only, as errors name documents", async () => {
  const file = path.join(folder, "precis.log");
  keepLog(file, "start", output());
  if (process.platform !== "win32") expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it("is begun anew when it has grown too large", async () => {
  const file = path.join(folder, "precis.log");
  await writeFile(file, "x".repeat(2 ** 20 + 1));
  keepLog(file, "start", output());
  expect(await readFile(file, "utf8")).toBe("start\n");
});

it("keeps nothing from being written where there can be no file", () => {
  const shown = output();
  keepLog(path.join(folder, "a\0b", "precis.log"), "start", shown);
  shown.write("It broke.\n");
  expect(shown.written).toEqual(["It broke.\n"]);
});

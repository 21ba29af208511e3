import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { Source } from "../../core/documents/document.js";

/** A folder for one test file's documents, removed after it; returns a function that writes a file and gives its path. */
export function temporaryFolder(): (name: string, content: string | Uint8Array) => Promise<string> {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "precis-documents-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return async (name, content) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
}

/** What a reader is given, as openDocument gives it. */
export function sourceOf(path: string, bytes: Uint8Array): Source {
  return { path, name: basename(path), bytes };
}

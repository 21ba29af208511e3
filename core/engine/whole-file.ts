import { type FileHandle, open, rename, rm } from "node:fs/promises";

/**
 * Writes beside the target (".part-" and the process behind its name, which CacheStore knows) and renames, so that the
 * target is whole or not there. Only the owner may read it.
 * @throws the file system's errors, and what `write` throws
 */
export async function writeWhole(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const part = `${path}.part-${process.pid}`;
  try {
    const file = await open(part, "w", 0o600);
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

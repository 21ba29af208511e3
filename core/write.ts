import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PrecisError } from "./errors.js";
import { said } from "./said.js";

/**
 * Writes a file whole or not at all: into a file beside it, flushed to the disk, then renamed over `path`.
 * What was there before stays until then, and is replaced.
 * @throws PrecisError write-failed
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(content, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined);
    const { reason, next } = explain(thrown);
    throw new PrecisError("write-failed", said`"${path}" could not be written: ${reason}.`, next, { cause: thrown });
  }
}

function explain(thrown: unknown): { reason: string; next: string } {
  switch ((thrown as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR":
      return { reason: said`its folder does not exist`, next: said`Make the folder first, or choose another place.` };
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return { reason: said`you have no permission to write there`, next: said`Choose a folder of your own.` };
    case "ENOSPC":
    case "EDQUOT":
      return { reason: said`the disk is full`, next: said`Free some space, or choose another disk.` };
    case "EISDIR":
      return { reason: said`a folder has that name`, next: said`Choose another name.` };
    default:
      return {
        reason: thrown instanceof Error ? thrown.message : String(thrown),
        next: said`Choose another place and try again.`,
      };
  }
}

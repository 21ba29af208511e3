/** What lies in the models folder beside a model's file: what its bytes were checked against, and what was begun. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";
import { modelsFolder } from "./paths.js";

/** Of a catalogue model. */
export interface ModelFiles {
  readonly path: string;
  /** Says what the file was checked against: CheckedRecord. scripts/setup/model.mjs writes it, too. */
  readonly record: string;
  /** A download that is not whole, and what it is of. */
  readonly part: string;
  readonly note: string;
}

export function filesOf({ file }: { readonly file: string }, folder = modelsFolder()): ModelFiles {
  const path = join(folder, file);
  return { path, record: `${path}.checked.json`, part: `${path}.part`, note: `${path}.part.json` };
}

const recordSchema = z.object({
  sha256: z.string(),
  mtimeMs: z.number(),
  /** Of what came from a hub. */
  bytes: z.number().int().positive().optional(),
  repository: z.string().optional(),
  revision: z.string().optional(),
});
export type CheckedRecord = z.infer<typeof recordSchema>;

/** The JSON in a file, in this form; undefined when it is missing, damaged or of another form. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}

export const readRecord = ({ record }: ModelFiles): Promise<CheckedRecord | undefined> =>
  readJson(record, recordSchema);

/**
 * Whether the file has a GGUF header (ggml's docs/gguf.md) with counts that a model can have. Readers of the format trust
 * the counts: a damaged one sends them through billions of entries that are not there.
 */
export async function startsAsGguf(path: string): Promise<boolean> {
  const file = await open(path, "r").catch((cause) => {
    throw new PrecisError("model-damaged", said`${path} cannot be read.`, said`Check the file's permissions.`, {
      cause,
    });
  });
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(24), 0, 24, 0);
    if (bytesRead < 24 || buffer.toString("latin1", 0, 4) !== "GGUF") return false;
    const version = buffer.readUInt32LE(4);
    const [tensors, entries] = [buffer.readBigUInt64LE(8), buffer.readBigUInt64LE(16)];
    return (version === 2 || version === 3) && tensors > 0n && tensors < 100_000n && entries > 0n && entries < 100_000n;
  } finally {
    await file.close();
  }
}

/** Bytes of a file; undefined when there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.size : undefined;
}

export interface HashOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes read so far. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** The sha256 of a file's bytes. @throws PrecisError cancelled, and the file system's errors */
export async function sha256Of(path: string, { signal, onBytes }: HashOptions = {}): Promise<string> {
  const hash = createHash("sha256");
  let read = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) {
      hash.update(chunk);
      read += chunk.length;
      onBytes?.(read);
    }
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    throw error;
  }
  return hash.digest("hex");
}

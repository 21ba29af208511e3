/** From what the user named (an id, a file, nothing) to a model file that is worth loading. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { cancelled, PrecisError } from "../errors.js";
import { type CatalogueModel, catalogue, catalogueModel } from "./catalogue.js";
import { modelsFolder } from "./paths.js";

/** A model file on this machine. */
export interface FoundModel {
  /** The catalogue's id, or the file's name without ".gguf". */
  id: string;
  /** Absolute path. */
  path: string;
}

const setUp = "Run `npm run setup`, which fetches it.";

/**
 * Finds a model and looks at it quickly: that it is a GGUF file and, for one of the catalogue, that it has its size.
 * @param idOrPath a catalogue id, a path to a .gguf file, or undefined for the default model.
 * @throws PrecisError model-missing, model-damaged
 */
export async function findModel(idOrPath?: string): Promise<FoundModel> {
  const entry = catalogueModel(idOrPath ?? catalogue.default);
  if (entry) {
    const path = join(modelsFolder(), entry.file);
    await checkFile(path, entry);
    return { id: entry.id, path };
  }
  const path = resolve(idOrPath ?? "");
  await checkFile(path);
  return { id: basename(path).replace(/\.gguf$/i, ""), path };
}

async function checkFile(path: string, entry?: CatalogueModel): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) {
    if (entry) throw new PrecisError("model-missing", `The model ${entry.name} is not on this machine.`, setUp);
    const known = catalogue.models.map((model) => model.id).join(", ");
    throw new PrecisError(
      "model-missing",
      `There is no model file at ${path}, and no model of that name is known.`,
      `Name a .gguf file, or one of: ${known}.`,
    );
  }
  if (entry && info.size !== entry.bytes) {
    const sizes = `${info.size} bytes instead of ${entry.bytes}`;
    throw new PrecisError("model-damaged", `The file of the model ${entry.name} is incomplete: ${sizes}.`, setUp);
  }
  if (!(await startsAsGguf(path))) {
    throw new PrecisError(
      "model-damaged",
      `${path} is not a whole GGUF model: its first bytes are something else.`,
      entry ? setUp : "Choose a model file in GGUF format, or download this one again.",
    );
  }
}

/** GGUF files start with their name (gguf.md, "File Structure"). */
/**
 * Whether the file has a GGUF header (ggml's docs/gguf.md) with counts that a model can have. Readers of the format trust
 * the counts: a damaged one sends them through billions of entries that are not there.
 */
async function startsAsGguf(path: string): Promise<boolean> {
  const file = await open(path, "r").catch((cause) => {
    throw new PrecisError("model-damaged", `${path} cannot be read.`, "Check the file's permissions.", { cause });
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

/**
 * Checks every byte of a catalogue model (seconds for a large one).
 * @param onProgress called with the share read so far, 0..1
 * @throws PrecisError usage (not of the catalogue: there is no hash to compare with), model-missing, model-damaged,
 *   cancelled
 */
export async function verifyModel(
  id: string = catalogue.default,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (fraction: number) => void } = {},
): Promise<FoundModel> {
  const entry = catalogueModel(id);
  if (!entry) {
    const known = catalogue.models.map((model) => model.id).join(", ");
    throw new PrecisError("usage", `No checksum is known for "${id}".`, `Models that can be verified: ${known}.`);
  }
  const found = await findModel(id);
  const hash = createHash("sha256");
  let read = 0;
  try {
    for await (const chunk of createReadStream(found.path, { highWaterMark: 1 << 20, signal })) {
      hash.update(chunk);
      read += chunk.length;
      onProgress?.(read / entry.bytes);
    }
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    const next = "Check the disk and the file's permissions.";
    throw new PrecisError("model-damaged", `The model ${entry.name} cannot be read.`, next, { cause: error });
  }
  if (hash.digest("hex") !== entry.sha256) {
    throw new PrecisError(
      "model-damaged",
      `The file of the model ${entry.name} is damaged: its sha256 is not the expected one.`,
      `Delete ${found.path}, then run \`npm run setup\`.`,
    );
  }
  return found;
}

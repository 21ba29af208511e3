/**
 * A file with what reading a document has left: the retained rows of every layer, the window and the logits after it.
 *
 *     "PRECISKV" | version u32 | sections | index (JSON) | its length u32 | its sha256 | "PRECISKV"
 *
 * The index holds offset, length and sha256 of each section. It comes last, so that a half-written file has none, and
 * nothing reaches native code that does not match its checksum.
 */
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { said } from "../said.js";
import type { LayerState } from "./native.js";
import { writeWhole } from "./whole-file.js";

const magic = Buffer.from("PRECISKV");
const version = 2;
const headBytes = magic.length + 4;
const tailBytes = 4 + 32 + magic.length;
/** An index of 1,000 layers takes a few hundred KB; a length beyond this is damage. */
const maxIndexBytes = 64 * 2 ** 20;

const section = z.object({
  offset: z.number().int().nonnegative(),
  length: z.number().int().nonnegative(),
  sha256: z.string(),
});
type Section = z.infer<typeof section>;

const indexSchema = z.object({
  identity: z.string(),
  window: z.array(z.number().int().nonnegative()),
  logits: section,
  slidingCells: section,
  layers: z.array(z.object({ kept: z.array(z.number().int().nonnegative()), positions: section, rows: section })),
});
type Index = z.infer<typeof indexSchema>;

/** The file cannot be used; the message says why, for the log and the reader of a warning. */
export class SavedCacheRefused extends Error {
  override readonly name = "SavedCacheRefused";
}

/** What a session gives to be saved. */
export interface CacheContents {
  /** What the file is of. */
  readonly identity: string;
  /** Tokens of the observation window. */
  readonly window: Uint32Array;
  /** f32 [vocabulary], after the window. */
  readonly logits: Float32Array;
  readonly slidingCells: Int32Array;
  readonly layers: number;
  /** Called layer by layer: no more than one is in memory. */
  layer(index: number): LayerState;
}

/** Writes the file whole or not at all. Only the owner may read it. */
export async function writeSavedCache(path: string, contents: CacheContents): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeWhole(path, (file) => writeAll(file, contents));
}

async function writeAll(file: FileHandle, contents: CacheContents): Promise<void> {
  let offset = 0;
  const append = async (bytes: Uint8Array): Promise<Section> => {
    const placed = { offset, length: bytes.byteLength, sha256: sha256(bytes).toString("hex") };
    await file.writeFile(bytes);
    offset += bytes.byteLength;
    return placed;
  };
  const head = Buffer.alloc(headBytes);
  magic.copy(head);
  head.writeUInt32LE(version, magic.length);
  await append(head);

  const layers: Index["layers"] = [];
  for (let layer = 0; layer < contents.layers; layer++) {
    const { kept, positions, rows } = contents.layer(layer);
    layers.push({ kept: [...kept], positions: await append(bytesOf(positions)), rows: await append(rows) });
  }
  const index: Index = {
    identity: contents.identity,
    window: [...contents.window],
    logits: await append(bytesOf(contents.logits)),
    slidingCells: await append(bytesOf(contents.slidingCells)),
    layers,
  };
  const json = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  await append(Buffer.concat([json, length, sha256(json), magic]));
}

/** An open file whose index is sound; its sections are checked as they are read. */
export interface SavedCache {
  readonly window: Uint32Array;
  logits(): Promise<Float32Array>;
  slidingCells(): Promise<Int32Array>;
  layer(index: number): Promise<LayerState>;
  close(): Promise<void>;
}

/** @throws SavedCacheRefused when the file is missing, damaged, half-written, of another version or another identity */
export async function openSavedCache(path: string, identity: string, layers: number): Promise<SavedCache> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    throw new SavedCacheRefused(error.code === "ENOENT" ? said`there is none` : error.message, { cause: error });
  });
  try {
    const { size } = await file.stat();
    const index = await readIndex(file, size);
    if (index.identity !== identity) throw new SavedCacheRefused(said`it is of another document, model or setting`);
    if (index.layers.length !== layers) throw new SavedCacheRefused(said`it is of another model`);
    const read = async ({ offset, length, sha256: expected }: Section) => {
      if (offset + length > size) throw new SavedCacheRefused(said`it is cut short`);
      const bytes = await readExactly(file, offset, length);
      if (sha256(bytes).toString("hex") !== expected) throw new SavedCacheRefused(said`it is damaged`);
      return bytes;
    };
    return {
      window: Uint32Array.from(index.window),
      logits: async () => new Float32Array((await read(index.logits)).buffer),
      slidingCells: async () => new Int32Array((await read(index.slidingCells)).buffer),
      layer: async (layer) => {
        const { kept, positions, rows } = index.layers[layer] as Index["layers"][number];
        return {
          kept: Uint32Array.from(kept),
          positions: new Uint32Array((await read(positions)).buffer),
          rows: await read(rows),
        };
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readIndex(file: FileHandle, size: number): Promise<Index> {
  if (size < headBytes + tailBytes) throw new SavedCacheRefused(said`it is cut short`);
  const head = Buffer.from(await readExactly(file, 0, headBytes));
  if (!head.subarray(0, magic.length).equals(magic)) throw new SavedCacheRefused(said`it is not a saved cache`);
  const written = head.readUInt32LE(magic.length);
  if (written !== version) throw new SavedCacheRefused(said`it is of version ${written}, not ${version}`);
  const tail = Buffer.from(await readExactly(file, size - tailBytes, tailBytes));
  const length = tail.readUInt32LE(0);
  if (!tail.subarray(36).equals(magic) || length > maxIndexBytes || length > size - headBytes - tailBytes) {
    throw new SavedCacheRefused(said`it is cut short`);
  }
  const json = await readExactly(file, size - tailBytes - length, length);
  if (!sha256(json).equals(tail.subarray(4, 36))) throw new SavedCacheRefused(said`it is damaged`);
  try {
    return indexSchema.parse(JSON.parse(Buffer.from(json).toString()));
  } catch (error) {
    throw new SavedCacheRefused(said`it is damaged`, { cause: error });
  }
}

async function readExactly(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  // a buffer of its own, so that typed arrays of any element size may stand on it
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw new SavedCacheRefused(said`it is cut short`);
    done += bytesRead;
  }
  return bytes;
}

function bytesOf(array: Uint32Array | Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

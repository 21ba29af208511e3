/**
 * Downloads a catalogue model: into a file of its own, from where it ended last time, and into place only when its sha256 is
 * the expected one.
 */
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import * as z from "zod";
import { cancelled, PrecisError } from "../errors.js";
import { formatBytes } from "../format.js";
import { said } from "../said.js";
import { writeFileAtomically } from "../write.js";
import type { CatalogueModel } from "./catalogue.js";
import { filesOf, type ModelFiles, readJson, sha256Of, sizeOf } from "./files.js";
import {
  connectHub,
  type Hub,
  Interrupted,
  interrupted,
  lookUp,
  type NetworkSettings,
  type Origin,
  originSchema,
} from "./hub.js";

export interface DownloadProgress {
  /** checking: every byte has come, and the sha256 of all of them is worked out. */
  readonly stage: "receiving" | "checking";
  /** Received, or checked. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Of receiving, from the last seconds; undefined until it is known. */
  readonly remainingMs?: number;
}

export interface DownloadOptions {
  readonly network?: NetworkSettings;
  /** Aborting pauses: what has come stays, and the next download of the model goes on from there. */
  readonly signal?: AbortSignal;
  /** At most ten times a second. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Bytes that can still be written in a folder. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** Milliseconds before each try after a lost connection; as many tries as there are, until something comes again. */
  readonly retries?: readonly number[];
}

/** Left free beside a download: a system without any room on its disk misbehaves. */
const reserveBytes = 256 * 2 ** 20;

const patience = [1_000, 2_000, 4_000, 8_000, 16_000];

/**
 * @returns the model's path
 * @throws PrecisError usage, cancelled, offline, download-missing, download-failed, disk-full, write-failed, model-damaged
 */
export async function downloadModel(model: CatalogueModel, options: DownloadOptions = {}): Promise<string> {
  const { signal, freeBytes = freeOn } = options;
  if (signal?.aborted) throw cancelled();
  const files = filesOf(model);
  const hub = await connectHub(options.network ?? {});
  try {
    await mkdir(dirname(files.path), { recursive: true });
    const begun = await begin(model, files, hub, signal);
    const missing = begun.origin.bytes - begun.received;
    const free = await freeBytes(dirname(files.path));
    if (missing + reserveBytes > free)
      throw diskFull(said`${formatBytes(missing)} are still to come and ${formatBytes(free)} are free`);
    const progress = new Meter(begun.origin.bytes, options.onProgress);
    await receiveAll(begun, files, model.file, hub, progress, options);
    await check(begun.origin, model, files, progress, signal);
    return files.path;
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    throw error instanceof Interrupted ? error.told : error;
  } finally {
    await hub.close();
  }
}

const noteSchema = originSchema.extend({ etag: z.string().optional() });

/** How far a download has come; undefined when none was begun. */
export async function startedDownload(model: {
  readonly file: string;
}): Promise<{ receivedBytes: number; totalBytes: number } | undefined> {
  const { part, note } = filesOf(model);
  const [origin, size] = await Promise.all([readJson(note, noteSchema), sizeOf(part)]);
  return origin && { receivedBytes: Math.min(size ?? 0, origin.bytes), totalBytes: origin.bytes };
}

/** Deletes what has come of a download. */
export async function discardDownload(model: { readonly file: string }): Promise<void> {
  const { part, note } = filesOf(model);
  await Promise.all([part, note].map((file) => rm(file, { force: true })));
}

/** A download on its way. */
interface Begun {
  readonly origin: Origin;
  /** Bytes in the part file that count. */
  received: number;
  /** Of what they are from: the server says by it whether the rest still belongs to them. */
  etag: string | undefined;
}

/** Takes up an earlier download, of the revision that it was begun with, or begins one. */
async function begin(
  model: CatalogueModel,
  files: ModelFiles,
  hub: Hub,
  signal: AbortSignal | undefined,
): Promise<Begun> {
  const note = await readJson(files.note, noteSchema);
  const { source } = model;
  const same =
    source.kind === "hub" &&
    note?.repository === source.repository &&
    [undefined, note.revision].includes(source.revision);
  if (note && same) {
    const { etag, ...origin } = note;
    const size = (await sizeOf(files.part)) ?? 0;
    return { origin, received: size <= origin.bytes ? size : 0, etag };
  }
  const origin = await lookUp(model, hub, signal);
  await discardDownload(model);
  await writeFileAtomically(files.note, JSON.stringify(origin));
  return { origin, received: 0, etag: undefined };
}

async function receiveAll(
  begun: Begun,
  files: ModelFiles,
  file: string,
  hub: Hub,
  progress: Meter,
  { signal, retries = patience }: DownloadOptions,
): Promise<void> {
  const started = begun.received;
  let failures = 0;
  const part = await writing(open(files.part, begun.received > 0 ? "r+" : "w"), files.part);
  try {
    while (begun.received < begun.origin.bytes) {
      const before = begun.received;
      try {
        await receive(begun, part, files, file, hub, progress, signal);
      } catch (error) {
        if (!(error instanceof Interrupted) || signal?.aborted) throw error;
        failures = begun.received > before ? 1 : failures + 1;
        const pause = retries[failures - 1];
        // Nothing has come yet: the user hears at once that there is no connection.
        if (begun.received === started || pause === undefined) throw error;
        await wait(pause, undefined, { signal });
      }
    }
    await writing(part.sync(), files.part);
  } finally {
    await part.close();
  }
}

/** One answer of the server, into the part file; it may end before everything has come. */
async function receive(
  begun: Begun,
  part: FileHandle,
  files: ModelFiles,
  file: string,
  hub: Hub,
  progress: Meter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { origin, received, etag } = begun;
  // Without If-Range a changed file would go on where another one ended; the sha256 would tell, after all of it has come.
  const range: Record<string, string> = received > 0 ? { range: `bytes=${received}-` } : {};
  if (received > 0 && etag !== undefined) range["if-range"] = etag;
  const response = await hub.get(`/${origin.repository}/resolve/${origin.revision}/${file}`, range, signal);
  if (response.status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    if (Number(from) !== received || Number(total) !== origin.bytes) throw anotherSize(hub, file);
  } else {
    const length = response.headers.get("content-length");
    if (length !== null && Number(length) !== origin.bytes) throw anotherSize(hub, file);
    if (received > 0) await writing(part.truncate(0), files.part);
    begun.received = 0;
    begun.etag = strong(response.headers.get("etag"));
    await writeFileAtomically(files.note, JSON.stringify({ ...origin, etag: begun.etag }));
  }
  await copyBody(response.body as AsyncIterable<Uint8Array> | null, begun, part, files, hub, progress, signal);
  if (begun.received < origin.bytes) throw interrupted(new Error(said`it ended early`), hub.host);
}

async function copyBody(
  body: AsyncIterable<Uint8Array> | null,
  begun: Begun,
  part: FileHandle,
  files: ModelFiles,
  hub: Hub,
  progress: Meter,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for await (const chunk of body ?? []) {
      if (begun.received + chunk.length > begun.origin.bytes) throw anotherSize(hub, files.path);
      for (let at = 0; at < chunk.length; ) {
        // Of a chunk that does not fit the disk any more, what fits is written.
        const { bytesWritten } = await writing(part.write(chunk, at, chunk.length - at, begun.received), files.part);
        at += bytesWritten;
        begun.received += bytesWritten;
      }
      progress.received(begun.received);
    }
  } catch (error) {
    if (error instanceof PrecisError || signal?.aborted) throw error;
    throw interrupted(error, hub.host);
  }
}

/** Compares what has come with its sha256, and puts it into place. */
async function check(
  origin: Origin,
  model: CatalogueModel,
  files: ModelFiles,
  progress: Meter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { repository, revision, bytes, sha256 } = origin;
  if ((await sha256Of(files.part, { signal, onBytes: (read) => progress.checked(read) })) !== sha256) {
    await discardDownload(model);
    throw new PrecisError(
      "model-damaged",
      said`What came for ${model.name} is not the expected file: its sha256 is another. It was thrown away.`,
      said`Download it again; if that happens twice, choose another mirror under Settings.`,
    );
  }
  await writing(rename(files.part, files.path), files.path);
  const { mtimeMs } = await stat(files.path);
  await writeFileAtomically(files.record, JSON.stringify({ sha256, mtimeMs, bytes, repository, revision }));
  await rm(files.note, { force: true });
}

/** An ETag that promises the same bytes; a weak one (W/"…") does not, and If-Range takes none. */
const strong = (etag: string | null): string | undefined => (etag?.startsWith('"') ? etag : undefined);

function anotherSize({ host }: Hub, file: string): PrecisError {
  const message = said`${host} sends another number of bytes for ${file} than it announced.`;
  return new PrecisError("download-failed", message, said`Try again later, or choose another mirror under Settings.`);
}

function diskFull(reason: string): PrecisError {
  return new PrecisError(
    "disk-full",
    said`The disk has too little room: ${reason}.`,
    said`Free some space, then download again: what has come is kept.`,
  );
}

/** The file system's refusals, in words. */
async function writing<T>(work: Promise<T>, path: string): Promise<T> {
  return work.catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOSPC" || cause.code === "EDQUOT") throw diskFull(said`nothing more can be written`);
    throw new PrecisError(
      "write-failed",
      said`"${path}" could not be written: ${cause.message}.`,
      said`Check the folder's permissions.`,
      { cause },
    );
  });
}

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Between two reports of progress. */
const reportMs = 100;

/** The speed is that of the last seconds. */
const speedMs = 5_000;

/** Reports progress now and then, with the time that is left. */
class Meter {
  private reported = Number.NEGATIVE_INFINITY;
  private samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(
    private readonly totalBytes: number,
    private readonly report: ((progress: DownloadProgress) => void) | undefined,
  ) {}

  received(bytes: number): void {
    if (!this.due(bytes)) return;
    const at = performance.now();
    this.samples = [
      ...this.samples.filter((sample) => at - sample.at < speedMs && sample.bytes <= bytes),
      { at, bytes },
    ];
    const first = this.samples[0];
    const rate = first && at > first.at ? (bytes - first.bytes) / (at - first.at) : 0;
    const left = rate > 0 ? { remainingMs: (this.totalBytes - bytes) / rate } : {};
    this.report?.({ stage: "receiving", bytes, totalBytes: this.totalBytes, ...left });
  }

  checked(bytes: number): void {
    if (this.due(bytes)) this.report?.({ stage: "checking", bytes, totalBytes: this.totalBytes });
  }

  /** The end is always reported. */
  private due(bytes: number): boolean {
    const now = performance.now();
    if (now - this.reported < reportMs && bytes < this.totalBytes) return false;
    this.reported = now;
    return true;
  }
}

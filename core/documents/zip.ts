import { posix } from "node:path";
import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { cancelled } from "../errors.js";
import { said } from "../said.js";
import { decodeText } from "./encoding.js";

const MIB = 2 ** 20;

/** Bounds that no honest book or office document comes near; a bomb is refused before it is inflated. */
const ZIP_LIMITS = { entries: 20_000, inflatedBytes: 64 * MIB };

/**
 * A ZIP archive whose entries are inflated only when asked for, and together never to more than 64 MiB. Pictures are
 * never asked for.
 */
export class ZipArchive {
  private left = ZIP_LIMITS.inflatedBytes;

  private constructor(
    private readonly file: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /** Reads the directory only. @throws Error with a reason in words; PrecisError cancelled */
  static async open(bytes: Uint8Array, signal?: AbortSignal): Promise<ZipArchive> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const file = await fromBufferPromise(buffer, { lazyEntries: true });
    if (file.entryCount > ZIP_LIMITS.entries) throw new Error(said`it holds ${file.entryCount} files`);
    const entries = new Map<string, Entry>();
    for await (const entry of file.eachEntry()) {
      if (signal?.aborted) throw cancelled();
      entries.set(entry.fileName, entry);
    }
    return new ZipArchive(file, entries, signal);
  }

  get names(): readonly string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** @throws Error when it is missing, damaged, encrypted, or when the archive inflates beyond its bounds */
  async read(name: string): Promise<Buffer> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new Error(said`its part "${name}" is missing`);
    if (entry.isEncrypted()) throw new Error(said`its part "${name}" is encrypted`);
    // Checked against the declared size; yauzl ends the stream when the true one differs.
    if (entry.uncompressedSize > this.left) {
      throw new Error(said`its text would unpack to more than ${ZIP_LIMITS.inflatedBytes / MIB} MiB`);
    }
    this.left -= entry.uncompressedSize;
    const chunks: Buffer[] = [];
    for await (const chunk of await this.file.openReadStreamPromise(entry)) {
      if (this.signal?.aborted) throw cancelled();
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  }

  /** A part that is text, XML as a rule, in the encoding that it declares. */
  async readText(name: string): Promise<string> {
    const bytes = await this.read(name);
    return decodeText(bytes, declaredEncoding(bytes)).text;
  }
}

/** The encoding that an XML declaration or an HTML page's head names. */
export function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 1024)).toString("latin1");
  return (
    /<\?xml[^>]+encoding\s*=\s*["']([\w-]+)/i.exec(head)?.[1] ??
    /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1]
  );
}

/** A part's name from a reference in another part: relative to that part's folder, "%20" decoded, without fragment. */
export function partName(base: string, reference: string): string {
  let target = reference.replace(/[#?].*$/s, "");
  try {
    target = decodeURIComponent(target);
  } catch {
    // A lone "%" is part of the name.
  }
  if (target.startsWith("/")) return posix.normalize(target.slice(1));
  return posix.normalize(posix.join(posix.dirname(base), target));
}

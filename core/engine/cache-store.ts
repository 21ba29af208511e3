/** A folder of what runs save for later ones: a file each, named by what it is of, the least recently used dropped beyond a limit. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Bytes of all saved caches together, unless the user sets another limit. */
export const defaultCacheLimit = 4 * 2 ** 30;

/** A part of a write that ended long ago with its process. */
const staleMs = 24 * 3600 * 1000;

export class CacheStore {
  constructor(
    private readonly folder: string,
    private limitBytes = defaultCacheLimit,
    /** Of the files' names. */
    private readonly suffix = ".kv",
  ) {}

  /** The file saved under this identity, which counts as used now; undefined when there is none. */
  async find(identity: string): Promise<string | undefined> {
    await this.#sweep();
    const file = this.#file(identity);
    // this leaves the time of its content's last change, by which whoever has it open knows that it is the same
    return await chmod(file, 0o600).then(
      () => file,
      () => undefined,
    );
  }

  /** Where a file that will be saved under this identity may be begun; its folder may be missing. */
  begin(identity: string): string {
    return `${this.#file(identity)}.part-${process.pid}`;
  }

  /** Has `write` make the file, then drops the least recently used ones beyond the limit. @throws what `write` throws */
  async save(identity: string, write: (file: string) => Promise<void>): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await write(this.#file(identity));
    await this.#evict();
  }

  /** Sets another limit, and drops at once what is beyond it. */
  async limit(bytes: number): Promise<void> {
    this.limitBytes = bytes;
    await this.#evict();
  }

  /** Bytes that all files take together, begun ones included. */
  async bytes(): Promise<number> {
    const sizes = (await this.#ours()).map((name) =>
      stat(join(this.folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  }

  async remove(identity: string): Promise<void> {
    await rm(this.#file(identity), { force: true });
  }

  /** Deletes every file, begun ones included. */
  async clear(): Promise<void> {
    await Promise.all((await this.#ours()).map((name) => rm(join(this.folder, name), { force: true })));
  }

  /** Deletes what was begun and is written no longer: a whole cache may be gigabytes. */
  async #sweep(): Promise<void> {
    for (const name of await this.#ours()) {
      if (name.endsWith(this.suffix)) continue;
      const path = join(this.folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
      if (isOver(name) || Date.now() - mtimeMs > staleMs) await rm(path, { force: true });
    }
  }

  /** Names of the files that are saved or begun. */
  async #ours(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => []);
    return names.filter((name) => name.endsWith(this.suffix) || name.includes(`${this.suffix}.part-`));
  }

  #file(identity: string): string {
    return join(this.folder, `${createHash("sha256").update(identity).digest("hex").slice(0, 32)}${this.suffix}`);
  }

  async #evict(): Promise<void> {
    await this.#sweep();
    const files = await Promise.all(
      (await this.#ours()).map(async (name) => {
        const path = join(this.folder, name);
        const { size, ctimeMs } = await stat(path).catch(() => ({ size: 0, ctimeMs: 0 }));
        return { path, size, ctimeMs };
      }),
    );
    let total = 0;
    for (const { path, size } of files.sort((a, b) => b.ctimeMs - a.ctimeMs)) {
      if (!path.endsWith(this.suffix)) continue;
      total += size;
      if (total > this.limitBytes) await rm(path, { force: true });
    }
  }
}

/** Whether the process that began a file has ended. */
function isOver(name: string): boolean {
  try {
    process.kill(Number(name.slice(name.lastIndexOf("-") + 1)), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

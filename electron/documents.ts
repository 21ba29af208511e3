/**
 * The documents that are open in the worker. What the window has open is read by the queue, too, instead of being opened
 * a second time; it stays open in the worker for as long as either needs it.
 */
import { cancelled } from "../core/errors.js";
import type { DocumentSummary, Recognition } from "./contract.js";
import type { Call, Summarizer } from "./summarizer.js";

interface Open {
  readonly path: string;
  readonly opening: Promise<DocumentSummary>;
  /** How many runs of the queue read it. */
  readers: number;
  /** The window has closed it. */
  closed: boolean;
}

export class OpenDocuments {
  /** The window's, by its ids. */
  private readonly open = new Map<string, Open>();

  constructor(private readonly summarizer: Pick<Summarizer, "open" | "close">) {}

  /** Opens a document for the window; again, when the id is known. */
  show(documentId: string, path: string, recognition: Recognition | undefined, call: Call): Promise<DocumentSummary> {
    const opening = this.summarizer.open(documentId, path, recognition, call);
    const entry: Open = { path, opening, readers: 0, closed: false };
    this.open.set(documentId, entry);
    opening.catch(() => this.open.get(documentId) === entry && this.open.delete(documentId));
    return opening;
  }

  /** The window needs a document no longer. */
  async close(documentId: string): Promise<void> {
    const entry = this.open.get(documentId);
    if (entry) entry.closed = true;
    if (!entry || entry.readers === 0) await this.end(documentId);
  }

  /** The window is gone. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.open.keys()].map((documentId) => this.close(documentId)));
  }

  /** The worker is gone, and with it all that was open. */
  forget(): void {
    this.open.clear();
  }

  /**
   * Lets `work` read a document: the window's, once that is open, or one that is opened for it alone.
   * @param ownId under which it is opened when the window does not have it
   * @throws what opening throws, and "cancelled"
   */
  async read<Value>(
    { path, ownId, recognition }: { path: string; ownId: string; recognition: Recognition },
    call: Call,
    work: (documentId: string) => Promise<Value>,
  ): Promise<Value> {
    const [documentId, shown] = [...this.open].find(([, entry]) => entry.path === path && !entry.closed) ?? [];
    if (documentId !== undefined && shown) {
      shown.readers += 1;
      try {
        if (await opened(shown.opening, call.signal)) return await work(documentId);
      } finally {
        shown.readers -= 1;
        if (shown.closed && shown.readers === 0) await this.end(documentId);
      }
    }
    await this.summarizer.open(ownId, path, recognition, call);
    try {
      return await work(ownId);
    } finally {
      await this.end(ownId);
    }
  }

  /** Lets `work` read several documents, each as `read` does. */
  async readAll<Value>(
    paths: readonly string[],
    item: { readonly id: string; readonly recognition: Recognition },
    call: Call,
    work: (documentIds: readonly string[]) => Promise<Value>,
  ): Promise<Value> {
    const [path, ...rest] = paths;
    if (path === undefined) return await work([]);
    const own = { path, ownId: `${item.id} ${rest.length}`, recognition: item.recognition };
    return await this.read(own, call, (id) => this.readAll(rest, item, call, (ids) => work([id, ...ids])));
  }

  private async end(documentId: string): Promise<void> {
    this.open.delete(documentId);
    // A worker that is gone has nothing open.
    await this.summarizer.close(documentId).catch(() => {});
  }
}

/** Whether the window's opening ended well; the caller's own cancellation ends the wait for it. */
async function opened(opening: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) throw cancelled();
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(cancelled());
    signal.addEventListener("abort", stop, { once: true });
  });
  stopped.catch(() => {});
  try {
    return await Promise.race([
      opening.then(
        () => true,
        () => false,
      ),
      stopped,
    ]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

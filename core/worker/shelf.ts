import { PrecisError, toPrecisError } from "../errors.js";
import type { Library } from "../library/library.js";
import { answerRequest, type LibraryRequest } from "../library/requests.js";
import { said } from "../said.js";

/** The worker's library: opened when it is first needed, and never in the way of a summary. */
export class Shelf {
  private opened: Library | undefined;

  /** @param open undefined: there is no library */
  constructor(private readonly open: (() => Library) | undefined) {}

  /** Puts something into the library. @returns a warning when that failed, for what it was about */
  keep(work: (library: Library) => void): string[] {
    if (!this.open) return [];
    try {
      work(this.library());
      return [];
    } catch (thrown) {
      const { message, next } = toPrecisError(thrown);
      return [[said`This is not in the library now.`, message, next].filter(Boolean).join(" ")];
    }
  }

  /** @throws PrecisError library-unreadable */
  answer(request: LibraryRequest): unknown {
    return answerRequest(this.library(), request);
  }

  close(): void {
    this.opened?.close();
    this.opened = undefined;
  }

  private library(): Library {
    if (!this.open) throw new PrecisError("usage", said`There is no library here.`);
    this.opened ??= this.open();
    return this.opened;
  }
}

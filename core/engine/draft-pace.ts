import { checkRows } from "./shape.js";

/** Drafts of how many tokens are tried; 1 is none. */
const lengths = [1, checkRows] as const;

/**
 * How long drafts should be that the whole cache checks: that depends on how many of their tokens hold, and on what a token
 * takes on either cache and on all of them at once. Each length is tried for a stretch, then the fastest is kept to; what was
 * slower is tried again now and then, as a text gets easier or harder to foresee.
 */
export class DraftPace {
  /** Tokens that are written between two decisions. */
  readonly stretch = 16;
  readonly #perToken = new Map<number, number>();
  #sinceTried = 0;

  /** The length of the next stretch's drafts. */
  next(): number {
    const untried = lengths.find((length) => !this.#perToken.has(length));
    return untried ?? (this.#byTime()[0] as number);
  }

  /** @param ms what so many tokens took with drafts of this length */
  took(length: number, tokens: number, ms: number): void {
    if (tokens === 0) return;
    this.#perToken.set(length, ms / tokens);
    this.#sinceTried += tokens;
    if (this.#perToken.size === lengths.length && this.#sinceTried >= 12 * this.stretch) {
      this.#sinceTried = 0;
      this.#perToken.delete(this.#byTime()[1] as number);
    }
  }

  #byTime(): number[] {
    return [...this.#perToken.entries()].sort(([, a], [, b]) => a - b).map(([length]) => length);
  }
}

import { checkRows } from "./shape.js";
import type { Pace } from "./types.js";

/** Milliseconds that a token may take before drafts are tried: a third of the time in which a fast reader reads it. */
const worthTrying = 100;

/** Stretches after which the slower length is tried again. */
const triedAgainAfter = 12;

/**
 * Drafts only where they are faster. Whether they are depends on how many of their tokens hold, and on what a token takes on
 * either cache and on all of them at once: it is tried, since nothing says it beforehand, but only where a token of the whole
 * cache takes so long that somebody waits for it. Then the faster length is kept to, and the other is tried again now and then, as
 * a text gets easier or harder to foresee.
 */
export class DraftPace implements Pace {
  readonly stretch = 16;
  #alone: number | undefined;
  #drafted: number | undefined;
  #stretches = 0;

  next(): number {
    if (this.#alone === undefined) return 1;
    if (this.#alone < worthTrying) return 1;
    return this.#drafted === undefined || this.#drafted < this.#alone ? checkRows : 1;
  }

  took(length: number, tokens: number, ms: number): void {
    if (tokens === 0) return;
    if (length === 1) this.#alone = ms / tokens;
    else this.#drafted = ms / tokens;
    this.#stretches++;
    if (this.#stretches < triedAgainAfter || this.#drafted === undefined) return;
    this.#stretches = 0;
    if (this.#drafted < (this.#alone ?? 0)) this.#alone = undefined;
    else this.#drafted = undefined;
  }
}

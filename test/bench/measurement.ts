import type { Measurement } from "./one.js";

/** A measurement for tests of what is made of it. */
export function measurement(figures: Partial<Measurement> = {}): Measurement {
  return {
    readMs: 2000,
    firstTokenMs: 2010,
    decodeTokensPerSecond: 20,
    kvPeakBytes: 40 * 2 ** 20,
    kvBytes: 10 * 2 ** 20,
    kvReadPerTokenBytes: 11 * 2 ** 20,
    rssLoadedBytes: 200 * 2 ** 20,
    rssAfterReadingBytes: 220 * 2 ** 20,
    rssPeakBytes: 250 * 2 ** 20,
    fullKvBytes: 160 * 2 ** 20,
    ...figures,
  };
}

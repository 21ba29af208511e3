/**
 * ROUGE (Lin 2004) as most papers report it: F1 over lower-case words without stemming, ROUGE-L over the whole text.
 * Fifty lines of our own: the packages on npm for it are unmaintained or lack ROUGE-L. Pure.
 */

/** Words of letters, digits and marks inside them; what stands between is no part of a word. */
export function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu) ?? [];
}

/** F1 of the n-grams that both texts share, counted as often as both have them; 0 when a text has none. */
export function rougeN(candidate: string, reference: string, n: number): number {
  const [ours, theirs] = [counts(words(candidate), n), counts(words(reference), n)];
  let shared = 0;
  for (const [gram, count] of ours) shared += Math.min(count, theirs.get(gram) ?? 0);
  return f1(shared, total(ours), total(theirs));
}

/** F1 of the longest common subsequence of words. */
export function rougeL(candidate: string, reference: string): number {
  const [ours, theirs] = [words(candidate), words(reference)];
  return f1(longestCommonSubsequence(ours, theirs), ours.length, theirs.length);
}

function counts(list: readonly string[], n: number): Map<string, number> {
  const grams = new Map<string, number>();
  for (let i = 0; i + n <= list.length; i++) {
    const gram = list.slice(i, i + n).join(" ");
    grams.set(gram, (grams.get(gram) ?? 0) + 1);
  }
  return grams;
}

function total(grams: ReadonlyMap<string, number>): number {
  return [...grams.values()].reduce((sum, count) => sum + count, 0);
}

function f1(shared: number, ours: number, theirs: number): number {
  return shared === 0 ? 0 : (2 * shared) / (ours + theirs);
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let last = new Uint32Array(b.length + 1);
  for (const word of a) {
    const row = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++) {
      row[j] = word === b[j - 1] ? (last[j - 1] as number) + 1 : Math.max(last[j] as number, row[j - 1] as number);
    }
    last = row;
  }
  return last[b.length] as number;
}

/**
 * Numbers, dates and names of a summary that its document does not hold: what a reader would be misled by. A lower
 * bound on invention, for a fact that is there can still be put together wrongly. Pure.
 */

const months = "january february march april may june july august september october november december".split(" ");

/**
 * What can be looked up, as the document would have to hold it: numbers (years and the parts of dates among them),
 * months, and capitalised words that do not start a sentence (names). Lower case, each once.
 */
export function facts(text: string): string[] {
  const found = new Set<string>();
  for (const [number] of text.matchAll(/\p{N}[\p{N}.,]*/gu)) found.add(plain(number));
  for (const sentence of text.split(/(?<=[.!?:;"”\n])\s+|\n+/u)) {
    const [, ...later] = [...sentence.matchAll(/[\p{L}][\p{L}’'-]*/gu)];
    for (const [word] of later) {
      if (/^\p{Lu}/u.test(word) && !/^I(?:['’]|$)/u.test(word)) found.add(stem(word));
    }
  }
  return [...found].filter((fact) => fact !== "");
}

/** Facts of the summary that the document lacks. */
export function unsupported(summary: string, document: string): string[] {
  const words = new Set([...document.matchAll(/[\p{L}][\p{L}’'-]*/gu)].map(([word]) => stem(word)));
  const numbers = new Set([...document.matchAll(/\p{N}[\p{N}.,]*/gu)].map(([number]) => plain(number)));
  return facts(summary).filter((fact) => !words.has(fact) && !numbers.has(fact));
}

/** Share of the summary's facts that the document lacks; 0 for a summary without facts. */
export function unsupportedRate(summary: string, document: string): number {
  const all = facts(summary).length;
  return all === 0 ? 0 : unsupported(summary, document).length / all;
}

/** Without separators of thousands and what ends a sentence: "1,550,000." and "1550000" are the same. */
function plain(number: string): string {
  return number.replace(/[.,]+$/, "").replace(/,(?=\p{N}{3}(?:\D|$))/gu, "");
}

/** Without a possessive; a month by its first three letters, as "Nov." and "November" are the same. */
function stem(word: string): string {
  const lower = word
    .toLowerCase()
    .replace(/['’]s$/, "")
    .replace(/['’-]+$/, "");
  return months.some((month) => month.startsWith(lower) && lower.length >= 3) || lower === "sept"
    ? lower.slice(0, 3)
    : lower;
}

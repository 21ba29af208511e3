/** What benchmarks with questions share: a case that has one right answer, and how an answer is scored. */

export interface Question {
  readonly document: string;
  readonly question: string;
  /** What the answer must hold: each fact in one of its spellings. */
  readonly facts: readonly (readonly string[])[];
}

/** Share of the facts that an answer holds, whatever stands around them and however letters are cased. */
export function recall(answer: string, facts: Question["facts"]): number {
  const text = ` ${normal(answer)} `;
  const found = facts.filter((spellings) => spellings.some((spelling) => text.includes(` ${normal(spelling)} `)));
  return found.length / facts.length;
}

/** Words alone, one space between them: "March 14, 1987." is "march 14 1987". */
function normal(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");
}

/**
 * Marks a sentence that a user reads, or a phrase that is plugged into one: said`"${name}" is empty.` is that
 * plain English string, as the command line, reports, logs and stored summaries keep it. The mark is all that it is for: the
 * window speaks other languages, and knows a sentence again by the template that it was made from (electron/translation.ts).
 * A template is a whole sentence or phrase: what is singular here and plural there, or differs by a kind, is one for each.
 */
export function said(literals: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return literals.reduce((text, literal, index) => `${text}${values[index - 1]}${literal}`);
}

/** The page of `npm run eval -- follow`. Pure. */
import { draftTokens } from "../../../core/engine/shape.js";

export interface Part {
  readonly title: string;
  readonly about: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly made: string;
  readonly split: string;
}

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

export function page(parts: Readonly<Partial<Record<string, Part>>>): string {
  const sections = Object.entries(parts).flatMap(([name, part]) => {
    if (!part) return [];
    const { title, about, head, rows, made, split } = part;
    const rule = head.map((_, index) => (index === 0 ? "---" : "---:"));
    const table = [head, rule, ...rows].map(line).join("\n");
    return [`## ${title}\n\n${about}\n\n${table}\n\n\`npm run eval -- follow ${name}\`: ${made}, ${split} split.\n`];
  });
  return `# When the cache follows the answer

\`--reaim off\`: the cache keeps what the instruction looks at. \`draft\`: the whole cache lies in a file meanwhile; a draft of
${draftTokens} tokens is read on it, and what the draft looks at there is kept instead. \`checked\`: the whole cache also checks, or
writes, every token (docs/decisions.md). Memory holds the budget in all of them; the file's pages are the system's to drop.

${sections.join("\n")}`;
}

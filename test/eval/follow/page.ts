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

/** What choosing with the answer's own queries gives, which nobody has beforehand, at a budget. */
export interface Oracle {
  readonly budget: string;
  /** Mean KL divergence, nats. */
  readonly kl: number;
  /** 0 to 1. */
  readonly agreement: number;
}

const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

export function page(parts: Readonly<Partial<Record<string, Part>>>, oracle: readonly Oracle[]): string {
  const beside = oracle.map(
    ({ budget, kl, agreement }) => `${kl.toFixed(3)} and ${(100 * agreement).toFixed(0)} % at ${budget}`,
  );
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
The oracle, chosen with the queries of the full cache's own answer, comes to a KL divergence and the same first choice of
${beside.join(", ")} in f16 on the documents of [distribution.md](distribution.md).

${sections.join("\n")}`;
}

/** Whether a sentence is found again: with its question in the window, and with the question put to a document read before. */
import { rmSync } from "node:fs";
import { buildPrompt } from "../../../core/summarize/prompt.js";
import { greedy } from "../benchmark.js";
import { needle } from "../needle/needle.js";
import type { QuestionCase } from "../question-cases.js";
import { recall } from "../questions.js";
import { ruler } from "../ruler/ruler.js";
import { type FollowDesk, following, freshFile, readFully, readInto, type Say, take } from "./desk.js";
import type { Part } from "./page.js";

const budgets = ["6.9%", "3.4%"];
const length = 2048;
const maxTokens = 40;
const modes = ["off", "draft", "checked"] as const;
/** Of a question's groups, what says how it is hard. */
const kindNames = /^(anchored|paraphrased|multi-.*)$/;

export async function needlePart(desk: FollowDesk, say: Say): Promise<Omit<Part, "made" | "split">> {
  const { engine, session, split, measure } = desk;
  const setting = { split, size: "full", lengths: [length], documents: [], measure } as const;
  // several needles at once count too: what a window foresees least
  const many = (ruler.cases(setting) as QuestionCase[]).filter(({ groups }) =>
    groups.some((group) => /^multi/.test(group)),
  );
  const single = needle.cases(setting) as QuestionCase[];
  const all = single.flatMap((one, index) => (many[index] ? [one, many[index] as QuestionCase] : [one]));
  const found = new Map<string, number>();
  const kinds = new Map<string, number>();
  let counted = 0;
  let asked = 0;
  const sampling = greedy(1);
  for (const one of all) {
    if (asked === desk.cases) break;
    asked++;
    const prompt = buildPrompt(engine, one.document, one.options);
    await readFully(desk, prompt);
    const full = await session.generate({ sampling, maxTokens });
    say(
      `${asked}/${desk.cases} ${one.id} (${one.groups.join(", ")}): ${recall(full.text, one.facts) === 1 ? "found" : "not found"}`,
    );
    if (recall(full.text, one.facts) < 1) continue;
    counted++;
    for (const kind of one.groups.filter((group) => kindNames.test(group))) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    const score = async (row: string, budget: string) => {
      const logits = session.logits();
      for (const mode of modes) {
        session.rewind(logits);
        const follow = mode === "off" ? undefined : following(desk, prompt, budget, mode);
        const { text } = await session.generate({ sampling, maxTokens, follow });
        const key = `${row} ${mode}`;
        found.set(key, (found.get(key) ?? 0) + recall(text, one.facts));
      }
    };
    const summary = buildPrompt(engine, one.document, { length: "medium" });
    const file = freshFile(desk);
    await readInto(desk, summary, "25%", { path: file, kept: true });
    await session.keepWhole("follow");
    for (const budget of budgets) {
      // what the instruction takes may be more than a budget holds
      await readInto(desk, prompt, budget, { path: freshFile(desk), kept: false });
      await score(`${budget}, read with the question:`, budget);
      await take(desk, prompt, budget, file);
      await score(`${budget}, asked of what was read for a summary:`, budget);
    }
    rmSync(file);
    for (const [key, sum] of found) say(`  ${key} ${sum.toFixed(1)} of ${counted}`);
  }
  return {
    title: `Facts found again, of those that the full cache finds (${counted} of ${asked} questions)`,
    about: `Sentences hidden in the sample report's text at about ${length} tokens, one or several (kept in ${desk.kvType}), their questions in the sentences' words or in others (test/eval/needle, test/eval/ruler). Greedy answers. Those that count: ${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(", ")}.`,
    head: ["kept, and how it was asked", "--reaim", "found"],
    rows: [...found].map(([key, sum]) => {
      const at = key.lastIndexOf(" ");
      return [key.slice(0, at).replace(/:$/, ""), key.slice(at + 1), `${((100 * sum) / counted).toFixed(0)} %`];
    }),
  };
}

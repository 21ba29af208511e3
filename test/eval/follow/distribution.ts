/** How near the cache is to the full one along the full cache's own summaries, teacher-forced. */
import { defaultKvType } from "../../../core/summarize/plan.js";
import { buildPrompt } from "../../../core/summarize/prompt.js";
import { greedy } from "../benchmark.js";
import { divergence } from "../distribution/divergence.js";
import { documentCases } from "../document-cases.js";
import { estimate } from "../stats.js";
import { type FollowDesk, fits, following, freshFile, readFully, readInto, type Say } from "./desk.js";
import type { Part } from "./page.js";

export const budgets: readonly string[] = ["25%", "6.9%", "3.4%"];
const summaryTokens = 48;
const checkedType = defaultKvType(false, "checked");
/** Of documents, in tokens: asks for those that are read soon. */
const shortLength = 2048;

export async function distributionPart(desk: FollowDesk, say: Say): Promise<Omit<Part, "made" | "split">> {
  const { engine, session } = desk;
  const figures = new Map<string, { kl: number[]; agreement: number[] }>();
  const add = (row: string, { kl, agreement }: { kl: number; agreement: number }) => {
    const all = figures.get(row) ?? { kl: [], agreement: [] };
    all.kl.push(kl);
    all.agreement.push(agreement);
    figures.set(row, all);
    say(`  ${row}: KL ${kl.toFixed(3)}, ${(100 * agreement).toFixed(0)} %`);
  };
  const sampling = greedy(1.1);
  const count = { quick: desk.cases, usual: desk.cases, full: desk.cases };
  const cases = documentCases({ ...desk, size: "usual", lengths: [shortLength] }, count);
  for (const [index, { id, document, options }] of cases.entries()) {
    say(`${index + 1}/${cases.length} ${id}`);
    const prompt = buildPrompt(engine, document, options);
    await readFully(desk, prompt);
    const prompted = session.logits();
    const { text: summary } = await session.generate({ sampling, maxTokens: summaryTokens });
    session.rewind(prompted);
    const answer = engine.tokenize(summary);
    const [fed, next] = [answer.slice(0, -1), answer.slice(1)];
    const reference = await session.feed(fed);
    for (const budget of budgets.filter((one) => fits(desk, prompt, one))) {
      await readInto(desk, prompt, budget, { path: freshFile(desk), kept: false });
      const logits = session.logits();
      add(`${budget} off`, divergence(reference, await session.feed(fed), next));
      session.rewind(logits);
      await session.draft(following(desk, prompt, budget, "draft"), sampling);
      add(`${budget} draft`, divergence(reference, await session.feed(fed), next));
      session.rewind(logits);
    }
    const checked: FollowDesk = { ...desk, kvType: checkedType };
    await readInto(checked, prompt, budgets[0] as string, { path: freshFile(desk), kept: false });
    add("checked, any budget", divergence(reference, await session.feedWhole(fed), next));
  }
  return {
    title: `Along the full cache's own summaries of ${cases.length} documents`,
    about: `The first ${summaryTokens} tokens of the full cache's greedy summary are fed one by one; after each, all probabilities of the next token are compared. What is kept is stored in ${desk.kvType}, and in ${checkedType} where the whole cache checks it. Means, with 95 % intervals over the documents.`,
    head: ["kept and --reaim", "mean KL divergence, nats", "same first choice"],
    rows: [...figures].map(([row, { kl, agreement }]) => {
      const [k, a] = [estimate(kl), estimate(agreement)];
      const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
      return [
        row,
        `${k.mean.toFixed(3)} (${k.low.toFixed(3)} to ${k.high.toFixed(3)})`,
        `${percent(a.mean)} (${percent(a.low)} to ${percent(a.high)})`,
      ];
    }),
  };
}

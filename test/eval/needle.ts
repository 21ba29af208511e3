/**
 * `npm run eval -- needle`: is a number of five digits in ~2,000 tokens of text still found after compression? One
 * question after the document, as `precis ask` puts it, over positions and seeds, for several poolings at equal bytes.
 * Prints a table and writes it to docs/eval/needle.md. `--quick` takes three positions instead of ten, `--only TEXT` the
 * rows whose name holds the text; neither writes the file.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { createPolicy, type PolicyName, type PolicySettings } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import type { Engine } from "../../core/engine/types.js";
import { parseBudget } from "../../core/estimate/estimate.js";
import { findModel } from "../../core/models/models.js";
import { buildPrompt } from "../../core/summarize/prompt.js";

interface Case {
  readonly document: string;
  readonly question: string;
  readonly answer: string;
}

interface Setting {
  readonly label: string;
  readonly policy: PolicyName;
  readonly settings: PolicySettings;
}

const average = (kernel: number): PolicySettings => ({ pooling: { kind: "average", kernel } });
const settings: readonly Setting[] = [
  { label: "full cache", policy: "full", settings: {} },
  { label: "dynamickv, average 5, mean", policy: "dynamickv", settings: { ...average(5), reduction: "mean" } },
  {
    label: "dynamickv, average 7, mean (the paper)",
    policy: "dynamickv",
    settings: { ...average(7), reduction: "mean", floor: 0 },
  },
  { label: "dynamickv, average 15, max", policy: "dynamickv", settings: average(15) },
];
const budgets = ["25%", "6.9%"];

/** Small seeded generator (mulberry32), so that every run asks the same. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The sample report's paragraphs, ~2,000 tokens of them from a place that the seed gives, with the needle at `depth`. */
function needleCase(engine: Engine, report: string, depth: number, seed: number): Case {
  const next = random(seed);
  const paragraphs = report.split(/\n{2,}/).filter((part) => !part.startsWith("#") && !part.startsWith("|"));
  const from = Math.floor(next() * paragraphs.length);
  const chosen: string[] = [];
  for (let tokens = 0, i = from; tokens < 1900; i++) {
    const paragraph = paragraphs[i % paragraphs.length] as string;
    chosen.push(paragraph);
    tokens += engine.tokenize(paragraph).length + 1;
  }
  const answer = String(10_000 + Math.floor(next() * 90_000));
  chosen.splice(Math.round(depth * chosen.length), 0, `The access code of the north archive is ${answer}.`);
  return { document: chosen.join("\n\n"), question: "What is the access code of the north archive?", answer };
}

async function ask(engine: Engine, { document, question }: Case, setting: Setting, budget: string): Promise<string> {
  const prompt = buildPrompt(engine, document, { length: "short", question });
  const session = await engine.createSession();
  try {
    const { entriesTotal } = parseBudget(budget, engine.model, prompt.tokens.length);
    await session.read(prompt, { policy: createPolicy(setting.policy, setting.settings), budgetEntries: entriesTotal });
    const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1, seed: 1 };
    return (await session.generate({ sampling, maxTokens: 48 })).text;
  } finally {
    await session.dispose();
  }
}

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { quick: { type: "boolean", default: false }, only: { type: "string", default: "" } },
});
const { quick, only } = values;
const report = await readFile(new URL("../../assets/samples/harbour-report.md", import.meta.url), "utf8");
const { path, id } = await findModel();
const engine = await loadEngine(path, id);
const positions = quick ? [0.1, 0.5, 0.9] : [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];

// only cases that the full cache answers say anything about compression: where it fails, the next seed is taken
const [fullCache] = settings as readonly [Setting, ...Setting[]];
const cases: Case[] = [];
let tried = 0;
for (const depth of positions) {
  for (;;) {
    const one = needleCase(engine, report, depth, ++tried);
    const text = await ask(engine, one, fullCache, "100%");
    if (text.includes(one.answer)) {
      cases.push(one);
      break;
    }
    console.error(`full cache: ${one.answer} is not in "${text}"`);
  }
}

const rows: string[] = [];
for (const setting of settings.filter(({ policy, label }) => policy !== "full" && label.includes(only))) {
  const found: string[] = [];
  for (const budget of budgets) {
    let hits = 0;
    for (const one of cases) {
      const text = await ask(engine, one, setting, budget);
      if (text.includes(one.answer)) hits++;
      else console.error(`${setting.label}, ${budget}: ${one.answer} is not in "${text}"`);
    }
    found.push(`${hits} of ${cases.length}`);
  }
  rows.push(`| ${setting.label} | ${found.join(" | ")} |`);
  console.error(rows.at(-1));
}
await engine.dispose();

const table = [
  `| policy, pooling, reduction over the query group | ${budgets.join(" | ")} |`,
  "| --- | --- | --- |",
  ...rows,
].join("\n");
console.log(table);
if (!quick && only === "") {
  const head =
    "# One number of five digits in 2,000 tokens\n\n" +
    `Made by \`npm run eval -- needle\` with ${id}: ten positions, each with other text and another number, the question\n` +
    "put as `precis ask` puts it, greedy. A case counts when the answer holds the whole number.\n" +
    `Only cases that the full cache answers are taken: ${cases.length} of ${tried} tried.\n\n`;
  await writeFile(new URL("../../docs/eval/needle.md", import.meta.url), `${head}${table}\n`);
}

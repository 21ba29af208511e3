/**
 * How much of the text before a part should be read with it: the mean surprise (nats per token) of what a part begins
 * with, by how many tokens of the text before stand in front. Default model, sample report.
 *
 *     npx tsx test/summarize/context.ts
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createPolicy } from "../../core/compression/registry.js";
import { loadDefaultEngine, openSession, promptOf } from "../native/support.js";
import { root } from "../support/precis.js";

/** Tokens that stand before a part, the most of them last. */
const contexts = [0, 32, 64, 128, 256, 512];
const most = contexts.at(-1) as number;
/** Tokens of a part's beginning that are scored. */
const scored = 64;
/** Paragraphs that are taken for the beginning of a part, at most, all over the text. */
const sampled = 16;

const engine = await loadDefaultEngine();
try {
  const text = readFileSync(join(root, "assets", "samples", "harbour-report.md"), "utf8");
  const all = [...text.matchAll(/\n\n(?=\p{Lu}[^\n]{400})/gu)].map(({ index }) => index + 2);
  const late = all.filter((place) => engine.tokenize(text.slice(0, place)).length >= most);
  const places = late.filter((_, index) => index % Math.ceil(late.length / sampled) === 0);
  const rows: number[][] = [];
  for (const place of places) {
    const before = engine.tokenize(text.slice(0, place));
    const part = engine.tokenize(text.slice(place, place + 1000)).slice(0, scored);
    const row: number[] = [];
    for (const length of contexts) {
      const context = [...before.slice(before.length - length)];
      const prompt = Uint32Array.from([...engine.tokenize("Document:\n\n"), ...context]);
      row.push(await surprise(prompt, part));
    }
    rows.push(row);
    process.stderr.write(".");
  }
  const mean = contexts.map((_, at) => rows.reduce((sum, row) => sum + (row[at] as number), 0) / rows.length);
  const [none, full] = [mean[0] as number, mean.at(-1) as number];
  process.stdout.write(`\n${rows.length} beginnings of ${scored} tokens\n`);
  contexts.forEach((length, at) => {
    const gained = (none - (mean[at] as number)) / (none - full);
    process.stdout.write(
      `${String(length).padStart(4)} tokens before: ${(mean[at] as number).toFixed(3)} nats per token, ` +
        `${Math.round(100 * gained)} % of what ${most} tokens gain\n`,
    );
  });
} finally {
  await engine.dispose();
}

/** Mean negative log probability of a text behind a prompt. */
async function surprise(prompt: Uint32Array, text: Uint32Array): Promise<number> {
  const session = await openSession(engine);
  try {
    await session.read(promptOf(prompt, 1), { policy: createPolicy("full"), budgetEntries: 0 });
    const logits = [session.logits(), await session.feed(text.slice(0, -1))];
    const size = engine.model.vocabularySize;
    let total = 0;
    text.forEach((token, at) => {
      const row =
        at === 0 ? (logits[0] as Float32Array) : (logits[1] as Float32Array).subarray((at - 1) * size, at * size);
      let highest = Number.NEGATIVE_INFINITY;
      for (const value of row) highest = Math.max(highest, value);
      let sum = 0;
      for (const value of row) sum += Math.exp(value - highest);
      total += Math.log(sum) + highest - (row[token] as number);
    });
    return total / text.length;
  } finally {
    await session.dispose();
  }
}

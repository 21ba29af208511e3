/**
 * `npm run eval -- follow [distribution|needle|times …]`: what it brings and costs that the cache follows the answer
 * (`--reaim`). Every figure is of real readings, with the whole cache in a file. Each part is kept in docs/eval/follow.json,
 * and the page is made of all of them. docs/eval/README.md has the options.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadEngine } from "../../core/engine/engine.js";
import type { DocumentSession } from "../../core/engine/session.js";
import { findModel } from "../../core/models/models.js";
import { defaultKvType } from "../../core/summarize/plan.js";
import { longBenchDocuments, samplePieces } from "./documents.js";
import type { Figures } from "./figures.js";
import { budgets, distributionPart } from "./follow/distribution.js";
import { needlePart } from "./follow/needle.js";
import { type Oracle, type Part, page } from "./follow/page.js";
import { timesPart } from "./follow/times.js";

const parts = { distribution: distributionPart, needle: needlePart, times: timesPart } as const;
type PartName = keyof typeof parts;

const { values, positionals } = parseArgs({
  args: process.argv.slice(3),
  allowPositionals: true,
  options: {
    data: { type: "string" },
    cases: { type: "string", default: "10" },
    tuning: { type: "boolean", default: false },
  },
});
const unknown = positionals.find((name) => !Object.hasOwn(parts, name));
const cases = Number(values.cases);
if (unknown !== undefined || !Number.isInteger(cases) || cases < 1) {
  console.error("npm run eval -- follow [distribution|needle|times …] [--data FILE.jsonl] [--cases N] [--tuning]");
  process.exit(2);
}

const docs = fileURLToPath(new URL("../../docs/eval/", import.meta.url));
const kept = join(docs, "follow.json");
const made: Partial<Record<PartName, Part>> = existsSync(kept) ? JSON.parse(readFileSync(kept, "utf8")) : {};
const { path, id } = await findModel();
const engine = await loadEngine(path, id);
const folder = mkdtempSync(join(tmpdir(), "precis-follow-"));
try {
  const measure = (text: string) => engine.tokenize(text).length;
  const split = values.tuning ? "tuning" : "reporting";
  const all = values.data
    ? longBenchDocuments(basename(values.data), readFileSync(values.data, "utf8"))
    : samplePieces(measure, 2600);
  // as in compression.ts: the odd documents of a file are for tuning
  const documents = all.filter((_, index) => (index % 2 === 0) === (split === "tuning"));
  for (const name of positionals.length > 0 ? (positionals as PartName[]) : (Object.keys(parts) as PartName[])) {
    const session = (await engine.createSession()) as DocumentSession;
    try {
      // what a draft's choice answers with alone; times are of the default, which checks
      const kvType = defaultKvType(false, name === "times" ? "checked" : "draft");
      const desk = { engine, session, folder, documents, split, cases, measure, kvType } as const;
      const part = await parts[name](desk, (line) => console.error(`${name}: ${line}`));
      made[name] = {
        ...part,
        made: `${id}, ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}`,
        split,
      };
    } finally {
      await session.dispose();
    }
  }
} finally {
  rmSync(folder, { recursive: true });
  await engine.dispose();
}
const text = page(made, oracle());
console.log(text);
if (!values.tuning) {
  writeFileSync(kept, `${JSON.stringify(made, undefined, 1)}\n`);
  writeFileSync(join(docs, "follow.md"), text);
}

/** As `npm run eval -- distribution` measured it. */
function oracle(): Oracle[] {
  const { rows } = JSON.parse(readFileSync(join(docs, "distribution.json"), "utf8")) as Figures;
  const { kl = [], agreement = [] } = rows.find(({ variant }) => variant === "oracle-dynamic")?.cells ?? {};
  return kl.flatMap(({ budget, value }) => {
    const same = agreement.find((cell) => cell.budget === budget);
    return same && budgets.includes(budget) ? [{ budget, kl: value.mean, agreement: same.value.mean }] : [];
  });
}

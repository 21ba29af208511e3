/**
 * A document of 300 pages, summarised with the default model, killed in the middle and resumed: prints what happened and
 * ends with 1 when a page was not read or a finished part was read again. Takes minutes; --in keeps what is finished in
 * a folder, where the same command goes on when it was ended itself:
 *
 *     npx tsx test/summarize/long.ts [--pages 300] [--in FOLDER]
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { formatBytes, formatDuration } from "../../core/format.js";
import { summaryResultSchema } from "../../core/summarize/result.js";
import { pageWords } from "../../core/summarize/split.js";
import { drawnPdf } from "../documents/pdfs.js";
import { linkCache, type PrecisOptions, precis } from "../support/precis.js";

const { values } = parseArgs({ options: { pages: { type: "string", default: "300" }, in: { type: "string" } } });
const pages = Number(values.pages);
const folder = values.in === undefined ? mkdtempSync(join(tmpdir(), "precis-long-")) : resolve(values.in);
const file = join(folder, "log.pdf");
const parts = join(folder, "precis", "parts");

try {
  mkdirSync(folder, { recursive: true });
  linkCache(folder);
  if (!existsSync(file)) writeFileSync(file, await logbook(pages));
  say(`A PDF of ${pages} pages, ${formatBytes(statSync(file).size)}.`);
  const args = ["summarize", file, "--json"];
  const options: PrecisOptions = { cacheHome: folder, onStderr: (text) => process.stderr.write(text) };

  if (finishedSteps() === 0) {
    const started = performance.now();
    // two lines about the second part: it is being read
    const when = (stderr: string) => (stderr.match(/^Reading 2\/\d+: /gm) ?? []).length > 1;
    const { code } = await precis(args, { ...options, signal: { name: "SIGKILL", when } });
    check(
      code === null,
      `the first run was killed in the middle, after ${formatDuration(performance.now() - started)}`,
    );
    check(finishedSteps() === 1, "its finished part is in a file");
  }

  const kept = finishedSteps();
  const started = performance.now();
  const { code, stdout, stderr } = await precis(args, options);
  check(code === 0, `the run that went on ended well, after ${formatDuration(performance.now() - started)}`);
  const result = summaryResultSchema.parse(JSON.parse(stdout));
  const taken = result.warnings.find((warning) => /taken over/.test(warning)) ?? "";
  check(taken.startsWith(`${kept} of `), `finished parts were not read again (${taken})`);
  const read = [...stderr.matchAll(/^Reading (\d+)\/\d+: /gm)].map(([, number]) => Number(number));
  check(Math.min(...read) > Math.min(kept, result.parts.length - 1), "it began behind them");
  check(!existsSync(parts) || readdirSync(parts).length === 0, "no file of it is left");
  check(result.document.coverage.text.length === pages, `coverage names all ${pages} pages as read`);
  check(result.document.pagesRead.length === pages, "each of them had text for the model");
  const neighbours = result.parts.every(({ pages: { first } }, index) => {
    const before = result.parts[index - 1]?.pages.last ?? 0;
    return first === before || first === before + 1;
  });
  const whole = neighbours && result.parts.at(-1)?.pages.last === pages;
  check(whole, "the parts follow each other from the first page to the last");

  for (const [index, { pages: range, tokens, title }] of result.parts.entries()) {
    say(`Part ${index + 1}: ${pageWords(range, "page")}, ${tokens} tokens, from "${title}"`);
  }
  const { timings, kv, budget, model, memory } = result;
  say(
    `${result.document.tokens} tokens with ${model.id}: ${formatDuration(timings.prefillMs + timings.compressMs)} reading, ` +
      `${formatDuration(timings.decodeMs)} writing ${timings.decodeTokens} tokens.`,
  );
  say(
    `KV cache of the largest part: ${formatBytes(kv.fullBytes)}, kept ${formatBytes(kv.retainedBytes)} (budget ` +
      `${formatBytes(budget.bytes)}), at the peak ${formatBytes(kv.peakBytes)}; the process ${formatBytes(memory.peakRssBytes)}.`,
  );
  for (const warning of result.warnings) say(`Warning: ${warning}`);
  say(`\n${result.text}`);
} finally {
  if (values.in === undefined) rmSync(folder, { recursive: true });
}

/** Of the run that has not ended, as its file says. */
function finishedSteps(): number {
  const [name] = existsSync(parts) ? readdirSync(parts) : [];
  if (name === undefined) return 0;
  const [, json = "{}"] = readFileSync(join(parts, name), "utf8").split("\n");
  return Object.keys(JSON.parse(json).steps).length;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function check(holds: boolean, what: string): void {
  say(`${holds ? "ok    " : "FAILED"} ${what}`);
  if (!holds) process.exitCode = 1;
}

/** A harbour's logbook: a page a day, a chapter a month, no two pages alike. */
async function logbook(days: number): Promise<Buffer> {
  const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October"];
  const cargo = ["grain", "timber", "gravel", "salt", "coal", "steel pipes", "tower sections"];
  const tugs = ["Marlin", "Petrel", "Gannet", "Heron"];
  const weather = ["calm and clear", "fog until noon", "a gale from the east", "light rain", "swell from the north"];
  const of = <Item>(list: readonly Item[], index: number) => list[index % list.length] as Item;
  return await drawnPdf(
    Array.from({ length: days }, (_, day) => (doc: PDFKit.PDFDocument) => {
      const month = Math.floor(day / 30);
      const named = `${of(months, month)}, chapter ${month + 1}`;
      doc.font("Times-Roman").fontSize(12);
      if (day % 30 === 0) {
        doc.outline.addItem(named);
        doc.text(named).moveDown();
      }
      doc.text(
        `Day ${day + 1} of the log: ${of(weather, day * 7 + month)}. The tug ${of(tugs, day)} brought in ${1 + (day % 5)} ` +
          `ships with ${120 + ((day * 37) % 900)} tonnes of ${of(cargo, day * 3 + month)}. The inner gate stood open for ` +
          `${4 + (day % 9)} hours; the tide reached ${(3 + ((day * 13) % 180) / 100).toFixed(2)} metres.`,
      );
    }),
  );
}

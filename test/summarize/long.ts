/**
 * A document of 300 pages, summarised with the default model, killed in the middle and resumed: prints what happened and
 * ends with 1 when a page was not read or a finished part was read again. Takes minutes:
 *
 *     npx tsx test/summarize/long.ts [--pages 300] [precis options]
 */
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatBytes, formatDuration } from "../../core/format.js";
import { summaryResultSchema } from "../../core/summarize/result.js";
import { pageWords } from "../../core/summarize/split.js";
import { drawnPdf } from "../documents/pdfs.js";
import { ownCacheHome, type PrecisOptions, precis } from "../support/precis.js";

const { values, positionals } = parseArgs({
  options: { pages: { type: "string", default: "300" } },
  allowPositionals: true,
});
const pages = Number(values.pages);
const cacheHome = ownCacheHome();
const file = join(cacheHome, "log.pdf");
const parts = join(cacheHome, "precis", "parts");

try {
  writeFileSync(file, await logbook(pages));
  say(`A PDF of ${pages} pages, ${formatBytes(statSync(file).size)}.`);
  const args = ["summarize", file, "--json", ...positionals];
  const options: PrecisOptions = { cacheHome, onStderr: (text) => process.stderr.write(text) };

  const killedAt = performance.now();
  // two lines about the second part: it is being read
  const when = (stderr: string) => (stderr.match(/^Reading 2\/\d+: /gm) ?? []).length > 1;
  const killed = await precis(args, { ...options, signal: { name: "SIGKILL", when } });
  check(killed.code === null, "the first run was killed in the middle");
  check(readdirSync(parts).length === 1, "what it had finished is in a file");
  say(`Killed after ${formatDuration(performance.now() - killedAt)}.`);

  const resumedAt = performance.now();
  const { code, stdout, stderr } = await precis(args, options);
  check(code === 0, "the second run ended well");
  const result = summaryResultSchema.parse(JSON.parse(stdout));
  const taken = result.warnings.find((warning) => /taken over/.test(warning)) ?? "nothing was taken over";
  check(/^1 of /.test(taken), `the finished part was not read again (${taken})`);
  check(!/^Reading 1\/\d+: /m.test(stderr), "the second run began with the second part");
  check(readdirSync(parts).length === 0, "no file is left");
  check(result.document.coverage.text.length === pages, `coverage names all ${pages} pages as read`);
  check(result.document.pagesRead.length === pages, "each of them had text for the model");
  const neighbours = result.parts.every(({ pages: { first } }, index) => {
    const before = result.parts[index - 1]?.pages.last;
    return before === undefined ? first === 1 : first === before || first === before + 1;
  });
  check(
    neighbours && result.parts.at(-1)?.pages.last === pages,
    "the parts follow each other from the first to the last page",
  );

  const { timings, kv, budget, model } = result;
  say(`Resumed and ended after ${formatDuration(performance.now() - resumedAt)}.`);
  for (const [index, part] of result.parts.entries()) {
    say(
      `Part ${index + 1}: ${pageWords(part.pages, "page")}, ${part.tokens} tokens${part.title ? `, from "${part.title}"` : ""}`,
    );
  }
  say(
    `${result.document.tokens} tokens with ${model.id}; of the largest part ${formatBytes(kv.fullBytes)} KV cache, kept ${formatBytes(kv.retainedBytes)} (budget ${formatBytes(budget.bytes)}), ${formatBytes(kv.peakBytes)} at the peak; ${formatBytes(result.memory.peakRssBytes)} of the process.`,
  );
  say(
    `${formatDuration(timings.prefillMs + timings.compressMs)} reading, ${formatDuration(timings.decodeMs)} writing ${timings.decodeTokens} tokens.`,
  );
  for (const warning of result.warnings) say(`Warning: ${warning}`);
  say(`\n${result.text}`);
} finally {
  rmSync(cacheHome, { recursive: true });
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
          `ships with ${120 + ((day * 37) % 900)} tonnes of ${of(cargo, day * 3 + month)}. The gate of the inner basin ` +
          `stood open for ${4 + (day % 9)} hours, and the tide reached ${(3 + ((day * 13) % 180) / 100).toFixed(2)} metres.`,
      );
    }),
  );
}

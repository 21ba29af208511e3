/**
 * `npm run bench`: reading and decoding beside stock node-llama-cpp, in one run, each in a process of its own and in
 * turn (A B A B), so that a machine that slows down slows both. Prints a table and writes it to docs/bench/reading.md.
 * `--tokens N` (7500), `--rounds N` (3), `--decode N` (100).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatBytes } from "../../core/report/format.js";
import type { Measurement } from "./one.js";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "7500" },
    rounds: { type: "string", default: "3" },
    decode: { type: "string", default: "100" },
  },
});
const rounds = Number(values.rounds);
const sides = [
  { label: "stock node-llama-cpp, f16", side: "stock", budget: "100%" },
  { label: "precis, full", side: "full", budget: "100%" },
  { label: "precis, dynamickv 25 %", side: "dynamickv", budget: "25%" },
  { label: "precis, dynamickv 6.9 %", side: "dynamickv", budget: "6.9%" },
] as const;

const measured: Measurement[][] = sides.map(() => []);
for (let round = 0; round < rounds; round++) {
  for (const [index, { side, budget, label }] of sides.entries()) {
    const script = fileURLToPath(new URL("one.ts", import.meta.url));
    const run = spawnSync("npx", ["tsx", script, side, values.tokens, budget, values.decode], { encoding: "utf8" });
    if (run.status !== 0) throw new Error(`${label} failed:\n${run.stderr}`);
    const one = JSON.parse(run.stdout.trim().split("\n").at(-1) as string) as Measurement;
    measured[index]?.push(one);
    console.error(
      `${round + 1}/${rounds} ${label}: first token ${one.firstTokenMs.toFixed(0)} ms, ${one.decodeTokensPerSecond.toFixed(1)} tokens/s`,
    );
  }
}

const median = (numbers: number[]) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
/** The median over rounds of this side's figure against stock's of the same round. */
const ratio = (index: number, figure: keyof Measurement) => {
  const [stock = []] = measured;
  return median((measured[index] ?? []).map((one, round) => one[figure] / (stock[round] ?? one)[figure]));
};
const figure = (index: number, name: keyof Measurement) =>
  median((measured[index] as Measurement[]).map((one) => one[name]));

const rows = sides.map(({ label }, index) =>
  [
    label,
    `${(figure(index, "firstTokenMs") / 1000).toFixed(1)} s`,
    `${ratio(index, "firstTokenMs").toFixed(2)}x`,
    figure(index, "decodeTokensPerSecond").toFixed(1),
    `${ratio(index, "decodeTokensPerSecond").toFixed(2)}x`,
    formatBytes(figure(index, "kvBytes")),
    formatBytes(figure(index, "kvPeakBytes")),
    formatBytes(figure(index, "peakRssBytes")),
  ].join(" | "),
);
const table = [
  "| | first token | against stock | decoding, tokens/s | against stock | KV after reading | KV at the peak | peak RSS |",
  "| --- | --- | --- | --- | --- | --- | --- | --- |",
  ...rows.map((row) => `| ${row} |`),
].join("\n");
console.log(table);
mkdirSync(new URL("../../docs/bench/", import.meta.url), { recursive: true });
writeFileSync(
  new URL("../../docs/bench/reading.md", import.meta.url),
  `# Reading and decoding beside stock node-llama-cpp\n\nMade by \`npm run bench\`: ${values.tokens} tokens, ${values.decode} decoded, median of ${rounds} rounds, ratios within a round; ` +
    `${cpus().length} x ${cpus()[0]?.model.trim()}, ${platform()} ${arch()}, Node.js ${process.version}. Peak KV counts hidden states between layers.\n\n${table}\n`,
);

/**
 * Writes docs/bench/gpu-observing.md: what the default policy's observing takes on a GPU, from what bench.sh measured:
 * `npx tsx test/bench/gpu/observing.ts RESULTS`. Of all runs those count that keep 6.9 % in f16; runs of 2,048 tokens warm up.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";

interface Run {
  readonly run: string;
  readonly side: string;
  readonly tokens: number;
  readonly kv: string;
  readonly kept: number;
  readonly group: number;
  readonly firstMs: number;
  readonly scoreMs: number;
  readonly readBackMs: number;
  readonly normsMs: number;
  readonly expectedMs: number;
  readonly peak: number;
  readonly error?: string;
}

const names = new Map([
  ["stock", "stock, f16"],
  ["precis", "the window's sums alone"],
  ["default", "all that the default asks for"],
]);
const day = process.env.DAY ?? new Date().toISOString().slice(0, 10);
const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;

/** Of a tiny model against the CPU: the length of the difference over that of what the CPU computes. */
interface Check {
  readonly check: string;
  readonly lengthsOfValues?: number;
  readonly expectedAttention?: number;
}

let device = "";
const checks = new Set<string>();
const sections: string[] = [];
let stock: Run | undefined;
for (const line of readFileSync(process.argv[2] as string, "utf8").split("\n")) {
  if (!line.startsWith("{")) continue;
  const entry = JSON.parse(line) as Run & Check & { readonly model?: string; readonly device?: string };
  if (entry.lengthsOfValues !== undefined && entry.expectedAttention !== undefined) {
    checks.add(row([entry.check, entry.lengthsOfValues.toPrecision(2), entry.expectedAttention.toPrecision(2)]));
  }
  if (entry.model !== undefined) {
    device = entry.device as string;
    const head = ["tokens", "observed", "layers a group", "first token", "to stock", "GiB at the peak"];
    const parts = ["window", "lengths of values", "expected attention"];
    sections.push(
      [
        `\n## ${basename(entry.model, ".gguf")}\n`,
        row([...head, ...parts]),
        row([...head, ...parts].map(() => "---")),
      ].join("\n"),
    );
  }
  if (entry.error !== undefined) throw new Error(`${entry.run}: ${entry.error}`);
  const name = names.get(entry.side);
  const plain = entry.side === "stock";
  const grouped = entry.run?.split(":").length > 4;
  if (name === undefined || entry.tokens <= 2048 || entry.kv !== "f16" || grouped) continue;
  if (!plain && entry.kept !== 0.069) continue;
  if (entry.side === "stock") stock = entry;
  if (stock?.tokens !== entry.tokens) throw new Error(`${entry.run} has no stock before it`);
  const share = (ms: number) => (ms === 0 ? "" : `${((100 * ms) / entry.firstMs).toFixed(1)} %`);
  sections.push(
    row([
      `${entry.tokens / 1024}k`,
      name,
      plain ? "" : entry.group,
      `${(entry.firstMs / 1000).toFixed(2)} s`,
      `${(entry.firstMs / stock.firstMs).toFixed(2)}x`,
      (entry.peak / 2 ** 30).toFixed(2),
      share(entry.scoreMs + entry.readBackMs),
      share(entry.normsMs),
      share(entry.expectedMs),
    ]),
  );
}

writeFileSync(
  new URL("../../../docs/bench/gpu-observing.md", import.meta.url),
  `# What the default policy observes, on a GPU

Made by \`test/bench/gpu/bench.sh\` and \`test/bench/gpu/observing.ts\` on one ${device}, ${day}, of the runs that [gpu.md](gpu.md)
shows; 6.9 % kept, one measurement each. The window's sums are what [gpu.md](gpu.md) observes. The default policy also asks for their squares, for the
document's queries, for the lengths of the values and for expected attention. The last three columns are shares of the time to
the first token; what choosing takes in JavaScript is not in it.
${sections.join("\n")}

## Against the CPU

Relative differences of what is computed from a small random model's keys and values (four layers, 1,500 tokens), which differ
as much themselves ([gpu.md](gpu.md)):

${[row(["", "lengths of values", "expected attention"]), row(["---", "---", "---"]), ...checks].join("\n")}
`,
);

/**
 * How long a search takes in a library of 2,000 documents (large.ts): `npx tsx test/library/bench.ts [documents]`.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatBytes } from "../../core/format.js";
import { Library } from "../../core/library/library.js";
import { fillLibrary, queries } from "./large.js";

const count = Number(process.argv[2] ?? 2_000);
const LIMIT_MS = 100;
const folder = mkdtempSync(join(tmpdir(), "precis-library-"));
const file = join(folder, "library.sqlite");
try {
  const library = Library.open(file);
  const began = performance.now();
  fillLibrary(library, count);
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${count} documents of 12 pages in ${formatBytes(statSync(file).size)}, taken in within ${seconds.toFixed(0)} s`,
  );

  let slowest = 0;
  for (const [what, query] of queries(count)) {
    const times = Array.from({ length: 7 }, () => {
      const start = performance.now();
      library.search(query, 50);
      return performance.now() - start;
    }).sort((one, other) => one - other);
    const [median = 0, most = 0] = [times[3], times[6]];
    slowest = Math.max(slowest, most);
    const found = library.search(query, 50).length;
    console.log(
      `${what.padEnd(24)} ${median.toFixed(1).padStart(7)} ms, at most ${most.toFixed(1)} ms; ${found} documents shown`,
    );
  }
  library.close();
  console.log(`slowest: ${slowest.toFixed(1)} ms (limit ${LIMIT_MS} ms)`);
  if (slowest >= LIMIT_MS) process.exitCode = 1;
} finally {
  if (!process.env.KEEP) rmSync(folder, { recursive: true, force: true });
  else console.log(folder);
}

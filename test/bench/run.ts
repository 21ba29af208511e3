/** Runs one measurement in a process of its own, under a memory limit if asked for. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import type { Spec } from "./cases.js";
import type { Outcome } from "./one.js";

/** What the bench leaves between runs; not under version control. */
export const workFolder = fileURLToPath(new URL("../../out/bench", import.meta.url));

let bundle: string | undefined;

/**
 * The measuring program as plain JavaScript: a TypeScript loader would lie in the memory that is measured. It must lie
 * two folders below the root, as its source does.
 */
function program(): string {
  if (bundle) return bundle;
  bundle = join(workFolder, "one.mjs");
  buildSync({
    entryPoints: [fileURLToPath(new URL("one.ts", import.meta.url))],
    outfile: bundle,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
  });
  return bundle;
}

export type Run = { readonly outcome: Outcome } | { readonly failure: string };

/**
 * @param limitBytes of anonymous memory: RLIMIT_DATA counts every private writable mapping, so all that is allocated
 *   (KV, buffers, heaps, stacks), but neither mapped weights nor the address space that V8 only reserves. Linux, any user.
 */
export async function runOne(spec: Spec, limitBytes?: number): Promise<Run> {
  if (limitBytes !== undefined && process.platform !== "linux") {
    throw new Error("A memory limit for one process needs Linux (RLIMIT_DATA).");
  }
  const command = [process.execPath, program(), JSON.stringify(spec)];
  if (limitBytes !== undefined) {
    command.unshift("sh", "-c", 'ulimit -d "$0" && exec "$@"', String(Math.floor(limitBytes / 1024)));
  }
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  const printed = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
    });
  }
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...ended) => resolve(ended));
  });
  if (code === 0) return { outcome: JSON.parse(printed.stdout.trim().split("\n").at(-1) as string) as Outcome };
  return { failure: `ended with ${code ?? signal}:\n${printed.stderr.trim()}` };
}

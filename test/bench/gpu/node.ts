/**
 * The app's own path on a GPU: `npx tsx test/bench/gpu/node.ts >> results.jsonl`, then table.ts. Summarises the sample with
 * the default model and no layers, some of them and all of them on the GPU, in groups that end where the layers change
 * sides and in groups that do not; beside it what `precis estimate` says. One line of JSON for each. PRECIS: the command
 * line's bundle, where it is not to be made from the sources. BACKEND: what the table calls the one that set-up put in place.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = process.env.PRECIS ?? fileURLToPath(new URL("../../../scripts/precis.mjs", import.meta.url));
const sample =
  process.env.SAMPLE ?? fileURLToPath(new URL("../../../assets/samples/harbour-report.pdf", import.meta.url));

/** Layers on the GPU (undefined: as many as fit) and layers a group (undefined: the default). */
const runs: readonly (readonly [gpuLayers: number | undefined, groupLayers: number | undefined])[] = [
  [0, undefined],
  [undefined, undefined],
  [undefined, 1],
  [16, undefined],
  [16, 1],
  [16, 2],
  [16, 4],
];

const { BACKEND: backend } = process.env;
/** Which processes have what is told of CUDA's only: with another backend nothing else may be at work there. */
const query = backend?.includes("CUDA") === false ? "--query-gpu=memory.used" : "--query-compute-apps=used_memory";

/** What the command prints, and the most that one process of it has of the GPU's memory. */
async function run(args: readonly string[]): Promise<{ printed: string; gpuBytes: number }> {
  const watch = spawn("nvidia-smi", [query, "--format=csv,noheader,nounits", "--loop-ms=20"]);
  let gpuBytes = 0;
  watch.stdout.on("data", (lines: Buffer) => {
    for (const line of lines.toString().split("\n")) {
      if (Number.isInteger(Number.parseInt(line, 10)))
        gpuBytes = Math.max(gpuBytes, Number.parseInt(line, 10) * 2 ** 20);
    }
  });
  const child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (part: Buffer) => {
    printed += part;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  watch.kill();
  if (code !== 0) throw new Error(`precis ${args.join(" ")} ended with ${code}`);
  return { printed, gpuBytes };
}

if (backend !== undefined) console.log(JSON.stringify({ backend }));
for (const [gpuLayers, groupLayers] of runs) {
  const where = [
    ...(gpuLayers === undefined ? [] : ["--gpu-layers", `${gpuLayers}`]),
    ...(groupLayers === undefined ? [] : ["--group-layers", `${groupLayers}`]),
  ];
  const estimated = JSON.parse((await run(["estimate", sample, "--json", ...where])).printed);
  const { printed, gpuBytes } = await run(["summarize", sample, "--json", "--quiet", "--reaim", "off", ...where]);
  const { text, timings, memory, kv } = JSON.parse(printed);
  const line = { node: where.join(" "), gpuLayers, groupLayers, estimated: estimated.devices, gpuBytes, text, timings };
  console.log(
    JSON.stringify({ ...line, tokens: estimated.promptTokens, rssBytes: memory.peakRssBytes, kv: kv.peakBytes }),
  );
}

import { arch, availableParallelism, freemem, platform, release, totalmem } from "node:os";
import type { Command } from "commander";
import * as z from "zod";
import { toPrecisError } from "../errors.js";
import { formatBytes } from "../format.js";
import { catalogue } from "../models/catalogue.js";
import { verifyModel } from "../models/models.js";
import { loadEngine } from "./engine.js";

/** One thing that Precis needs: what was found, or what is wrong and how to put it right. */
interface Finding {
  readonly name: string;
  readonly good: boolean;
  readonly detail: string;
}

const SET_UP = "Run `npm run setup`.";

export function addDoctor(program: Command, exit: (code: number) => void): void {
  program
    .command("doctor")
    .description("what this machine has, what is missing, and how to get it (exit code 1 when something is missing)")
    .action(async () => {
      const findings = [node(), machine(), ...(await modelAndRuntime()), await electron()];
      for (const { name, good, detail } of findings) {
        process.stdout.write(`${good ? "ok     " : "MISSING"} ${name.padEnd(10)} ${detail}\n`);
      }
      exit(findings.every(({ good }) => good) ? 0 : 1);
    });
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  const detail = good
    ? process.versions.node
    : `${process.versions.node}; Precis needs 20.19 or newer: see nodejs.org.`;
  return { name: "Node.js", good, detail };
}

function machine(): Finding {
  const memory = `${formatBytes(freemem())} of ${formatBytes(totalmem())} memory free`;
  return {
    name: "Machine",
    good: true,
    detail: `${platform()} ${release()} ${arch()}, ${availableParallelism()} cores, ${memory}`,
  };
}

/** The default model, byte by byte, and llama.cpp by loading that model: nothing else shows that it works. */
async function modelAndRuntime(): Promise<Finding[]> {
  const name = "llama.cpp";
  try {
    const { id, path } = await verifyModel(catalogue.default);
    const model: Finding = { name: "Model", good: true, detail: `${id}, verified: ${path}` };
    const runtime = await loads(id, path);
    return [model, { name, ...runtime }];
  } catch (thrown) {
    const unknown = "not tried: it takes a model to see whether it works.";
    return [
      { name: "Model", good: false, detail: inWords(thrown) },
      { name, good: false, detail: unknown },
    ];
  }
}

async function loads(id: string, path: string): Promise<Omit<Finding, "name">> {
  try {
    const engine = await loadEngine(path, id);
    const { architecture, contextLength, gpu, gpuLayers } = engine.model;
    const on = gpu && gpuLayers > 0 ? `${(await engine.gpuNames()).join(", ")} (${gpu})` : "the CPU";
    await engine.dispose();
    const detail = `patched; loaded ${id} (${architecture}, reads ${contextLength} tokens) on ${on}`;
    return { good: true, detail };
  } catch (thrown) {
    return { good: false, detail: inWords(thrown) };
  }
}

/** scripts/setup/electron.mjs, which alone knows where a runtime may lie, and what it answers. */
const setupSchema = z.object({ findElectron: z.custom<() => unknown>((value) => typeof value === "function") });
const electronSchema = z.object({ version: z.string(), executable: z.string(), official: z.boolean() }).optional();

async function electron(): Promise<Finding> {
  const name = "Electron";
  try {
    const setup: unknown = await import(new URL("../../scripts/setup/electron.mjs", import.meta.url).href);
    const { findElectron } = setupSchema.parse(setup);
    const found = electronSchema.parse(findElectron());
    if (!found) return { name, good: false, detail: `The window has no Electron to run in. ${SET_UP}` };
    const kind = found.official ? "" : " (a substitute for the release in package.json)";
    return { name, good: true, detail: `${found.version}${kind}: ${found.executable}` };
  } catch (thrown) {
    return { name, good: false, detail: inWords(thrown) };
  }
}

function inWords(thrown: unknown): string {
  const { message, next = SET_UP } = toPrecisError(thrown);
  return `${message} ${next}`;
}

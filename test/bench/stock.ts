/**
 * Stock node-llama-cpp beside ours: the same package with the prebuilt, unpatched libllama. It stands in a folder of
 * its own under node_modules, so that its dependencies are found and both can be measured in one run.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { runtimeFolder } from "../../core/engine/native.js";

/** @returns the file to import instead of "node-llama-cpp" */
export function stockNodeLlamaCpp(): string {
  const patched = runtimeFolder(false);
  const variant = dirname(patched);
  const root = dirname(dirname(dirname(variant)));
  const stock = join(dirname(root), ".precis-stock", "node-llama-cpp");
  const { stock: libraries, key } = JSON.parse(readFileSync(join(patched, "precis.json"), "utf8")) as {
    stock: string;
    key: string;
  };
  const stamp = join(stock, "precis-key");
  const entry = join(stock, "dist", "index.js");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === key) return entry;
  rmSync(stock, { recursive: true, force: true });
  mkdirSync(join(stock, "llama"), { recursive: true });
  for (const part of [
    "dist",
    "package.json",
    "llama/binariesGithubRelease.json",
    "llama/llama.cpp.info.json",
    "llama/package.json",
  ]) {
    if (existsSync(join(root, part))) cpSync(join(root, part), join(stock, part), { recursive: true });
  }
  const target = join(stock, "llama", "localBuilds", variant.slice(variant.lastIndexOf("/") + 1));
  cpSync(libraries, join(target, "Release"), { recursive: true });
  writeFileSync(join(target, "buildDone.status"), "");
  writeFileSync(stamp, key);
  return entry;
}

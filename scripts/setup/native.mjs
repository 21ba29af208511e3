/**
 * Step: llama.cpp with our patch, and the addon that drives it. core/native/build.mjs knows how, and knows by itself
 * whether there is anything to do.
 */
import { cacheFolder } from "./paths.mjs";

export const name = "patched llama.cpp";
export const why = "reads documents with a KV cache of its own length for every layer; built once, a few minutes";

/** @param {(line: string) => void} log */
export async function perform(log) {
  const { build } = await import("../../core/native/build.mjs");
  await build({ log, cacheDir: cacheFolder() });
}

import type { Engine, LoadOptions } from "../engine/types.js";

/** loadEngine, imported when it is needed: llama.cpp's bindings take a second that wrong usage should not wait for. */
export async function loadEngine(path: string, id: string, options: LoadOptions = {}): Promise<Engine> {
  const engine = await import("../engine/engine.js");
  return engine.loadEngine(path, id, options);
}

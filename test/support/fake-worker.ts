/**
 * A worker without a model. What a document does is in its path: "slow" reads for seconds, "crash" throws outside any
 * request, "exit" ends the thread, "many" answers in 2,000 pieces, "missing" does not open, "broken" opens with an
 * unforeseen error. The model "stuck" never ends its disposal.
 */
import { parentPort } from "node:worker_threads";
import { textPage } from "../../core/documents/document.js";
import type { Engine } from "../../core/engine/types.js";
import { PrecisError } from "../../core/errors.js";
import { serve } from "../../core/worker/server.js";
import { fakeEngine } from "./fake-engine.js";

const port = parentPort;
if (!port) throw new Error("This file runs as a worker thread.");

let reading = "";

function loadFake(path: string): Engine {
  const engine = fakeEngine({
    steps: 5,
    stepMs: 5,
    onStep: (step) => {
      if (step < 3) return;
      if (reading.includes("crash")) setImmediate(() => Promise.reject(new Error("a native fault")));
      if (reading.includes("exit")) process.exit(7);
    },
  });
  const slow = fakeEngine({ steps: 1000, stepMs: 5 });
  const many = fakeEngine({ pieces: 2000, answer: "word " });
  return {
    ...engine,
    model: { ...engine.model, path },
    createSession: () => (reading.includes("slow") ? slow : reading.includes("many") ? many : engine).createSession(),
    dispose: () => (path === "stuck" ? new Promise(() => {}) : Promise.resolve()),
    chatPrompt: (parts) => {
      if (parts.document !== "") reading = parts.document;
      return engine.chatPrompt(parts);
    },
  };
}

serve(
  { postMessage: (reply) => port.postMessage(reply), onMessage: (listener) => port.on("message", listener) },
  {
    findModel: async (wanted) => ({ id: wanted ?? "default", path: wanted ?? "default" }),
    loadEngine: async (path) => loadFake(path),
    inspectModel: () => Promise.reject(new Error("not expected here")),
    openDocument: async (path) => {
      if (path === "missing") throw new PrecisError("file-missing", "There is no such file.", "Check the path.");
      if (path === "broken") throw new TypeError("x is undefined");
      const text = `${path} ${"word ".repeat(500)}`;
      return { path, title: path, kind: "text", unit: "section", pages: [textPage(1, text)], warnings: [] };
    },
    log: () => {},
    onShutdown: () => port.close(),
  },
);

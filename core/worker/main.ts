/** The worker thread's entry. */
import { parentPort } from "node:worker_threads";
import { openDocument } from "../documents/open.js";
import { loadEngine } from "../engine/engine.js";
import { findModel } from "../models/models.js";
import { serve } from "./server.js";

const port = parentPort;
if (!port) throw new Error("This file runs as a worker thread.");

serve(
  {
    postMessage: (reply) => port.postMessage(reply),
    onMessage: (listener) => port.on("message", listener),
  },
  {
    findModel,
    loadEngine,
    openDocument,
    log: (error) => console.error(error),
    onShutdown: () => port.close(),
  },
);

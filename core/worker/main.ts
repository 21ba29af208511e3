/** The worker thread's entry. */
import { setPriority } from "node:os";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import * as z from "zod";
import { openDocument } from "../documents/open.js";
import { CacheStore } from "../engine/cache-store.js";
import { loadEngine } from "../engine/engine.js";
import { inspectModel } from "../engine/inspect.js";
import { Library } from "../library/library.js";
import { findModel } from "../models/models.js";
import { cacheFolder } from "../models/paths.js";
import { stepStore } from "../summarize/finished.js";
import { serve } from "./server.js";

const port = parentPort;
if (!port) throw new Error("This file runs as a worker thread.");

// The window comes first, also when both have much to do: the first page of a long document is to be seen before all of
// its text is read. On Linux this is the priority of the calling thread alone; elsewhere it would be the whole app's.
if (process.platform === "linux") setPriority(5);

/** Where the library lies, when the host has one, and how much saved caches may take together. */
const { libraryFile, cacheLimitBytes } = z
  .object({ libraryFile: z.string().optional(), cacheLimitBytes: z.number().nonnegative().optional() })
  .parse(workerData ?? {});

serve(
  {
    postMessage: (reply) => port.postMessage(reply),
    onMessage: (listener) => port.on("message", listener),
  },
  {
    findModel,
    loadEngine,
    inspectModel,
    openDocument,
    steps: stepStore(join(cacheFolder(), "parts")),
    caches: new CacheStore(join(cacheFolder(), "caches"), cacheLimitBytes),
    wholeFolder: join(cacheFolder(), "caches"),
    openLibrary: libraryFile === undefined ? undefined : () => Library.open(libraryFile),
    log: (error) => console.error(error),
    onShutdown: () => port.close(),
  },
);

/** The worker thread that reads and summarises, as the window's commands need it. */
import { type LibraryApi, libraryOver } from "../core/library/requests.js";
import type { ModelFacts } from "../core/models/added.js";
import { WorkerSupervisor } from "../core/worker/supervisor.js";
import type { Settings, WireError } from "./contract.js";
import type { Call, Summarizer } from "./ipc.js";
import { wireError } from "./wire-error.js";

export interface RunningWorker {
  readonly summarizer: Summarizer;
  readonly library: LibraryApi;
  /** Path of the model that was loaded last. */
  loaded(): string | undefined;
  /** What a model's file says of itself. */
  inspectModel(path: string): Promise<ModelFacts>;
  /** Saved caches take this much together at most, from now on. */
  limitCaches(bytes: number): Promise<void>;
  /** Disposes everything native, then ends the thread. */
  stop(): Promise<void>;
}

/**
 * @param libraryFile where documents and summaries are kept; made when it is not there
 * @param cacheLimitBytes what saved caches may take together, in bytes, until that is changed
 * @param chosen the model: a catalogue id, an added model's id, a path or "", the default one
 * @param onDeath hears why a worker ended by itself, and whether the next one is already there
 */
export function startWorker(
  entry: string,
  libraryFile: string,
  cacheLimitBytes: number,
  chosen: () => Pick<Settings, "model">,
  onDeath: (error: WireError, restarted: boolean) => void,
): RunningWorker {
  // Every worker that is started gets it as it is then.
  const workerData = { libraryFile, cacheLimitBytes };
  let loaded: string | undefined;
  const supervisor = new WorkerSupervisor({
    entry,
    workerOptions: { workerData },
    onDeath: (error, restarted) => {
      console.error(error.message, error.cause);
      onDeath(wireError(error), restarted);
    },
  });
  const loadModel = async (call: Call) => {
    const model = await supervisor.client.loadModel(chosen().model || undefined, call);
    loaded = model.path;
    return model;
  };
  return {
    // The supervisor's client changes when a worker is replaced, so each call asks for it.
    summarizer: {
      loadModel,
      open: (documentId, path, recognition, call) => supervisor.client.open(documentId, path, call, recognition),
      close: (documentId) => supervisor.client.close(documentId),
      summarize: (documentId, options, call) => supervisor.client.summarize(documentId, options, call),
      ask: (documentId, options, from, call) => supervisor.client.ask(documentId, options, from, call),
    },
    loaded: () => loaded,
    inspectModel: (path) => supervisor.client.inspectModel(path),
    limitCaches: (bytes) => {
      workerData.cacheLimitBytes = bytes;
      return supervisor.client.limitCaches(bytes);
    },
    library: libraryOver((request) => supervisor.client.library(request)),
    stop: async () => {
      if (!(await supervisor.shutdown())) console.error("The worker did not end in time and was ended by force.");
    },
  };
}

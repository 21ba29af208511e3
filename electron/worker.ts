/** The worker thread that reads and summarises, as the window's commands need it. */
import { type LibraryApi, libraryOver } from "../core/library/requests.js";
import type { ModelFacts } from "../core/models/added.js";
import { WorkerSupervisor } from "../core/worker/supervisor.js";
import { keepAwake } from "./awake.js";
import type { Clearable, Settings, StorageUse, WireError } from "./contract.js";
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
  /** What is kept on this computer, once what `clear` names is deleted. */
  storage(clear?: Clearable): Promise<StorageUse>;
  /** Disposes everything native, then ends the thread. */
  stop(): Promise<void>;
}

/**
 * @param libraryFile where documents and summaries are kept; made when it is not there
 * @param cacheLimitBytes what saved caches may take together, in bytes, until that is changed
 * @param chosen the model: a catalogue id, an added model's id, a path or "", the default one; and its layers on the GPU
 * @param onDeath hears why a worker ended by itself, and whether the next one is already there
 */
export function startWorker(
  entry: string,
  libraryFile: string,
  cacheLimitBytes: number,
  chosen: () => Pick<Settings, "model" | "gpuLayers">,
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
    const { model: wanted, gpuLayers } = chosen();
    const model = await supervisor.client.loadModel(wanted || undefined, call, gpuLayers);
    loaded = model.path;
    return model;
  };
  return {
    // The supervisor's client changes when a worker is replaced, so each call asks for it.
    summarizer: {
      loadModel,
      open: (documentId, path, recognition, call) =>
        keepAwake(() => supervisor.client.open(documentId, path, call, recognition)),
      pageTexts: (documentId, first, last) => supervisor.client.pageTexts(documentId, first, last),
      close: (documentId) => supervisor.client.close(documentId),
      summarize: (documentId, options, call, further) =>
        keepAwake(() => supervisor.client.summarize(documentId, options, call, further)),
      forecast: (documentId, options, call, further) => supervisor.client.forecast(documentId, options, call, further),
      ask: (documentId, options, from, call) => keepAwake(() => supervisor.client.ask(documentId, options, from, call)),
    },
    loaded: () => loaded,
    inspectModel: (path) => supervisor.client.inspectModel(path),
    limitCaches: (bytes) => {
      workerData.cacheLimitBytes = bytes;
      return supervisor.client.limitCaches(bytes);
    },
    storage: (clear) => supervisor.client.storage(clear),
    library: libraryOver((request) => supervisor.client.library(request)),
    stop: async () => {
      if (!(await supervisor.shutdown())) console.error("The worker did not end in time and was ended by force.");
    },
  };
}

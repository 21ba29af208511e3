/** The worker thread that reads and summarises, as the window's commands need it. */
import { type LibraryApi, libraryOver } from "../core/library/requests.js";
import type { ModelFacts } from "../core/models/added.js";
import { WorkerSupervisor } from "../core/worker/supervisor.js";
import { keepAwake } from "./awake.js";
import type { Clearable, Settings, StorageUse, WireError } from "./contract.js";
import type { Call, Summarizer } from "./summarizer.js";
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
 * The worker is started when it is first needed.
 * @param libraryFile where documents and summaries are kept; made when it is not there
 * @param cacheLimitBytes what saved caches may take together, in bytes, until that is changed
 * @param chosen the model: a catalogue id, an added model's id, a path or "", the default one; and its layers on the GPU
 * @param begin the first one does not start before
 * @param onDeath hears why a worker ended by itself, and whether the next one is already there
 */
export function startWorker(
  entry: string,
  libraryFile: string,
  cacheLimitBytes: number,
  chosen: () => Pick<Settings, "model" | "gpuLayers">,
  begin: Promise<unknown>,
  onDeath: (error: WireError, restarted: boolean) => void,
): RunningWorker {
  // Every worker that is started gets it as it is then.
  const workerData = { libraryFile, cacheLimitBytes };
  let loaded: string | undefined;
  let supervisor: WorkerSupervisor | undefined;
  // The supervisor's client changes when a worker is replaced, so each call asks for it.
  const client = async () => {
    await begin;
    supervisor ??= new WorkerSupervisor({
      entry,
      workerOptions: { workerData },
      onDeath: (error, restarted) => {
        console.error(error.message, error.cause);
        onDeath(wireError(error), restarted);
      },
    });
    return supervisor.client;
  };
  const loadModel = async (call: Call) => {
    const { model: wanted, gpuLayers } = chosen();
    const model = await (await client()).loadModel(wanted || undefined, call, gpuLayers);
    loaded = model.path;
    return model;
  };
  return {
    summarizer: {
      loadModel,
      open: (documentId, path, recognition, call) =>
        keepAwake(async () => (await client()).open(documentId, path, call, recognition)),
      pageTexts: async (documentId, first, last) => (await client()).pageTexts(documentId, first, last),
      close: async (documentId) => (await client()).close(documentId),
      summarize: (documentId, options, call, further) =>
        keepAwake(async () => (await client()).summarize(documentId, options, call, further)),
      forecast: async (documentId, options, call, further) =>
        (await client()).forecast(documentId, options, call, further),
      ask: (...asked) => keepAwake(async () => (await client()).ask(...asked)),
    },
    loaded: () => loaded,
    inspectModel: async (path) => (await client()).inspectModel(path),
    limitCaches: async (bytes) => {
      workerData.cacheLimitBytes = bytes;
      return (await client()).limitCaches(bytes);
    },
    storage: async (clear) => (await client()).storage(clear),
    library: libraryOver(async (request) => (await client()).library(request)),
    stop: async () => {
      if (supervisor && !(await supervisor.shutdown()))
        console.error("The worker did not end in time and was ended by force.");
    },
  };
}

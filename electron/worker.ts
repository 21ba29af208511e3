/** The worker thread that reads and summarises, as the window's commands need it. */
import { type LibraryApi, libraryOver } from "../core/library/requests.js";
import { WorkerSupervisor } from "../core/worker/supervisor.js";
import type { WireError } from "./contract.js";
import { type Summarizer, wireError } from "./ipc.js";

export interface RunningWorker {
  readonly summarizer: Summarizer;
  readonly library: LibraryApi;
  /** Disposes everything native, then ends the thread. */
  stop(): Promise<void>;
}

/**
 * @param libraryFile where documents and summaries are kept; made when it is not there
 * @param onDeath hears why a worker ended by itself, and whether the next one is already there
 */
export function startWorker(
  entry: string,
  libraryFile: string,
  onDeath: (error: WireError, restarted: boolean) => void,
): RunningWorker {
  const supervisor = new WorkerSupervisor({
    entry,
    workerOptions: { workerData: { libraryFile } },
    onDeath: (error, restarted) => {
      console.error(error.message, error.cause);
      onDeath(wireError(error), restarted);
    },
  });
  return {
    // The supervisor's client changes when a worker is replaced, so each call asks for it.
    summarizer: {
      loadModel: (call) => supervisor.client.loadModel(undefined, call),
      open: (documentId, path, recognition, call) => supervisor.client.open(documentId, path, call, recognition),
      close: (documentId) => supervisor.client.close(documentId),
      summarize: (documentId, options, call) => supervisor.client.summarize(documentId, options, call),
      ask: (documentId, options, from, call) => supervisor.client.ask(documentId, options, from, call),
    },
    library: libraryOver((request) => supervisor.client.library(request)),
    stop: async () => {
      if (!(await supervisor.shutdown())) console.error("The worker did not end in time and was ended by force.");
    },
  };
}

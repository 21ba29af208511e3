/** Keeps a worker alive for its host: starts it, says when it died, starts the next one, ends it cleanly. */
import { Worker, type WorkerOptions } from "node:worker_threads";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import { WorkerClient } from "./client.js";

export interface SupervisorOptions {
  /** The worker's entry, a file or a file: URL. */
  readonly entry: string | URL;
  readonly workerOptions?: WorkerOptions;
  /**
   * A worker died. Its requests have failed with the same error, and what it held (model, documents) is gone: load and
   * open them again on `client`, which belongs to the next worker unless `restarted` is false.
   */
  readonly onDeath?: (error: PrecisError, restarted: boolean) => void;
  /** How long a clean shutdown may take before the worker is ended by force, in ms. */
  readonly shutdownMs?: number;
}

/** A worker that dies more often than this within a minute is not started again: it would only die once more. */
const MAX_DEATHS_PER_MINUTE = 3;

export class WorkerSupervisor {
  private worker: Worker;
  private current: WorkerClient;
  private deaths: number[] = [];
  private ending: Promise<boolean> | undefined;

  constructor(private readonly options: SupervisorOptions) {
    [this.worker, this.current] = this.start();
  }

  /** The client of the worker that runs now; ask for it anew for each request. */
  get client(): WorkerClient {
    return this.current;
  }

  /**
   * Ends the worker: everything native is disposed first.
   * @returns false when it did not answer in time and was ended by force
   */
  shutdown(): Promise<boolean> {
    this.ending ??= this.end();
    return this.ending;
  }

  private start(): [Worker, WorkerClient] {
    const worker = new Worker(this.options.entry, this.options.workerOptions);
    const client = new WorkerClient({
      postMessage: (request) => worker.postMessage(request),
      onMessage: (listener) => worker.on("message", listener),
    });
    let reason: unknown;
    worker.on("error", (error) => {
      reason = error;
    });
    worker.once("exit", (code) => this.onExit(client, reason, code));
    return [worker, client];
  }

  private onExit(client: WorkerClient, reason: unknown, code: number): void {
    const error = death(reason, code);
    client.fail(error);
    if (this.ending) return;
    const now = performance.now();
    this.deaths = [...this.deaths.filter((time) => now - time < 60_000), now];
    const restart = this.deaths.length <= MAX_DEATHS_PER_MINUTE;
    if (restart) [this.worker, this.current] = this.start();
    this.options.onDeath?.(error, restart);
  }

  private async end(): Promise<boolean> {
    const exited = new Promise<boolean>((resolve) => this.worker.once("exit", () => resolve(true)));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), this.options.shutdownMs ?? 5_000);
    });
    // A worker that is dead already has rejected; its exit was seen or will be.
    const answered = this.current.shutdown().then(
      () => exited,
      () => true,
    );
    const clean = await Promise.race([answered, late]);
    clearTimeout(timer);
    await this.worker.terminate();
    return clean;
  }
}

/** Why a worker ended, in words. */
function death(reason: unknown, code: number): PrecisError {
  const outOfMemory = reason instanceof Error && "code" in reason && reason.code === "ERR_WORKER_OUT_OF_MEMORY";
  if (outOfMemory) {
    return new PrecisError(
      "worker-died",
      said`The part of Precis that reads documents ran out of memory and stopped.`,
      said`Start again with less memory for reading or a shorter document.`,
      { cause: reason },
    );
  }
  const why = reason instanceof Error ? reason.message : said`exit code ${code}`;
  return new PrecisError(
    "worker-died",
    said`The part of Precis that reads documents stopped unexpectedly (${why}).`,
    said`Start again; if it happens again, report it with the log.`,
    { cause: reason },
  );
}

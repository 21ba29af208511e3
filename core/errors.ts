import { said } from "./said.js";

/** What went wrong, in the words of this project; the app and the CLI show `message` and `next`, never a stack. */
export type ErrorCode =
  | "cancelled"
  | "usage"
  | "file-missing"
  | "file-unreadable"
  | "file-empty"
  | "file-type"
  | "file-damaged"
  | "file-encrypted"
  | "pdf-encrypted"
  | "pdf-damaged"
  | "no-text-layer"
  | "model-missing"
  | "model-damaged"
  | "model-unsupported"
  | "model-in-use"
  | "offline"
  | "download-missing"
  | "download-failed"
  | "disk-full"
  | "runtime-mismatch"
  | "too-long"
  | "budget-too-small"
  | "budget-invalid"
  | "out-of-memory"
  | "write-failed"
  | "print-failed"
  | "library-unreadable"
  | "worker-died"
  | "internal";

/** An error that a user can read and act on. */
export class PrecisError extends Error {
  override readonly name = "PrecisError";
  constructor(
    readonly code: ErrorCode,
    /** One sentence: what failed and why. */
    message: string,
    /** One sentence: what to do next. */
    readonly next?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The error that every cancelled call rejects with. */
export function cancelled(): PrecisError {
  return new PrecisError("cancelled", said`Cancelled.`);
}

/** Any thrown value as a PrecisError; what we did not foresee becomes "internal" with its cause kept for the log. */
export function toPrecisError(thrown: unknown): PrecisError {
  if (thrown instanceof PrecisError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new PrecisError(
    "internal",
    said`Something unexpected failed: ${reason}`,
    said`Try again; if it happens again, report it with the log.`,
    {
      cause: thrown,
    },
  );
}

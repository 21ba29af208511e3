/** What a session says when native code or a model cannot do what is asked. */
import { cancelled, PrecisError } from "../errors.js";

export function cannotCompress(reason: string): PrecisError {
  return new PrecisError(
    "model-unsupported",
    `The memory of this model cannot be compressed: ${reason}.`,
    'Choose the policy "full", which reads it the plain way with its whole KV cache, or another model.',
  );
}

export function cannotReadFast(reason: string): PrecisError {
  return new PrecisError(
    "model-unsupported",
    `This model cannot be read fast: ${reason}.`,
    "Choose thorough reading, or another model.",
  );
}

export function nativeError(error: unknown): unknown {
  const { code, message } = error as { code?: unknown; message?: string };
  if (code === "cancelled") return cancelled();
  if (code === "out-of-memory") {
    return new PrecisError(
      "out-of-memory",
      `There is not enough memory: ${message}.`,
      "Close other programs, or choose a smaller memory budget.",
      { cause: error },
    );
  }
  if (code === "model-unsupported") {
    return new PrecisError("model-unsupported", `This model cannot be used: ${message}.`, "Choose another model.", {
      cause: error,
    });
  }
  return error;
}

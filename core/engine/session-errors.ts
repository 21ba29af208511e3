/** What a session says when native code or a model cannot do what is asked. */
import { cancelled, PrecisError } from "../errors.js";
import { said } from "../said.js";

export function cannotCompress(reason: string): PrecisError {
  return new PrecisError(
    "model-unsupported",
    said`The memory of this model cannot be compressed: ${reason}.`,
    said`Choose the policy "full", which reads it the plain way with its whole KV cache, or another model.`,
  );
}

export function cannotReadFast(reason: string): PrecisError {
  return new PrecisError(
    "model-unsupported",
    said`This model cannot be read fast: ${reason}.`,
    said`Choose thorough reading, or another model.`,
  );
}

/** Why native code cannot use the file of a whole cache, as the end of a sentence; undefined: it is another error. */
export function fileRefusal(error: unknown): string | undefined {
  const { code, message = "" } = error as { code?: unknown; message?: string };
  if (code === "disk-full") return said`the disk is too full`;
  return code === "no-file" || code === "refused" ? message : undefined;
}

export function nativeError(error: unknown): unknown {
  const { code, message = "" } = error as { code?: unknown; message?: string };
  if (code === "cancelled") return cancelled();
  if (code === "out-of-memory") {
    return new PrecisError(
      "out-of-memory",
      said`There was not enough memory to go on.`,
      said`Close other programs, or choose less memory for reading.`,
      { cause: error },
    );
  }
  if (code === "model-unsupported") {
    return new PrecisError(
      "model-unsupported",
      said`This model cannot be used: ${message}.`,
      said`Choose another model.`,
      {
        cause: error,
      },
    );
  }
  return error;
}

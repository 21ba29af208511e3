import { toPrecisError } from "../core/errors.js";
import type { WireError } from "../core/wire-error.js";

/** The part of an error that the window shows; what nobody foresaw goes to the log whole. */
export function wireError(thrown: unknown): WireError {
  const { code, message, next, cause } = toPrecisError(thrown);
  if (code === "internal") console.error(message, cause);
  return next === undefined ? { code, message } : { code, message, next };
}

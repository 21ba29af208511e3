/** A second signal this soon is the same key press, passed on by npm or tsx as well. */
const SAME_SIGNAL_MS = 300;

/**
 * Ctrl+C cancels, so that everything native is disposed before the process ends; pressed again, it ends the process
 * as it would without us.
 */
export function cancelOnSignals(): AbortController {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      controller.abort();
    } else if (now - first > SAME_SIGNAL_MS) {
      process.removeListener("SIGINT", onSignal);
      process.removeListener("SIGTERM", onSignal);
      process.kill(process.pid, signal);
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return controller;
}

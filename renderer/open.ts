import { useDocuments } from "./stores/documents.js";
import { goesOn, useQueue } from "./stores/queue.js";
import { runOptions, useSettings } from "./stores/settings.js";

/**
 * Opens files. Several at once are queued, too: they are held until the user has made the choices and starts them, or
 * follow with the choices of now where the queue goes on already.
 */
export function openFiles(paths: readonly string[]): void {
  useDocuments.getState().open(paths);
  const all = [...new Set(paths)];
  const queue = useQueue.getState();
  if (all.length > 1) void queue.add(all, goesOn(queue) ? runOptions(useSettings.getState()) : undefined);
}

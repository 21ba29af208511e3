import { powerSaveBlocker } from "electron";

let readings = 0;
let blocker = 0;

/** Keeps the system from going to sleep until `work` has ended; the screen may go dark. */
export async function keepAwake<Value>(work: () => Promise<Value>): Promise<Value> {
  if (readings === 0) blocker = powerSaveBlocker.start("prevent-app-suspension");
  readings += 1;
  try {
    return await work();
  } finally {
    readings -= 1;
    if (readings === 0) powerSaveBlocker.stop(blocker);
  }
}

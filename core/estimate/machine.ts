/** What the computer has for all programs. */
import { totalmem } from "node:os";

/** Bytes of memory, and those of them that programs can still take. */
export interface Machine {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/** As it is now; of the limit that this process lies under, where there is one (a container's). */
export const machineMemory = (): Machine => ({
  totalBytes: Math.min(totalmem(), process.constrainedMemory() || Infinity),
  availableBytes: process.availableMemory(),
});

import type { PrecisApi } from "../electron/contract.js";

declare global {
  interface Window {
    readonly precis: PrecisApi;
  }
}

/** The bridge that the preload put there; read at call time, so that tests can put their own. */
export const precis = (): PrecisApi => window.precis;

/** An id for a run or a document, unique for as long as the window lives. */
export const newId = (): string => crypto.randomUUID();

import { useEffect } from "react";

/** A window that is covered or on another desktop has no frames; it must be ready all the same when it is looked at. */
const patienceMs = 2_000;

let settle = () => {};

/** Settles once the first frame is on the screen: what is not in it waits, so that it comes sooner. */
export const painted = new Promise<void>((resolve) => {
  settle = resolve;
});

/** For what the first frame shows as a whole. */
export function usePainted(): void {
  useEffect(() => {
    requestAnimationFrame(() => setTimeout(settle));
    setTimeout(settle, patienceMs);
  }, []);
}

import { useEffect } from "react";

let settle = () => {};

/** Settles once the first frame is on the screen: what is not in it waits, so that it comes sooner. */
export const painted = new Promise<void>((resolve) => {
  settle = resolve;
});

/** For what the first frame shows as a whole. */
export function usePainted(): void {
  useEffect(() => {
    requestAnimationFrame(() => setTimeout(settle));
  }, []);
}

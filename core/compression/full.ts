import type { Policy, ReadingShape } from "./policy.js";
import { checkOrder, heldEntries, startReading } from "./reading.js";
import { withDefaults } from "./settings.js";

/** No settings. */
export type FullSettings = Record<never, never>;

/**
 * Keeps the whole cache, whatever the budget: what all other policies are compared with. It reads no scores.
 * Each layer keeps all positions before the window in every KV head.
 */
export function full(settings: FullSettings = {}): Policy {
  withDefaults("full", {}, settings);
  return {
    name: "full",
    reduction: undefined,
    keepsAll: true,
    heldEntries(shape) {
      const reading = startWhole(shape);
      return heldEntries(reading, (read) => read * reading.open.length);
    },
    begin(shape) {
      const reading = startWhole(shape);
      const all = Uint32Array.from({ length: reading.before }, (_, position) => position);
      let layersRead = 0;
      return {
        onGroup: (group) =>
          group.map(({ layer }) => {
            checkOrder(reading, layersRead, layer);
            layersRead++;
            return { layer, positions: Array.from({ length: reading.kvHeads }, () => all) };
          }),
      };
    },
  };
}

function startWhole(shape: ReadingShape) {
  return startReading({ ...shape, budget: Number.POSITIVE_INFINITY });
}

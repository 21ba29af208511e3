import { describe, expect, it } from "vitest";
import { holds, reasonOf } from "./limit.js";
import { measurement } from "./measurement.js";
import type { Run } from "./run.js";

const works: Run = { outcome: measurement() };
const starved: Run = {
  failure: "ended with 1:\n[node-llama-cpp] llama_init_from_model: failed to allocate buffer for kv cache\nError: no",
};
const crashed: Run = { failure: "ended with SIGABRT:\nFATAL ERROR: JavaScript heap out of memory" };

describe("the demonstration under a memory limit", () => {
  it("holds when only stock's full cache fails, whatever its quantised caches do", () => {
    expect(holds([works, works, starved, works, works, works])).toBe(true);
    expect(holds([works, works, starved, starved, starved, works])).toBe(true);
  });

  it("does not hold when stock fails for another reason, works, or fails with a small cache too", () => {
    expect(holds([works, works, crashed, works, works, works])).toBe(false);
    expect(holds([works, works, works, works, works, works])).toBe(false);
    expect(holds([works, starved, starved, works, works, works])).toBe(false);
    expect(holds([starved, works, starved, works, works, works])).toBe(false);
  });

  it("does not hold when ours fails, or could not be tried", () => {
    expect(holds([works, works, starved, works, works, starved])).toBe(false);
    expect(holds([works, works, starved, works, works, { outcome: { impossible: "too small" } }])).toBe(false);
  });

  it("names the cause of a failure, not the line below it", () => {
    expect(reasonOf((starved as { failure: string }).failure)).toBe(
      "llama_init_from_model: failed to allocate buffer for kv cache",
    );
    expect(reasonOf((crashed as { failure: string }).failure)).toBe("FATAL ERROR: JavaScript heap out of memory");
    expect(reasonOf("ended with 1:\nnode:internal\n^\n[Error: layer 0 has no room] { code: 'failed' }")).toMatch(
      /layer 0/,
    );
    expect(reasonOf("ended with 1:\nnothing known")).toBe("ended with 1: nothing known");
  });
});

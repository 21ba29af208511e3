import { expect, it, vi } from "vitest";
import { parseBudget } from "../../core/estimate/estimate.js";
import { leastShare, lesserShare, type Reach } from "../../renderer/view/budget.js";
import { openingSteps, runSteps } from "../../renderer/view/steps.js";
import { model } from "./support.js";

it("offers the share that a too small budget's own advice names", () => {
  let refused: { code: string; message: string; next?: string } | undefined;
  try {
    parseBudget("1%", model, 1_000, 50);
  } catch (error) {
    refused = error as typeof refused;
  }
  const setShare = vi.fn();
  const [step] = runSteps(refused ?? { code: "", message: "" }, { start: vi.fn(), setShare });
  step?.act();
  expect(step?.label).toBe("Raise the memory to 5.1 %");
  expect(setShare).toHaveBeenCalledWith(5.1);
});

it("offers less memory where that ran out: the most that fits, or the next stop below what failed", () => {
  const acts = { start: vi.fn(), setShare: vi.fn() };
  const ranOut = (share: number, reach?: Reach) =>
    runSteps({ code: "out-of-memory", message: "" }, acts, lesserShare(share, reach)).map(({ label }) => label);
  expect(ranOut(63.5, { least: 2, most: 20.3 })).toEqual(["Set the memory to 20.3 %", "Start again"]);
  expect(ranOut(25, { least: 2, most: 60 })).toEqual(["Set the memory to 15 %", "Start again"]);
  expect(ranOut(25, { least: 2, most: undefined })).toEqual(["Set the memory to 15 %", "Start again"]);
  expect(ranOut(leastShare)).toEqual(["Start again"]);
});

it("starts again after the worker died, and offers no vain repetition for a document that is too long", () => {
  const acts = { start: vi.fn(), setShare: vi.fn() };
  expect(runSteps({ code: "worker-died", message: "" }, acts).map((step) => step.label)).toEqual(["Start again"]);
  expect(runSteps({ code: "too-long", message: "" }, acts)).toEqual([]);
});

it("puts first what can help: another try for a missing file, closing for a damaged one", () => {
  const acts = { retry: vi.fn(), close: vi.fn() };
  openingSteps({ code: "file-missing", message: "" }, acts)[0]?.act();
  expect(acts.retry).toHaveBeenCalledOnce();
  openingSteps({ code: "pdf-damaged", message: "" }, acts)[0]?.act();
  expect(acts.close).toHaveBeenCalledOnce();
});

import { expect, it, vi } from "vitest";
import { parseBudget } from "../../core/estimate/estimate.js";
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

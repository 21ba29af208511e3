import { beforeEach, describe, expect, it, vi } from "vitest";
import type { CommandInput, Outcome, PrecisApi, SummaryResult } from "../../electron/contract.js";
import { bridge, deferred, storedRun, stubStorage, summaryResult } from "./support.js";

stubStorage();
const { useQuestions } = await import("../../renderer/stores/questions.js");
const { useRuns } = await import("../../renderer/stores/runs.js");

type Asked = CommandInput<"ask">;

/** A document with a finished summary, and what is asked about it. */
async function summarised(replaced: Partial<PrecisApi>) {
  const asked: Asked[] = [];
  const cancel = vi.fn(async () => ({ ok: true, value: undefined }) as const);
  bridge({
    storedRun: async () => ({ ok: true, value: storedRun("It settled.") }),
    cancel,
    ...replaced,
    ask: async (input) => {
      asked.push(input);
      return (await replaced.ask?.(input)) ?? { ok: true, value: summaryResult("41 cm.") };
    },
  });
  await useRuns.getState().restore("d", "/d.pdf");
  return { asked, cancel };
}

const questions = () => useQuestions.getState().questions;

beforeEach(() => {
  useRuns.setState({ runs: {} });
  useQuestions.setState({ questions: [] });
});

describe("questions", () => {
  it("are asked with the summary's own memory, and answered", async () => {
    const { asked } = await summarised({});
    useQuestions.getState().ask("d", "How much?", "memory");
    await vi.waitFor(() => expect(questions()).toMatchObject([{ phase: "done", result: { text: "41 cm." } }]));
    const { options } = useRuns.getState().runs.d!;
    expect(asked).toMatchObject([
      { documentId: "d", from: "memory", options: { ...options, length: "short", question: "How much?" } },
    ]);
  });

  it("show what is written as it comes, each its own", async () => {
    const answer = deferred<Outcome<SummaryResult>>();
    await summarised({ ask: () => answer.promise });
    const { ask, wrote, progressed } = useQuestions.getState();
    ask("d", "How much?", "document");
    ask("d", "Since when?", "memory");
    const [first] = questions();
    progressed(first!.runId, { stage: "reading", fraction: 0.5, elapsedMs: 1 });
    expect(questions().map(({ phase }) => phase)).toEqual(["reading", "waiting"]);
    wrote(first!.runId, "41 ");
    wrote(first!.runId, "cm");
    expect(questions().map(({ text }) => text)).toEqual(["41 cm", ""]);
    answer.resolve({ ok: false, error: { code: "out-of-memory", message: "No room." } });
    await vi.waitFor(() => expect(questions()[0]).toMatchObject({ phase: "failed", error: { message: "No room." } }));
  });

  it("and answers of earlier come back with their summary, in order, and go when they are removed", async () => {
    const { result } = storedRun("41 cm.");
    const earlier = { id: "earlier", asked: 1, question: "How much?", from: "document", result } as const;
    const removed: unknown[] = [];
    let full = true;
    await summarised({
      storedRun: async () => ({ ok: true, value: { ...storedRun("It settled."), answers: [earlier] } }),
      removeAnswer: async (input) => {
        removed.push(input);
        return full
          ? { ok: false, error: { code: "library-unreadable", message: "Full." } }
          : { ok: true, value: undefined };
      },
    });
    expect(questions()).toMatchObject([{ question: "How much?", from: "document", phase: "done", text: "41 cm." }]);
    useQuestions.getState().ask("d", "Since when?", "memory");
    await vi.waitFor(() => expect(questions().map(({ phase }) => phase)).toEqual(["done", "done"]));
    const { remove } = useQuestions.getState();
    await remove("earlier");
    expect(questions()[0]).toMatchObject({ question: "How much?", unremoved: { message: "Full." } });
    full = false;
    await remove("earlier");
    expect(removed).toEqual(Array(2).fill({ documentId: "d", answerId: "earlier" }));
    expect(questions().map(({ question }) => question)).toEqual(["Since when?"]);
  });

  it("without an answer are removed from the window alone", async () => {
    await summarised({ ask: async () => ({ ok: false, error: { code: "cancelled", message: "Cancelled." } }) });
    useQuestions.getState().ask("d", "How much?", "memory");
    await vi.waitFor(() => expect(questions()).toMatchObject([{ phase: "cancelled" }]));
    await useQuestions.getState().remove(questions()[0]!.runId);
    expect(questions()).toEqual([]);
  });

  it("cannot be asked without a summary, and go with it", async () => {
    const answer = deferred<Outcome<SummaryResult>>();
    const { asked, cancel } = await summarised({ ask: () => answer.promise });
    useQuestions.getState().ask("other", "How much?", "memory");
    expect(asked).toEqual([]);
    useQuestions.getState().ask("d", "How much?", "memory");
    const runId = questions()[0]?.runId;
    useRuns.getState().clear("d");
    expect(questions()).toEqual([]);
    expect(cancel).toHaveBeenCalledWith({ runId });
  });
});

/** Questions about documents that were summarised. They belong to a summary, and go when it goes. */
import { create } from "zustand";
import type { AnswerSource, Progress, SummaryResult, WireError } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { useRuns } from "./runs.js";

export interface Question {
  readonly runId: string;
  readonly documentId: string;
  readonly question: string;
  readonly from: AnswerSource;
  readonly phase: "waiting" | "reading" | "writing" | "done" | "failed" | "cancelled";
  readonly progress: Progress | undefined;
  readonly text: string;
  readonly result: SummaryResult | undefined;
  readonly error: WireError | undefined;
  /** Cancel was sent; the worker has not answered yet. */
  readonly stopping: boolean;
}

interface QuestionsStore {
  /** In the order in which they were asked. */
  readonly questions: readonly Question[];
  /** Asks with the memory, policy and language of the document's summary, which must be finished. */
  ask(documentId: string, question: string, from: AnswerSource): void;
  cancel(runId: string): void;
  /** Forgets a document's questions, cancelling those that are not answered. */
  forget(documentId: string): void;
  progressed(runId: string, progress: Progress): void;
  wrote(runId: string, text: string): void;
}

export const isOpen = ({ phase }: Question): boolean =>
  phase === "waiting" || phase === "reading" || phase === "writing";

export const useQuestions = create<QuestionsStore>((set, get) => {
  const update = (runId: string, change: (question: Question) => Partial<Question>) =>
    set(({ questions }) => ({
      questions: questions.map((one) => (one.runId === runId ? { ...one, ...change(one) } : one)),
    }));

  return {
    questions: [],
    ask(documentId, question, from) {
      const run = useRuns.getState().runs[documentId];
      if (run?.phase !== "done") return;
      const runId = newId();
      const asked: Question = {
        runId,
        documentId,
        question,
        from,
        phase: "waiting",
        progress: undefined,
        text: "",
        result: undefined,
        error: undefined,
        stopping: false,
      };
      set(({ questions }) => ({ questions: [...questions, asked] }));
      const { style: _style, focus: _focus, ...summaryOptions } = run.options;
      const options = { ...summaryOptions, length: "short", question } as const;
      void precis()
        .ask({ runId, documentId, options, from })
        .then((outcome) =>
          update(runId, () => {
            if (outcome.ok) return { phase: "done", result: outcome.value };
            return outcome.error.code === "cancelled"
              ? { phase: "cancelled" }
              : { phase: "failed", error: outcome.error };
          }),
        );
    },
    cancel(runId) {
      update(runId, () => ({ stopping: true }));
      void precis().cancel({ runId });
    },
    forget(documentId) {
      const own = get().questions.filter((question) => question.documentId === documentId);
      for (const question of own) if (isOpen(question)) void precis().cancel({ runId: question.runId });
      if (own.length > 0) set(({ questions }) => ({ questions: questions.filter((one) => !own.includes(one)) }));
    },
    progressed(runId, progress) {
      update(runId, (question) =>
        isOpen(question) ? { progress, phase: progress.stage === "writing" ? "writing" : "reading" } : {},
      );
    },
    wrote(runId, text) {
      update(runId, (question) => (isOpen(question) ? { phase: "writing", text: question.text + text } : {}));
    },
  };
});

useRuns.subscribe(({ runs }, { runs: before }) => {
  for (const [documentId, run] of Object.entries(before)) {
    if (runs[documentId]?.runId !== run.runId) useQuestions.getState().forget(documentId);
  }
});

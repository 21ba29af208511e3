/** Questions about documents that were summarised. They belong to a summary, and go when another takes its place. */
import { create } from "zustand";
import type { Answer, AnswerSource, Progress, SummaryResult, WireError } from "../../electron/contract.js";
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
  /** Why the library keeps it though it was to be removed. */
  readonly unremoved: WireError | undefined;
  /** Cancel was sent; the worker has not answered yet. */
  readonly stopping: boolean;
}

interface QuestionsStore {
  /** In the order in which they were asked. */
  readonly questions: readonly Question[];
  /** Asks with the memory, policy and language of the document's summary, which must be finished. */
  ask(documentId: string, question: string, from: AnswerSource): void;
  cancel(runId: string): void;
  /** Takes a question away, and its answer out of the library. */
  remove(runId: string): Promise<void>;
  /** Shows what the library has of questions about a document. */
  restore(documentId: string, answers: readonly Answer[]): void;
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
      set(({ questions }) => ({ questions: [...questions, newQuestion(runId, documentId, question, from)] }));
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
    async remove(runId) {
      const question = get().questions.find((one) => one.runId === runId);
      if (!question) return;
      if (question.result) {
        const outcome = await precis().removeAnswer({ documentId: question.documentId, answerId: runId });
        if (!outcome.ok) return update(runId, () => ({ unremoved: outcome.error }));
      }
      set(({ questions }) => ({ questions: questions.filter((one) => one.runId !== runId) }));
    },
    restore(documentId, answers) {
      const own = answers.map(({ id, question, from, result }) => ({
        ...newQuestion(id, documentId, question, from),
        phase: "done" as const,
        text: result.text,
        result,
      }));
      set(({ questions }) => ({ questions: [...own, ...questions] }));
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

function newQuestion(runId: string, documentId: string, question: string, from: AnswerSource): Question {
  return {
    runId,
    documentId,
    question,
    from,
    phase: "waiting",
    progress: undefined,
    text: "",
    result: undefined,
    error: undefined,
    unremoved: undefined,
    stopping: false,
  };
}

useRuns.subscribe(({ runs }, { runs: before }) => {
  const { forget, restore } = useQuestions.getState();
  for (const documentId of Object.keys(before)) {
    if (runs[documentId]?.runId !== before[documentId]?.runId) forget(documentId);
  }
  for (const [documentId, { runId, answers }] of Object.entries(runs)) {
    if (before[documentId]?.runId !== runId && answers.length > 0) restore(documentId, answers);
  }
});

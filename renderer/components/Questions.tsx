import { type FormEvent, useId, useState } from "react";
import { type AnswerSource, type SummaryResult, savedCacheWords } from "../../electron/contract.js";
import type { Question } from "../stores/questions.js";
import { isOpen, useQuestions } from "../stores/questions.js";
import { formatBytes, formatRemaining } from "../view/format.js";
import { ErrorNote } from "./ErrorNote.js";
import { Prose } from "./Prose.js";

/** Questions about a document that was summarised, and their answers, the newest first. */
export function Questions({ documentId, result }: { documentId: string; result: SummaryResult }) {
  const questions = useQuestions((store) => store.questions);
  const own = questions.filter((question) => question.documentId === documentId).reverse();
  return (
    <section className="questions" aria-label="Questions">
      <Ask documentId={documentId} result={result} />
      {own.map((question) => (
        <Answer key={question.runId} question={question} />
      ))}
    </section>
  );
}

/** Why nothing is left that a question could be answered from; undefined when something is. */
function noMemory({ policy, parts }: SummaryResult): string | undefined {
  if (parts.length > 1) return "This document was read in parts, so each question reads it again.";
  if (policy === "full") return "The full cache is not saved, so each question reads the document again.";
  return undefined;
}

function Ask({ documentId, result }: { documentId: string; result: SummaryResult }) {
  const ask = useQuestions((store) => store.ask);
  const [text, setText] = useState("");
  const id = useId();
  const empty = text.trim() === "";
  const why = noMemory(result);
  const send = (from: AnswerSource) => {
    if (empty) return;
    ask(documentId, text.trim(), from);
    setText("");
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send(why ? "document" : "memory");
  };
  const readingTime = formatRemaining(result.timings.prefillMs + result.timings.compressMs);
  return (
    <form onSubmit={onSubmit}>
      <label htmlFor={id}>Ask about this document</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        maxLength={4_000}
        value={text}
        aria-describedby={`${id}-note`}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="buttons">
        {!why && (
          <button type="submit" disabled={empty}>
            Answer from memory
          </button>
        )}
        <button
          type={why ? "submit" : "button"}
          className={why ? "" : "quiet"}
          disabled={empty}
          onClick={why ? undefined : () => send("document")}
        >
          Read again for this question
        </button>
      </div>
      <p id={`${id}-note`} className="small">
        {why ?? `Memory is the ${formatBytes(result.kv.retainedBytes)} that reading kept for the summary.`} Reading
        again takes about {readingTime} and keeps what the question needs.
      </p>
    </form>
  );
}

function Answer({ question }: { question: Question }) {
  return (
    <div className="answer">
      <h3>{question.question}</h3>
      <AnswerBody question={question} />
    </div>
  );
}

function AnswerBody({ question }: { question: Question }) {
  const { ask, cancel } = useQuestions();
  const again = (from: AnswerSource) => ask(question.documentId, question.question, from);
  if (isOpen(question)) {
    return (
      <>
        {question.text !== "" && <Prose text={question.text} writing />}
        <div className="answer-state">
          <p className="small" role="status">
            {stateWords(question)}
          </p>
          <button type="button" className="quiet" onClick={() => cancel(question.runId)}>
            Cancel
          </button>
        </div>
      </>
    );
  }
  const { error, result } = question;
  if (error) {
    const steps = [{ label: "Ask again", act: () => again(question.from) }];
    return <ErrorNote title="The question could not be answered" error={error} steps={steps} />;
  }
  if (!result) return <p className="small">Cancelled.</p>;
  const { savedCache } = result;
  const provenance = savedCache ? savedCacheWords[savedCache] : readWords(question);
  return (
    <>
      <Prose text={result.text} result={result} />
      <p className="small">{provenance}</p>
      {result.warnings
        .filter((warning) => warning !== provenance)
        .map((warning) => (
          <p key={warning} className="small">
            {warning}
          </p>
        ))}
      {savedCache && (
        <button type="button" className="quiet" onClick={() => again("document")}>
          Read again for this question
        </button>
      )}
    </>
  );
}

function readWords({ from }: Question): string {
  return from === "document"
    ? "The document was read again for this question."
    : "Nothing was left in memory: the document was read again for this question.";
}

function stateWords({ phase, progress, stopping }: Question): string {
  if (stopping) return "Cancelling…";
  if (phase === "waiting") return "Looking into memory…";
  if (phase === "writing") return "Writing…";
  const left = progress?.remainingMs === undefined ? "" : `, about ${formatRemaining(progress.remainingMs)} left`;
  return `Reading again, ${Math.floor(100 * (progress?.fraction ?? 0))} %${left}`;
}

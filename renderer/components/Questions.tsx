import { type FormEvent, useEffect, useRef, useState } from "react";
import type { AnswerSource, SummaryResult } from "../../electron/contract.js";
import { savedCacheWords } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import type { Question } from "../stores/questions.js";
import { isOpen, useQuestions } from "../stores/questions.js";
import { errorWords, fileName, formatBytes, formatFraction, formatRemaining, joinSentences } from "../view/format.js";
import { ErrorNote } from "./ErrorNote.js";
import { Prose } from "./Prose.js";

/** Questions about a document that was summarised, and their answers, the newest first. */
export function Questions({ documentId, result }: { documentId: string; result: SummaryResult }) {
  const questions = useQuestions((store) => store.questions);
  const own = questions.filter((question) => question.documentId === documentId).reverse();
  return (
    <section className="questions" aria-label={t("questions.title")}>
      <Ask documentId={documentId} result={result} />
      {own.map((question) => (
        <Answer key={question.runId} question={question} />
      ))}
    </section>
  );
}

/** Why nothing is left that a question could be answered from; undefined when something is. */
function noMemory({ policy, parts, document, furtherDocuments }: SummaryResult): string | undefined {
  if (furtherDocuments.length > 0) return t("questions.ofOne", { name: fileName(document.path) });
  if (parts.length > 1) return t("questions.inParts");
  if (policy === "full") return t("questions.fullCache");
  return undefined;
}

/** Where a question is asked, and where the focus goes when one is removed. */
const inputId = "question";

function Ask({ documentId, result }: { documentId: string; result: SummaryResult }) {
  const ask = useQuestions((store) => store.ask);
  const [text, setText] = useState("");
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
      <label htmlFor={inputId}>{t("questions.ask")}</label>
      <input
        id={inputId}
        type="text"
        autoComplete="off"
        maxLength={4_000}
        value={text}
        aria-describedby="question-note"
        onChange={(event) => setText(event.target.value)}
      />
      <div className="buttons">
        {!why && (
          <button type="submit" disabled={empty}>
            {t("questions.fromMemory")}
          </button>
        )}
        <button type={why ? "submit" : "button"} disabled={empty} onClick={why ? undefined : () => send("document")}>
          {t("questions.readAgain")}
        </button>
      </div>
      <p id="question-note" className="small">
        {joinSentences(
          why ?? t("questions.memory", { bytes: formatBytes(result.kv.retainedBytes) }),
          t("questions.readingTime", { time: readingTime }),
        )}
      </p>
    </form>
  );
}

function Answer({ question }: { question: Question }) {
  const place = useRef<HTMLDivElement>(null);
  const asked = isOpen(question);
  // Once, when it is asked: the answer will stand where the eye is, and whoever scrolls on is left alone.
  // biome-ignore lint/correctness/useExhaustiveDependencies: not when it is answered
  useEffect(() => {
    if (asked) place.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <div className="answer" ref={place}>
      <h3>{question.question}</h3>
      <AnswerBody question={question} />
      {!isOpen(question) && <Remove question={question} />}
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
            {t("common.cancel")}
          </button>
        </div>
      </>
    );
  }
  const { error, result } = question;
  if (error) {
    const steps = [{ label: t("questions.again"), act: () => again(question.from) }];
    return <ErrorNote title={t("questions.failed")} error={error} steps={steps} />;
  }
  if (!result) return <p className="small">{t("questions.cancelled")}</p>;
  const { savedCache } = result;
  const provenance = savedCache ? t(savedWords[savedCache]) : readWords(question);
  return (
    <>
      <Prose text={result.text} result={result} />
      <p className="small">{provenance}</p>
      {result.warnings
        .filter((warning) => !savedCache || warning !== savedCacheWords[savedCache])
        .map((warning) => (
          <p key={warning} className="small">
            {translated(warning)}
          </p>
        ))}
      {savedCache && savedCache !== "whole" && (
        <button type="button" onClick={() => again("document")}>
          {t("questions.readAgain")}
        </button>
      )}
    </>
  );
}

/** Takes a question away. An answer is kept with the document, so that is asked once. */
function Remove({ question: { runId, result, unremoved } }: { question: Question }) {
  const remove = useQuestions((store) => store.remove);
  const [asking, setAsking] = useState(false);
  const now = () => void remove(runId).then(() => document.getElementById(inputId)?.focus());
  if (!asking) {
    return (
      <button type="button" className="quiet" onClick={result ? () => setAsking(true) : now}>
        {t("questions.remove")}
      </button>
    );
  }
  return (
    <div className="confirm" role="alert">
      <p>{t("questions.removeAsked")}</p>
      {unremoved && <p>{errorWords(unremoved)}</p>}
      <div className="buttons">
        <button type="button" className="danger" onClick={now}>
          {t("delete.confirm")}
        </button>
        <button type="button" onClick={() => setAsking(false)}>
          {t("common.keep")}
        </button>
      </div>
    </div>
  );
}

const savedWords = {
  same: "questions.savedSame",
  other: "questions.savedOther",
  whole: "questions.savedWhole",
} as const;

function readWords({ from }: Question): string {
  return from === "document" ? t("questions.wasRead") : t("questions.nothingLeft");
}

function stateWords({ phase, progress, stopping }: Question): string {
  if (stopping) return t("state.cancelling");
  if (phase === "waiting") return t("questions.looking");
  if (phase === "writing") return t("questions.writing");
  const share = formatFraction(progress?.fraction ?? 0);
  return progress?.remainingMs === undefined
    ? t("questions.reading", { share })
    : t("questions.readingLeft", { share, time: formatRemaining(progress.remainingMs) });
}

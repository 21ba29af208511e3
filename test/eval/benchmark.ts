/** What a benchmark is: cases, what is measured on each, and the figures made of that. */
import type { DocumentSession } from "../../core/engine/session.js";
import type { Sampling } from "../../core/engine/types.js";
import type { AnswerLength } from "../../core/summarize/options.js";
import type { SourceDocument } from "./documents.js";

/** Settings are chosen on `tuning`, and reported on `reporting`: other documents, other seeds. */
export type Split = "tuning" | "reporting";

/** Minutes, an hour or so, hours. A smaller size's cases are among a larger one's. */
export type Size = "quick" | "usual" | "full";

export interface Case {
  /** A file name. */
  readonly id: string;
  readonly document: string;
  readonly options: { readonly length: AnswerLength; readonly question?: string };
  /** What it is counted under, beside all: its length, its kind. */
  readonly groups: readonly string[];
}

export interface Setting {
  readonly split: Split;
  readonly size: Size;
  /** Tokens of a prompt, about; undefined: the benchmark's own. */
  readonly lengths: readonly number[] | undefined;
  /** Of the split, in their order. */
  readonly documents: readonly SourceDocument[];
  /** Tokens of a text. */
  measure(text: string): number;
}

/** The full cache's own answer. */
export interface Baseline {
  readonly text: string;
}

/** What one measurement gives. Scores are made of it at once: an answer's text may hold sentences of the document. */
export type Raw = Readonly<Record<string, number | string>>;

/** By the metrics' keys: all that is kept of a measurement. */
export type Scores = Readonly<Record<string, number>>;

export interface Metric {
  readonly key: string;
  readonly title: string;
  readonly better: "lower" | "higher";
  readonly unit: "nats" | "%" | "ratio";
}

export interface Benchmark<C extends Case = Case> {
  readonly name: string;
  readonly title: string;
  /** What a case is and what counts, in a sentence or two, for the page. */
  readonly about: string;
  readonly metrics: readonly Metric[];
  cases(setting: Setting): C[];
  /** @param session holds the full cache */
  baseline(session: DocumentSession, one: C): Promise<Baseline>;
  /** Whether the full cache's answer makes the case worth asking. */
  counts(one: C, baseline: Baseline): boolean;
  /**
   * Gets ready to measure any choice.
   * @param session holds the full cache
   * @param answer tokens of the full cache's answer
   */
  prepare(session: DocumentSession, one: C, answer: Uint32Array): Promise<(session: DocumentSession) => Promise<Raw>>;
  /** What the full cache would get. */
  full(baseline: Baseline): Raw;
  score(one: C, baseline: Baseline, raw: Raw): Scores;
}

/** As the product writes summaries and answers, without chance. */
export const greedy = (repeatPenalty: number): Sampling => ({
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repeatPenalty,
  seed: 1,
});

/** How far a run is and how long it will still take: one reading and one answer, or many of them. */
import type { ReadingProgress } from "../engine/types.js";
import { addWork, noWork, type Speed, timeOf, type Work } from "./speed.js";

/** Which part of a document is being read, where there are several. */
export interface PartProgress {
  /** 1-based; `count` while what was noted of the parts is joined. */
  readonly number: number;
  readonly count: number;
  /** Why the document is read in parts, as the end of a sentence that begins "because". */
  readonly why: string;
}

export interface SummaryProgress {
  /** Reading several parts includes all that is written on the way to the answer. */
  readonly stage: "reading" | "writing";
  /** 0..1 within the stage; of writing, the share of the longest answer allowed. */
  readonly fraction: number;
  readonly elapsedMs: number;
  /** Until the answer is whole. */
  readonly remainingMs?: number | undefined;
  readonly part?: PartProgress;
}

export type OnProgress = (progress: SummaryProgress) => void;

/** What one step of a run reports to. */
export interface StepProgress {
  reading(progress: ReadingProgress): void;
  /** A piece of text was written, about one a token. */
  wrote(): void;
}

/** The progress of a run of one step. */
export function stepProgress(onProgress: OnProgress | undefined, maxTokens: number): StepProgress {
  let started: number | undefined;
  let pieces = 0;
  return {
    reading: ({ fraction, elapsedMs, remainingMs }) =>
      onProgress?.({ stage: "reading", fraction, elapsedMs, remainingMs }),
    wrote() {
      started ??= performance.now();
      pieces += 1;
      const fraction = Math.min(1, pieces / maxTokens);
      onProgress?.({ stage: "writing", fraction, elapsedMs: performance.now() - started });
    },
  };
}

/** The progress of a run of many steps, in the time that their work takes. */
export class PartsProgress {
  private readonly started = performance.now();
  /** What is still to be done, by names that the run gives. */
  private readonly expected = new Map<string, Work>();
  private done = noWork;
  /** Of this run's own steps, from which the speed is learnt. */
  private measured = { work: noWork, readMs: 0, writeMs: 0 };
  private last = 0;
  private number = 1;

  constructor(
    private readonly onProgress: OnProgress | undefined,
    /** What is known of the machine before the first step has ended. */
    private speed: Speed,
    private readonly parts: { readonly count: number; readonly why: string },
  ) {}

  /** Work that lies ahead, under a name: said again, it replaces what was expected before. */
  expect(name: string, work: Work): void {
    this.expected.set(name, work);
  }

  /** It is done; what it took is known only for a step of this run. */
  finished(name: string, work: Work, took?: { readonly readMs: number; readonly writeMs: number }): void {
    this.expected.delete(name);
    this.done = addWork(this.done, work);
    if (!took) return;
    const { work: before, readMs, writeMs } = this.measured;
    this.measured = {
      work: addWork(before, work),
      readMs: readMs + took.readMs,
      writeMs: writeMs + took.writeMs,
    };
    const total = this.measured;
    this.speed = {
      read: total.work.read > 0 ? total.readMs / total.work.read : this.speed.read,
      write: total.work.write > 0 ? total.writeMs / total.work.write : this.speed.write,
    };
  }

  /**
   * A step begins.
   * @param number of the part that it reads, or of the last one when it joins what was noted
   * @param answers what is written is the answer itself
   */
  step(name: string, number: number, answers: boolean): StepProgress {
    this.number = number;
    this.report(noWork);
    const work = this.expected.get(name) ?? noWork;
    const writing = answers ? stepProgress(this.onProgress, work.write) : undefined;
    let pieces = 0;
    return {
      reading: ({ fraction, elapsedMs }) => {
        // until a step has ended, this one says more about the machine than the trial did
        if (this.measured.work.read === 0 && fraction > 0.1) {
          this.speed = { ...this.speed, read: elapsedMs / (fraction * work.read) };
        }
        this.report({ read: fraction * work.read, write: 0 });
      },
      wrote: () => {
        pieces += 1;
        if (writing) writing.wrote();
        else this.report({ read: work.read, write: Math.min(pieces, work.write) });
      },
    };
  }

  /** @param within what is done of the step at work */
  private report(within: Work): void {
    const { speed } = this;
    const spent = timeOf(addWork(this.done, within), speed);
    let ahead = 0;
    for (const work of this.expected.values()) ahead += timeOf(work, speed);
    const remainingMs = Math.max(0, ahead - timeOf(within, speed));
    // what was expected may prove too little; the bar does not go back for that
    this.last = Math.max(this.last, Math.min(1, spent / (spent + remainingMs || 1)));
    const part = { ...this.parts, number: this.number };
    const elapsedMs = performance.now() - this.started;
    this.onProgress?.({ stage: "reading", fraction: this.last, elapsedMs, remainingMs, part });
  }
}

/** What the command line prints where: progress and errors to stderr, the answer alone to stdout. */
import type { PrecisError } from "../errors.js";
import { formatDuration } from "../format.js";

export interface ProgressLine {
  /** What goes on, in a word or two. */
  readonly stage: string;
  /** 0..1 */
  readonly fraction: number;
  readonly remainingMs?: number;
}

/** Progress as one of three: a bar redrawn in place, a plain line for each tenth, or nothing. */
export class ProgressView {
  private stage = "";
  private tenth = -1;
  private barShown = false;

  constructor(private readonly kind: "bar" | "lines" | "none") {}

  static for(quiet: boolean): ProgressView {
    return new ProgressView(quiet ? "none" : process.stderr.isTTY ? "bar" : "lines");
  }

  update(line: ProgressLine): void {
    if (this.kind === "bar") {
      process.stderr.write(`\r\u001b[K${barText(line)}`);
      this.barShown = true;
    } else if (this.kind === "lines") {
      const tenth = Math.floor(line.fraction * 10);
      if (line.stage === this.stage && tenth <= this.tenth) return;
      this.stage = line.stage;
      this.tenth = tenth;
      process.stderr.write(`${plainText(line)}\n`);
    }
  }

  /** Takes the bar away, before something else is written to the terminal. */
  clear(): void {
    if (this.barShown) process.stderr.write("\r\u001b[K");
    this.barShown = false;
  }

  /** A line about the run that is no error; nothing with --quiet. */
  note(text: string): void {
    if (this.kind !== "none") this.line(text);
  }

  /** What was not done as asked: shown with --quiet, too. */
  warn(text: string): void {
    this.line(`Warning: ${text}`);
  }

  private line(text: string): void {
    this.clear();
    process.stderr.write(`${text}\n`);
  }
}

const BAR_WIDTH = 30;

function barText(line: ProgressLine): string {
  const filled = Math.round(line.fraction * BAR_WIDTH);
  const bar = `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}]`;
  return `${line.stage.padEnd(15)} ${bar} ${plainFigures(line)}`;
}

function plainText(line: ProgressLine): string {
  return `${line.stage}: ${plainFigures(line)}`;
}

function plainFigures({ fraction, remainingMs }: ProgressLine): string {
  const left = remainingMs === undefined ? "" : `, ${formatDuration(Math.max(0, remainingMs))} left`;
  return `${Math.floor(fraction * 100)} %${left}`;
}

/** Writes the answer to stdout; once its reader is gone (`| head`), what follows is dropped and `onClosed` called. */
export class Output {
  private closed = false;

  constructor(onClosed: () => void) {
    process.stdout.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (this.closed) return;
      this.closed = true;
      onClosed();
    });
  }

  write(text: string): void {
    if (!this.closed) process.stdout.write(text);
  }

  /** Resolves once everything written has left the process. */
  async flush(): Promise<void> {
    if (!this.closed) await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  }
}

/** One line, or two when there is something to do next. */
export function printError(error: PrecisError, about?: string): void {
  const subject = about ? `${about}: ` : "";
  process.stderr.write(`precis: ${subject}${error.message}${error.next ? ` ${error.next}` : ""}\n`);
}

/** The exit code that an error means. */
export function exitCodeOf(error: PrecisError): number {
  if (error.code === "cancelled") return 130;
  return error.code === "usage" || error.code === "budget-invalid" ? 2 : 1;
}

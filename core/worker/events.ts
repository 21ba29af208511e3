import type { Progress } from "./protocol.js";

/** About 60 messages a second: as often as a window can paint. */
const INTERVAL_MS = 16;

export type StreamEvent = { kind: "progress"; progress: Progress } | { kind: "text"; text: string };

/**
 * One request's events, coalesced: text is joined and of progress only the latest is sent, both at most once per
 * interval; the first one goes out at once.
 */
export class EventStream {
  private pendingText = "";
  private pendingProgress: Progress | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly send: (event: StreamEvent) => void) {}

  text(text: string): void {
    this.pendingText += text;
    this.schedule();
  }

  progress(progress: Progress): void {
    this.pendingProgress = progress;
    this.schedule();
  }

  /** Sends what is pending; call it before the request's answer. */
  end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flush();
  }

  private schedule(): void {
    if (this.timer) return;
    this.flush();
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.pendingText !== "" || this.pendingProgress) this.schedule();
    }, INTERVAL_MS);
  }

  private flush(): void {
    const progress = this.pendingProgress;
    const text = this.pendingText;
    this.pendingProgress = undefined;
    this.pendingText = "";
    if (progress) this.send({ kind: "progress", progress });
    if (text !== "") this.send({ kind: "text", text });
  }
}

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { exitCodeOf, ProgressView, printError } from "../../core/cli/terminal.js";
import { type ErrorCode, PrecisError } from "../../core/errors.js";

let printed: string;

beforeEach(() => {
  printed = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

function read(view: ProgressView): void {
  for (let percent = 0; percent <= 100; percent += 1) {
    view.update({ stage: "Reading", fraction: percent / 100, remainingMs: 1000 * (100 - percent) });
  }
}

describe("progress", () => {
  test("is a line for each tenth where there is no terminal", () => {
    read(new ProgressView("lines"));
    const lines = printed.trimEnd().split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe("Reading: 0 %, 1 min 40 s left");
    expect(lines[10]).toBe("Reading: 100 %, 0.0 s left");
    expect(printed).not.toContain("\u001b");
  });

  test("starts again with the next stage", () => {
    const view = new ProgressView("lines");
    view.update({ stage: "Loading model", fraction: 1 });
    view.update({ stage: "Reading", fraction: 0.05 });
    expect(printed).toBe("Loading model: 100 %\nReading: 5 %\n");
  });

  test("is one bar on a terminal, taken away before anything else", () => {
    const view = new ProgressView("bar");
    read(view);
    expect(printed).toContain(`[${"#".repeat(15)}${".".repeat(15)}] 50 %, 50 s left`);
    expect(printed).not.toContain("\n");
    view.note("Done.");
    expect(printed.endsWith("\r\u001b[KDone.\n")).toBe(true);
  });

  test("is nothing with --quiet, but warnings are shown", () => {
    const view = ProgressView.for(true);
    read(view);
    view.note("Done.");
    expect(printed).toBe("");
    view.warn("Page 2 has no text.");
    expect(printed).toBe("Warning: Page 2 has no text.\n");
  });
});

test("an error is one line with what to do next", () => {
  printError(new PrecisError("file-missing", "There is no such file.", "Check the path."), "a.pdf");
  expect(printed).toBe("precis: a.pdf: There is no such file. Check the path.\n");
});

test("exit codes follow the contract", () => {
  const codes: [ErrorCode, number][] = [
    ["cancelled", 130],
    ["usage", 2],
    ["budget-invalid", 2],
    ["budget-too-small", 1],
    ["file-missing", 1],
    ["internal", 1],
  ];
  for (const [code, exit] of codes) expect(exitCodeOf(new PrecisError(code, "Why."))).toBe(exit);
});

import { expect, test } from "vitest";
import { PartsProgress, type SummaryProgress } from "../../core/summarize/progress.js";
import { timeOf, type Work, workOf } from "../../core/summarize/speed.js";
import { fakeModel } from "../support/fake-engine.js";

const speed = { read: 1, write: 10 };
const part: Work = { read: 1000, write: 50 };

function progressOf(names: readonly string[]) {
  const seen: SummaryProgress[] = [];
  const progress = new PartsProgress((one) => seen.push(one), speed, { count: 2, why: "it is long" });
  for (const name of names) progress.expect(name, part);
  return { progress, last: () => seen.at(-1) as SummaryProgress };
}

const reading = (fraction: number, elapsedMs: number) => ({
  fraction,
  layersRead: 0,
  elapsedMs,
  remainingMs: undefined,
});

test("the time left is that of all steps, reading and writing", () => {
  const { progress, last } = progressOf(["one", "two", "join"]);
  const step = progress.step("one", 1, false);
  expect(last()).toMatchObject({
    fraction: 0,
    remainingMs: 3 * 1500,
    part: { number: 1, count: 2, why: "it is long" },
  });
  step.reading(reading(0.1, 100));
  expect(last().remainingMs).toBe(3 * 1500 - 100);
  for (let piece = 0; piece < 25; piece++) step.wrote();
  expect(last().remainingMs).toBe(2 * 1500 + 250);
  expect(last().fraction).toBeCloseTo(1250 / 4500);
});

test("the time left follows what the machine does, not what the trial promised", () => {
  const { progress, last } = progressOf(["one", "two"]);
  const step = progress.step("one", 1, false);
  step.reading(reading(0.5, 1000));
  expect(last().remainingMs).toBe(1000 + 500 + 2000 + 500);
  progress.finished("one", { read: 1000, write: 25 }, { readMs: 3000, writeMs: 500 });
  progress.step("two", 2, false);
  expect(last()).toMatchObject({ remainingMs: 3000 + 50 * 20, part: { number: 2 } });
});

test("steps of an earlier run are done, and say nothing of this one's speed", () => {
  const { progress, last } = progressOf(["one", "two"]);
  progress.finished("one", part);
  progress.step("two", 2, false);
  expect(last()).toMatchObject({ fraction: 0.5, remainingMs: 1500 });
});

test("the bar does not go back when more is found to be done", () => {
  const { progress, last } = progressOf(["one", "join"]);
  progress.step("one", 1, false).reading(reading(1, 1000));
  const before = last().fraction;
  progress.finished("one", part, { readMs: 1000, writeMs: 500 });
  progress.expect("join", { read: 50_000, write: 500 });
  progress.step("join", 2, false);
  expect(last().fraction).toBe(Math.max(before, last().fraction));
  expect(last().remainingMs).toBe(55_000);
});

test("a prompt twice as long takes more than twice the work to read", () => {
  const [short, long] = [workOf(fakeModel, 1000, 10), workOf(fakeModel, 2000, 10)];
  expect(long.read).toBeGreaterThan(2 * short.read);
  expect(long.read).toBeLessThan(4 * short.read);
  expect(timeOf(short, speed)).toBe(short.read + 100);
});

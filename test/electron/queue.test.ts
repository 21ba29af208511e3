import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { cancelled, PrecisError } from "../../core/errors.js";
import { Library } from "../../core/library/library.js";
import type { QueueItem, QueueRequest, QueueState, SummaryResult } from "../../electron/contract.js";
import { Queue, type ReadyItem } from "../../electron/queue.js";
import type { Call } from "../../electron/summarizer.js";

const options = { budget: "25%", policy: "dynamickv", length: "short", seed: 1, temperature: 0 } as const;
const result = (path: string) => ({ text: `Of ${path}` }) as SummaryResult;

/** A run that the test ends. */
interface Reading {
  readonly item: ReadyItem;
  readonly call: Call;
  ended: boolean;
  finish(): void;
  fail(code: ConstructorParameters<typeof PrecisError>[0]): void;
}

/** Lets what was just decided be saved. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A queue over a library, as one start of the app has it; a crash leaves the library alone. */
function start(library: Library) {
  const readings: Reading[] = [];
  const states: QueueState[] = [];
  const ended: QueueItem[] = [];
  let alive = true;
  const queue = new Queue({
    load: async () => library.queue(),
    save: async (items) => {
      if (alive) library.saveQueue(items);
    },
    summarize: (item, call) =>
      new Promise<SummaryResult>((resolve, reject) => {
        const reading: Reading = {
          item,
          call,
          ended: false,
          finish: () => end(() => resolve(result(item.path))),
          fail: (code) => end(() => reject(new PrecisError(code, `It ended with ${code}.`))),
        };
        const end = (settle: () => void) => {
          reading.ended = true;
          if (alive) settle();
        };
        call.signal.addEventListener("abort", () => setImmediate(() => end(() => reject(cancelled()))));
        readings.push(reading);
      }),
    changed: (state) => states.push(state),
    onProgress: () => {},
    onText: () => {},
    ended: (item) => ended.push(item),
  });
  return {
    queue,
    readings,
    states,
    ended,
    now: () => readings.find((reading) => !reading.ended),
    crash: () => {
      alive = false;
    },
  };
}

type Started = ReturnType<typeof start>;

let libraries: Library[] = [];
function newLibrary(): Library {
  const library = Library.open(":memory:");
  libraries.push(library);
  return library;
}
afterEach(() => {
  for (const library of libraries) library.close();
  libraries = [];
});

let ids = 0;
const add = (paths: string[], chosen = true): QueueRequest => ({
  what: "add",
  items: paths.map((path) => ({ id: `id-${++ids}`, path })),
  options: chosen ? options : undefined,
  recognition: { languages: "eng" },
});
const show = async ({ queue }: Started) => (await queue.state()).items.map(({ path, state }) => `${path} ${state}`);
const idOf = async ({ queue }: Started, path: string) =>
  (await queue.state()).items.find((item) => item.path === path)?.id ?? "";

describe("the queue", () => {
  it("summarises one document after the other, in order, and keeps what each came to", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b"]));
    await app.queue.perform(add(["/c"]));
    expect(await show(app)).toEqual(["/a running", "/b waiting", "/c waiting"]);
    app.now()?.finish();
    await settled();
    app.now()?.fail("file-damaged");
    await settled();
    expect(await show(app)).toEqual(["/a done", "/b failed", "/c running"]);
    expect(app.queue.lastRun("/a")?.result).toEqual(result("/a"));
    expect(app.ended.map(({ path, error }) => [path, error?.code])).toEqual([
      ["/a", undefined],
      ["/b", "file-damaged"],
    ]);
    expect(app.readings.map(({ item }) => item.path)).toEqual(["/a", "/b", "/c"]);
  });

  it("holds documents without choices until they are let go on with some", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b"], false));
    expect(app.now()).toBeUndefined();
    await app.queue.perform({ what: "resume" });
    expect(await show(app)).toEqual(["/a held", "/b held"]);
    await app.queue.perform({ what: "resume", options });
    expect(app.now()?.item).toMatchObject({ path: "/a", options });
  });

  it("has each document once: one that is added again takes the new choices, or runs again when it is over", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b"], false));
    await app.queue.perform(add(["/b"]));
    expect(await show(app)).toEqual(["/a held", "/b running"]);
    await app.queue.perform(add(["/b"]));
    expect(app.readings).toHaveLength(1);
    app.now()?.finish();
    await settled();
    await app.queue.perform(add(["/b"]));
    expect(await show(app)).toEqual(["/a held", "/b running"]);
    expect(app.readings).toHaveLength(2);
  });

  it("moves documents before others and to the end", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b", "/c"], false));
    await app.queue.perform({ what: "move", id: await idOf(app, "/c"), before: await idOf(app, "/a") });
    expect(await show(app)).toEqual(["/c held", "/a held", "/b held"]);
    await app.queue.perform({ what: "move", id: await idOf(app, "/a") });
    expect(await show(app)).toEqual(["/c held", "/b held", "/a held"]);
    await app.queue.perform({ what: "resume", options });
    expect(app.now()?.item.path).toBe("/c");
  });

  it("stops what runs when it is held, and goes on with it first", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b"]));
    await app.queue.perform({ what: "hold" });
    expect((await app.queue.state()).running?.stopping).toBe(true);
    await settled();
    expect(await show(app)).toEqual(["/a held", "/b held"]);
    expect(app.queue.goesOn).toBe(false);
    await app.queue.perform({ what: "resume" });
    expect(await show(app)).toEqual(["/a running", "/b waiting"]);
  });

  it("lets the next begin when one is held or taken out alone", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b", "/c"]));
    await app.queue.perform({ what: "hold", id: await idOf(app, "/a") });
    await settled();
    expect(await show(app)).toEqual(["/a held", "/b running", "/c waiting"]);
    await app.queue.perform({ what: "cancel", id: await idOf(app, "/b") });
    await settled();
    expect(await show(app)).toEqual(["/a held", "/c running"]);
    await app.queue.perform({ what: "cancel" });
    await settled();
    expect(await show(app)).toEqual([]);
    expect(app.now()).toBeUndefined();
  });

  it("tries again one that failed, when it is named", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a"]));
    app.now()?.fail("out-of-memory");
    await settled();
    await app.queue.perform({ what: "resume" });
    expect(await show(app)).toEqual(["/a failed"]);
    await app.queue.perform({ what: "resume", id: await idOf(app, "/a") });
    expect(await show(app)).toEqual(["/a running"]);
    expect((await app.queue.state()).items[0]?.error).toBeUndefined();
  });

  it("holds everything when no document could be read, and says why once", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a", "/b"]));
    app.now()?.fail("model-missing");
    await settled();
    expect(await show(app)).toEqual(["/a held", "/b held"]);
    expect(app.ended.map(({ path, error }) => [path, error?.code])).toEqual([["/a", "model-missing"]]);
  });

  it("says how far what runs is, to a window that opens only then", async () => {
    const app = start(newLibrary());
    await app.queue.perform(add(["/a"]));
    app.now()?.call.onProgress({ stage: "writing", fraction: 0.5, elapsedMs: 1 });
    app.now()?.call.onText("It ");
    app.now()?.call.onText("settled");
    expect((await app.queue.state()).running).toMatchObject({ text: "It settled", progress: { fraction: 0.5 } });
  });

  it("offers what was left at the next start, and begins nothing by itself", async () => {
    const library = newLibrary();
    const first = start(library);
    await first.queue.perform(add(["/a", "/b", "/c"]));
    first.now()?.finish();
    await settled();
    await first.queue.stop();
    expect(first.queue.goesOn).toBe(false);
    first.crash();
    const second = start(library);
    await settled();
    expect(await show(second)).toEqual(["/a done", "/b held", "/c held"]);
    expect((await second.queue.state()).items.map(({ interrupted }) => interrupted)).toEqual([false, true, false]);
    expect(second.now()).toBeUndefined();
    await second.queue.perform({ what: "resume" });
    expect(second.now()?.item).toMatchObject({ path: "/b", options });
    expect((await second.queue.state()).items[1]?.interrupted).toBe(false);
  });

  it("goes on when it cannot be saved, says so, and overwrites nothing that it could not read", async () => {
    const library = newLibrary();
    const first = start(library);
    await first.queue.perform(add(["/a"]));
    first.crash();
    let broken = true;
    const save = vi.fn(async (items: readonly QueueItem[]) => library.saveQueue(items));
    const queue = new Queue({
      load: async () => {
        if (broken) throw new PrecisError("library-unreadable", "The library is damaged.", "Move it away.");
        return library.queue();
      },
      save,
      summarize: () => new Promise(() => {}),
      changed: () => {},
      onProgress: () => {},
      onText: () => {},
      ended: () => {},
    });
    await queue.perform(add(["/b"]));
    expect(await queue.state()).toMatchObject({
      items: [{ path: "/b", state: "running" }],
      unsaved: { code: "library-unreadable" },
    });
    expect(save).not.toHaveBeenCalled();
    broken = false;
    await queue.perform(add(["/c"]));
    expect((await queue.state()).unsaved).toBeUndefined();
    expect(library.queue().map(({ path }) => path)).toEqual(["/a", "/b", "/c"]);
  });

  it("forgets a document that is deleted for good", async () => {
    const library = newLibrary();
    const app = start(library);
    await app.queue.perform(add(["/a", "/b"]));
    app.now()?.finish();
    await settled();
    await app.queue.forget("/a");
    expect(app.queue.lastRun("/a")).toBeUndefined();
    expect(library.queue().map(({ path }) => path)).toEqual(["/b"]);
  });
});

const paths = ["/a", "/b", "/c", "/d"];
const step = fc.oneof(
  fc.record({
    do: fc.constant("add" as const),
    paths: fc.uniqueArray(fc.constantFrom(...paths), { minLength: 1 }),
    chosen: fc.boolean(),
  }),
  fc.record({
    do: fc.constantFrom("hold" as const, "resume" as const, "cancel" as const),
    path: fc.option(fc.constantFrom(...paths)),
  }),
  fc.record({ do: fc.constant("move" as const), path: fc.constantFrom(...paths), before: fc.constantFrom(...paths) }),
  fc.record({ do: fc.constantFrom("finish" as const, "fail" as const, "crash" as const) }),
);

describe("whatever happens in whatever order", () => {
  it("no document is lost, none runs beside another, and none runs again that is done", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const library = newLibrary();
        let app = start(library);
        /** Added, and since then neither summarised nor failed nor taken out. */
        const owed = new Set<string>();
        const done = new Set<string>();
        let seen = 0;
        let saved = true;

        const check = async (saved = true) => {
          const { items } = await app.queue.state();
          const open = items.filter(({ state }) => state !== "done" && state !== "failed");
          expect(open.map(({ path }) => path).sort()).toEqual([...owed].sort());
          expect(new Set(items.map(({ path }) => path)).size).toBe(items.length);
          expect(app.readings.filter(({ ended }) => !ended).length).toBeLessThanOrEqual(1);
          for (const { item } of app.readings.slice(seen)) expect(done).not.toContain(item.path);
          seen = app.readings.length;
          if (saved) expect(library.queue()).toEqual(JSON.parse(JSON.stringify(items)));
        };
        const finishOne = async (how: "finish" | "fail") => {
          const reading = app.now();
          if (!reading) return;
          owed.delete(reading.item.path);
          done.add(reading.item.path);
          if (how === "finish") reading.finish();
          else reading.fail("out-of-memory");
          await settled();
        };

        for (const one of steps) {
          if (one.do === "finish" || one.do === "fail") await finishOne(one.do);
          else if (one.do === "crash") {
            app.crash();
            app = start(library);
            seen = 0;
            await settled();
            expect(app.now()).toBeUndefined();
          } else if (one.do === "add") {
            await app.queue.perform(add(one.paths, one.chosen));
            for (const path of one.paths) {
              owed.add(path);
              done.delete(path);
            }
          } else if (one.do === "move") {
            await app.queue.perform({
              what: "move",
              id: (await idOf(app, one.path)) || "none",
              before: await idOf(app, one.before),
            });
          } else if ("path" in one) {
            const id = one.path === null ? undefined : (await idOf(app, one.path)) || "none";
            const item = (await app.queue.state()).items.find((known) => known.id === id);
            if (one.do === "resume" && item?.state === "failed") {
              owed.add(item.path);
              done.delete(item.path);
            }
            if (one.do === "cancel" && id === undefined) owed.clear();
            if (one.do === "cancel" && item) owed.delete(item.path);
            await app.queue.perform(one.do === "resume" ? { what: "resume", id, options } : { what: one.do, id });
            await settled();
            await settled();
          }
          // A start by itself changes nothing that is saved.
          if (one.do !== "finish" && one.do !== "fail") saved = one.do !== "crash";
          await check(saved);
        }

        await app.queue.perform({ what: "resume", options });
        await settled();
        const rest = [...owed];
        const before = app.readings.filter(({ ended }) => ended).length;
        await check();
        while (app.now()) {
          await finishOne("finish");
          await check();
        }
        expect(owed.size).toBe(0);
        expect(
          app.readings
            .slice(before)
            .map(({ item }) => item.path)
            .sort(),
        ).toEqual(rest.sort());
      }),
      { numRuns: 200 },
    );
  });
});

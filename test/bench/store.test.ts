import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { caseId, selectCases } from "./cases.js";
import { measurement } from "./measurement.js";
import type { Outcome } from "./one.js";
import { Store } from "./store.js";

const folder = mkdtempSync(join(tmpdir(), "precis-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [one, other] = selectCases({ long: false, rounds: 1 }).map(caseId);
const conditions = { machine: "2 x CPU", runtime: "abc", file: "model.gguf", decode: 100 };

describe("measured cases on disk", () => {
  it("come back as they were, each on its own", () => {
    const store = new Store<Outcome>(folder);
    store.save(one!, conditions, measurement({ readMs: 1 }));
    expect(new Store<Outcome>(folder).load(one!, conditions)).toEqual(measurement({ readMs: 1 }));
    expect(store.load(other!, conditions)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([`${one}.json`]);
  });

  it("remember a case that cannot be", () => {
    const store = new Store<Outcome>(folder);
    store.save(other!, conditions, { impossible: "The budget is too small." });
    expect(store.load(other!, conditions)).toEqual({ impossible: "The budget is too small." });
  });

  it.each([{ machine: "4 x CPU" }, { runtime: "abd" }, { file: "other.gguf" }, { decode: 50 }])(
    "do not count under other conditions: %o",
    (change) => {
      const store = new Store<Outcome>(folder);
      store.save(one!, conditions, measurement());
      expect(store.load(one!, { ...conditions, ...change })).toBeUndefined();
    },
  );

  it("are measured again when their file is damaged", () => {
    const store = new Store<Outcome>(folder);
    for (const damage of ["", '{"conditions":', "null"]) {
      writeFileSync(join(folder, `${one}.json`), damage);
      expect(store.load(one!, conditions)).toBeUndefined();
    }
  });

  it("are gone after a fresh start", () => {
    const store = new Store<Outcome>(folder);
    store.save(one!, conditions, measurement());
    store.clear();
    expect(store.load(one!, conditions)).toBeUndefined();
  });
});

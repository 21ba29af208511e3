import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CacheStore } from "../../core/engine/cache-store.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-caches-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const save = (store: CacheStore, name: string, bytes = 100) =>
  store.save(name, (file) => writeFile(file, Buffer.alloc(bytes)));
/** Longer than two times of a file system can be equal. */
const later = () => setTimeout(20);

test("finds what was saved under the same identity alone, and forgets what is removed", async () => {
  const store = new CacheStore(join(folder, "new"));
  expect(await store.find("a")).toBeUndefined();
  await save(store, "a");
  expect(existsSync((await store.find("a")) as string)).toBe(true);
  expect(await store.find("b")).toBeUndefined();
  await store.remove("a");
  expect(await store.find("a")).toBeUndefined();
});

test("drops the least recently used beyond its limit; finding one counts as use", async () => {
  const store = new CacheStore(folder, 250);
  await save(store, "a");
  await later();
  await save(store, "b");
  await later();
  const { mtimeNs } = statSync((await store.find("a")) as string, { bigint: true });
  await later();
  expect(statSync((await store.find("a")) as string, { bigint: true }).mtimeNs).toBe(mtimeNs);
  await save(store, "c");
  expect(await store.find("b")).toBeUndefined();
  expect(await store.find("a")).toBeDefined();
  expect(await store.find("c")).toBeDefined();
  await save(store, "too large", 300);
  expect(readdirSync(folder)).toEqual([]);
});

test("passes a failed write on and clears away the parts of writes that ended long ago", async () => {
  const store = new CacheStore(folder);
  const [old, fresh] = [join(folder, "x.kv.part-1"), join(folder, "y.kv.part-2")];
  writeFileSync(old, "");
  writeFileSync(fresh, "");
  utimesSync(old, new Date(0), new Date(0));
  await expect(store.save("a", () => Promise.reject(new Error("disk full")))).rejects.toThrow("disk full");
  await save(store, "b");
  expect(existsSync(old)).toBe(false);
  expect(existsSync(fresh)).toBe(true);
});

test("counts what is saved and begun, and deletes all of it", async () => {
  const store = new CacheStore(folder);
  expect(await store.bytes()).toBe(0);
  await save(store, "a", 100);
  await save(store, "b", 20);
  writeFileSync(join(folder, "x.kv.part-1"), "123");
  writeFileSync(join(folder, "other.txt"), "not ours");
  expect(await store.bytes()).toBe(123);
  await store.clear();
  expect(await store.bytes()).toBe(0);
  expect(readdirSync(folder)).toEqual(["other.txt"]);
});

test("deletes what a process that has ended had begun, and leaves what one that runs is writing", async () => {
  const store = new CacheStore(folder);
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  const [dead, own] = [join(folder, `x.kv.part-${pid}`), store.begin("y")];
  writeFileSync(dead, "123");
  writeFileSync(own, "123");
  await store.find("something else");
  expect(existsSync(dead)).toBe(false);
  expect(existsSync(own)).toBe(true);
});

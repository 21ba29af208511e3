import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type SourceDocument, textPage } from "../../core/documents/document.js";
import { openDatabase, steps } from "../../core/library/database.js";
import type { QueueItem } from "../../core/library/entries.js";
import { Library } from "../../core/library/library.js";
import type { Answer } from "../../core/summarize/result.js";
import { summaryResult } from "../report/fixture.js";

let folder = "";
let file = "";
let library: Library;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "precis-library-"));
  file = join(folder, "sub", "library.sqlite");
  library = Library.open(file);
});
afterEach(async () => {
  library.close();
  await rm(folder, { recursive: true, force: true });
});

const options = { budget: "25%", policy: "dynamickv", length: "medium", seed: 1, temperature: 0 } as const;
const document = (path: string, pages: string[], title = "A report"): SourceDocument => ({
  path,
  title,
  kind: "pdf",
  unit: "page",
  pages: pages.map((text, index) => textPage(index + 1, text)),
  warnings: [],
});
const answer = (id: string, question: string, text: string, asked = 5): Answer => ({
  id,
  asked,
  question,
  from: "memory",
  result: summaryResult({ text }),
});
const found = (query: string) =>
  library
    .search(query, 50)
    .map(({ entry, page, found, inSummary }) => [entry.path, inSummary ? "summary" : page, found]);

describe("a search", () => {
  beforeEach(() => {
    library.saveDocument(document("/harbour.pdf", ["The quay wall moves.", "Dredging cost more; the wall stands."]), 1);
    library.saveDocument(document("/minutes.pdf", ["", "Größe der Hafenmauer", "東京港の改修"], "Minutes"), 2);
    library.saveDocument(document("/wall.pdf", ["wall", "wall", "nothing"], "Wall"), 3);
  });

  it("finds pages that hold all words, and says which comes first and how many there are", () => {
    expect(found("wall dredging ")).toEqual([["/harbour.pdf", 2, 1]]);
    expect(found("quay wal")).toEqual([["/harbour.pdf", 1, 1]]);
    expect(found('"the wall"')).toEqual([["/harbour.pdf", 2, 1]]);
    expect(found("quay dredging ")).toEqual([]);
  });

  it("finds words of the title and the file's name with those of a page", () => {
    expect(found("minutes hafenmauer ")).toEqual([["/minutes.pdf", 2, 1]]);
    expect(found("minutes.pdf ")).toEqual([["/minutes.pdf", 1, 3]]);
  });

  it("knows neither case nor accents, and words in the middle of Japanese sentences", () => {
    expect(found("GROSSE ")).toEqual([]);
    expect(found("große ")).toEqual([["/minutes.pdf", 2, 1]]);
    expect(found("港の")).toEqual([["/minutes.pdf", 3, 1]]);
  });

  it("puts first what a summary says, then what the larger share of pages says, then what was opened last", () => {
    library.saveRun("/harbour.pdf", options, summaryResult({ text: "The wall moves." }), { started: 1, ended: 2 });
    library.saveDocument(document("/other.pdf", ["wall", "wall", "x"], "Other"), 4);
    expect(found("wall ")).toEqual([
      ["/harbour.pdf", "summary", 2],
      ["/wall.pdf", 1, 3],
      ["/other.pdf", 1, 2],
    ]);
    expect(library.search("wall ", 1)).toHaveLength(1);
    expect(found("harbour.pdf ")).toEqual([["/harbour.pdf", 1, 2]]);
    expect(library.search("moves ", 5)[0]?.snippet).toContainEqual({ text: "moves", found: true });
  });

  it.each(["", "  ", '"', "*", "AND", "NEAR(", "wall OR", "col:x", "'; DROP TABLE documents; --", "\u0000"])(
    "for %j is answered without an error, and changes nothing",
    (query) => {
      expect(() => library.search(query, 5)).not.toThrow();
      expect(library.list(9).total).toBe(3);
    },
  );
});

describe("a library", () => {
  it("lists what was opened last first, and says how many there are in all", () => {
    for (const [index, name] of ["a", "b", "c"].entries()) library.saveDocument(document(`/${name}.pdf`, ["x"]), index);
    library.saveDocument(document("/a.pdf", ["x"]), 9);
    const { entries, total } = library.list(2);
    expect(entries.map(({ path, opened }) => [path, opened])).toEqual([
      ["/a.pdf", 9],
      ["/c.pdf", 2],
    ]);
    expect(total).toBe(3);
  });

  it("finds a changed document by its new words alone, however often it had an old one", () => {
    library.saveDocument(document("/a.pdf", ["old ".repeat(900)]));
    library.saveDocument(document("/a.pdf", [`${"old ".repeat(900)}more`]));
    library.saveDocument(document("/a.pdf", ["new words"]));
    expect([found("old "), found("new ")]).toEqual([[], [["/a.pdf", 1, 1]]]);
  });

  it("takes a changed document's new text, and keeps its summaries", () => {
    library.saveDocument(document("/a.pdf", ["old words", "second"]));
    library.saveRun("/a.pdf", options, summaryResult(), { started: 1, ended: 2 });
    library.saveDocument(document("/a.pdf", ["new words"]));
    expect([found("old "), found("second "), found("new ")]).toEqual([[], [], [["/a.pdf", 1, 1]]]);
    expect(library.list(1).entries[0]).toMatchObject({ pages: 1, summarised: true });
  });

  it("gives back the last run whole", () => {
    library.saveDocument(document("/a.pdf", ["x"]));
    expect(library.lastRun("/a.pdf")).toBeUndefined();
    library.saveRun("/a.pdf", options, summaryResult({ text: "first" }), { started: 1, ended: 2 });
    library.saveRun("/a.pdf", options, summaryResult({ text: "second" }), { started: 3, ended: 4 });
    expect(library.lastRun("/a.pdf")).toEqual({
      started: 3,
      ended: 4,
      options,
      result: summaryResult({ text: "second" }),
      answers: [],
    });
  });

  it("deletes for good: nothing of the text is left in any of its files", async () => {
    const secret = "Zweibrückenstollen";
    library.saveDocument(document("/secret.pdf", Array(40).fill(`${secret} ${"words ".repeat(300)}`), secret));
    library.saveRun("/secret.pdf", options, summaryResult({ text: secret }), { started: 1, ended: 2 });
    library.saveAnswer("/secret.pdf", answer("one", secret, secret));
    library.saveDocument(document("/kept.pdf", ["kept words"]));
    const traces = async () => {
      const parts = await Promise.all(
        (await readdir(join(folder, "sub"))).map((name) => readFile(join(folder, "sub", name))),
      );
      const all = Buffer.concat(parts).toString("latin1").toLowerCase();
      return ["stollen", Buffer.from(secret).toString("latin1").toLowerCase()].filter((trace) => all.includes(trace));
    };
    expect(await traces()).toHaveLength(2);
    expect(library.remove("/secret.pdf")).toBe(true);
    expect(await traces()).toEqual([]);
    expect(library.remove("/secret.pdf")).toBe(false);
    expect([found(secret), found("kept ")]).toEqual([[], [["/kept.pdf", 1, 1]]]);
    expect(library.lastRun("/secret.pdf")).toBeUndefined();
  });
});

describe("what was asked about a document", () => {
  const answers = () => library.lastRun("/a.pdf")?.answers;
  beforeEach(() => {
    library.saveDocument(document("/a.pdf", ["x"]));
    library.saveRun("/a.pdf", options, summaryResult({ text: "The wall moves." }), { started: 1, ended: 2 });
  });

  it("is kept with its last run, in the order in which it was asked, and is found", () => {
    library.saveAnswer("/a.pdf", answer("late", "Who pays?", "Nobody, so far.", 9));
    library.saveAnswer("/a.pdf", answer("early", "How much?", "41 cm."));
    library.close();
    library = Library.open(file);
    expect(answers()).toEqual([
      answer("early", "How much?", "41 cm."),
      answer("late", "Who pays?", "Nobody, so far.", 9),
    ]);
    expect([found("pays nobody "), found("wall moves "), found("41 ")]).toEqual(
      Array(3).fill([["/a.pdf", "summary", 0]]),
    );
    library.saveRun("/a.pdf", options, summaryResult({ text: "second" }), { started: 10, ended: 11 });
    expect(answers()).toEqual([]);
    const [, first] = library.runs("/a.pdf");
    expect(library.storedRun(first?.id ?? 0)?.answers).toHaveLength(2);
  });

  it("is deleted for good by itself, and is found no longer", async () => {
    const before = library.sizes().runs;
    library.saveAnswer("/a.pdf", answer("one", "Zweibrückenstollen?", "Zweibrückenstollen. ".repeat(900)));
    library.saveAnswer("/a.pdf", answer("two", "Who pays?", "Nobody."));
    expect(library.sizes().runs).toBeGreaterThan(before + 900 * 20);
    expect(library.removeAnswer("one")).toBe(true);
    expect(library.removeAnswer("one")).toBe(false);
    expect(answers()?.map(({ id }) => id)).toEqual(["two"]);
    expect([found("zweibrückenstollen "), found("wall nobody ")]).toEqual([[], [["/a.pdf", "summary", 0]]]);
    const names = await readdir(join(folder, "sub"));
    const bytes = await Promise.all(names.map((name) => readFile(join(folder, "sub", name), "latin1")));
    expect(bytes.join("").toLowerCase()).not.toContain("stollen");
  });

  it("is refused of a document without a summary", () => {
    library.saveDocument(document("/b.pdf", ["x"]));
    expect(() => library.saveAnswer("/b.pdf", answer("one", "Who?", "Nobody."))).toThrow(/no summary/);
  });
});

describe("tags", () => {
  beforeEach(() => {
    for (const name of ["a", "b", "c"]) library.saveDocument(document(`/${name}.pdf`, [`wall ${name}`]));
  });

  it("are put on and taken off, once each whatever the capitals", () => {
    expect(library.tag("/a.pdf", { add: "Lease" })).toEqual(["Lease"]);
    expect(library.tag("/a.pdf", { add: "lease" })).toEqual(["Lease"]);
    expect(library.tag("/a.pdf", { add: "berth 4" })).toEqual(["berth 4", "Lease"]);
    library.tag("/b.pdf", { add: "LEASE" });
    expect(library.list(9).tags.map(({ tag, documents }) => [tag.toLowerCase(), documents])).toEqual([
      ["berth 4", 1],
      ["lease", 2],
    ]);
    expect(library.tag("/a.pdf", { remove: "lease" })).toEqual(["berth 4"]);
    expect(library.list(9).entries.find(({ path }) => path === "/a.pdf")?.tags).toEqual(["berth 4"]);
    expect(library.tag("/c.pdf", {})).toEqual([]);
  });

  it("restrict the list and the search, and go with their document", () => {
    library.tag("/a.pdf", { add: "lease" });
    library.tag("/c.pdf", { add: "lease" });
    expect(library.list(1, "Lease")).toMatchObject({ total: 2, entries: [{ tags: ["lease"] }] });
    expect(library.search("wall ", 9, "lease").map(({ entry }) => entry.path)).toEqual(["/c.pdf", "/a.pdf"]);
    library.remove("/a.pdf");
    expect(library.list(9).tags).toEqual([{ tag: "lease", documents: 1 }]);
    library.saveDocument(document("/a.pdf", ["wall a"]));
    expect(library.tag("/a.pdf", {})).toEqual([]);
  });

  it("are refused of a document that is not there", () => {
    expect(() => library.tag("/none.pdf", { add: "lease" })).toThrow(expect.objectContaining({ name: "PrecisError" }));
  });
});

it("tells a document's runs apart, and gives each back whole", () => {
  library.saveDocument(document("/a.pdf", ["x"]));
  library.saveDocument(document("/b.pdf", ["x"]));
  library.saveRun("/a.pdf", options, summaryResult({ text: "first" }), { started: 1, ended: 2 });
  library.saveRun("/a.pdf", { ...options, budget: "6.9%" }, summaryResult({ text: "second" }), {
    started: 3,
    ended: 4,
  });
  library.saveRun("/b.pdf", options, summaryResult({ text: "other" }), { started: 5, ended: 6 });
  const runs = library.runs("/a.pdf");
  expect(runs).toMatchObject([
    { started: 3, ended: 4, budget: "6.9%", policy: "dynamickv", length: "medium" },
    { started: 1, ended: 2, budget: "25%" },
  ]);
  expect(runs.map(({ id }) => library.storedRun(id)?.result.text)).toEqual(["second", "first"]);
  library.remove("/a.pdf");
  expect(runs.map(({ id }) => library.storedRun(id))).toEqual([undefined, undefined]);
});

it("counts what documents and what runs take of its file", () => {
  const empty = library.sizes();
  library.saveDocument(document("/a.pdf", Array(20).fill("words ".repeat(2_000))));
  const withDocument = library.sizes();
  expect(withDocument.documents).toBeGreaterThan(empty.documents + 20 * 6 * 2_000);
  expect(withDocument.runs).toBe(empty.runs);
  library.saveRun("/a.pdf", options, summaryResult({ text: "word ".repeat(4_000) }), { started: 1, ended: 2 });
  expect(library.sizes().runs).toBeGreaterThan(empty.runs + 2 * 5 * 4_000);
});

describe("the queue", () => {
  const item = (path: string, more: Partial<QueueItem> = {}): QueueItem => ({
    id: `id of ${path}`,
    path,
    recognition: { languages: "eng+deu" },
    options,
    state: "waiting",
    interrupted: false,
    ...more,
  });

  it("is kept in its order, with what each came to, and replaced as a whole", () => {
    const error = { code: "file-damaged", message: "It is damaged.", next: "Get it again." };
    library.saveQueue([item("/b"), item("/a", { state: "failed", started: 1, ended: 2, error }), item("/c")]);
    const kept = [item("/a", { state: "failed", started: 1, ended: 2, error }), item("/d", { options: undefined })];
    library.saveQueue(kept);
    library.close();
    library = Library.open(file);
    expect(library.queue()).toEqual(kept);
  });

  it("keeps a document whose choices this Precis does not know, without them", () => {
    library.saveQueue([item("/a")]);
    library.close();
    const database = openDatabase(file);
    database.exec(`UPDATE queue SET item = replace(item, 'dynamickv', 'some-later-policy')`);
    database.close();
    library = Library.open(file);
    expect(library.queue()).toEqual([item("/a", { options: undefined })]);
  });

  it("comes to a library of the first form, which keeps what it had", () => {
    library.close();
    const old = join(folder, "old.sqlite");
    const database = openDatabase(old, steps.slice(0, 1));
    database.exec("INSERT INTO documents VALUES (1, '/a.pdf', 'A report', 'pdf', 'page', 1, 'x', 5)");
    database.close();
    library = Library.open(old);
    expect(library.queue()).toEqual([]);
    library.saveQueue([item("/a.pdf")]);
    expect(library.list(5).entries.map(({ path }) => path)).toEqual(["/a.pdf"]);
  });
});

describe("the file", () => {
  it("keeps everything between two starts", () => {
    library.saveDocument(document("/a.pdf", ["words"]));
    library.saveRun("/a.pdf", options, summaryResult(), { started: 1, ended: 2 });
    library.close();
    library = Library.open(file);
    expect(found("words ")).toEqual([["/a.pdf", 1, 1]]);
    expect(library.lastRun("/a.pdf")?.result).toEqual(summaryResult());
  });

  it("is brought to a newer form without loss, and stays as it was when that fails", () => {
    library.saveDocument(document("/a.pdf", ["words"]));
    library.saveRun("/a.pdf", options, summaryResult(), { started: 1, ended: 2 });
    library.close();
    const spoil = () => {
      throw new Error("the disk is full");
    };
    const tags = (database: ReturnType<typeof openDatabase>) =>
      database.exec("ALTER TABLE documents ADD COLUMN tags TEXT NOT NULL DEFAULT ''; DELETE FROM runs WHERE id < 0");
    expect(() => openDatabase(file, [...steps, tags, spoil])).toThrow("the disk is full");
    const half = openDatabase(file, [...steps, tags]);
    expect(half.prepare("SELECT path, tags FROM documents").all()).toEqual([{ path: "/a.pdf", tags: "" }]);
    expect(half.prepare("SELECT count(*) AS runs FROM runs").get()).toEqual({ runs: 1 });
    half.close();
    expect(() => Library.open(file)).toThrow(
      expect.objectContaining({ code: "library-unreadable", message: expect.stringContaining("newer Precis") }),
    );
    library = Library.open(":memory:");
  });

  it("that is damaged is named, and left as it is", async () => {
    const damaged = join(folder, "damaged.sqlite");
    await writeFile(damaged, "This is no database, whatever its name says.".repeat(100));
    expect(() => Library.open(damaged)).toThrow(
      expect.objectContaining({ code: "library-unreadable", next: expect.stringContaining("move it away") }),
    );
    expect(await readFile(damaged, "utf8")).toMatch(/^This is no database/);
  });
});

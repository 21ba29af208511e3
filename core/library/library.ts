/**
 * What the user has opened and let summarise: each document's text and every finished run, searchable, in one file on
 * this computer, with the queue of what is to be summarised. Documents are known by their path. All calls are short and
 * answer at once.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { SourceDocument } from "../documents/document.js";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import type { RunOptions } from "../summarize/options.js";
import type { Answer, SummaryResult } from "../summarize/result.js";
import {
  type LibraryHit,
  type LibraryList,
  type LibrarySizes,
  type ListedRun,
  listedRunSchema,
  type QueueItem,
  queueItemSchema,
  type StoredRun,
  storedRunSchema,
} from "./entries.js";
import { entriesSql, entryOf, PAGES, tagged } from "./rows.js";
import { searchLibrary } from "./search.js";
import { type Row, Store } from "./store.js";
import { indexable } from "./words.js";

export interface TagChange {
  readonly add?: string;
  readonly remove?: string;
}

export class Library {
  private constructor(private readonly store: Store) {}

  /**
   * @param file made when it is not there; ":memory:" for none
   * @throws PrecisError library-unreadable, as every method here
   */
  static open(file: string): Library {
    return new Library(Store.open(file));
  }

  close(): void {
    this.store.close();
  }

  /** Takes a document in, or its new text when it has changed since. */
  saveDocument(document: SourceDocument, now = Date.now()): void {
    const { store } = this;
    store.whole(() => {
      const { path, title, kind, unit, pages } = document;
      const digest = createHash("sha256")
        .update(JSON.stringify([title, pages.map(({ text }) => text)]))
        .digest("hex");
      const known = store.row("SELECT id, digest FROM documents WHERE path = ?", path);
      if (known?.digest === digest) {
        store.run("UPDATE documents SET opened = ? WHERE id = ?", now, Number(known.id));
        return;
      }
      const { id } = store.row(
        `INSERT INTO documents (path, title, kind, unit, pages, digest, opened) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET title = excluded.title, kind = excluded.kind, unit = excluded.unit,
           pages = excluded.pages, digest = excluded.digest, opened = excluded.opened
         RETURNING id`,
        ...[path, title, kind, unit, pages.length, digest, now],
      ) as { id: number };
      this.forgetPages(id);
      const heading = headingOf(title, path);
      store.each(
        "INSERT INTO page_text (rowid, title, text) VALUES (?, ?, ?)",
        pages.map(({ number, text }) => [id * PAGES + number, heading, indexable(text)]),
      );
    });
  }

  /** Keeps a finished run of a document that was taken in before. */
  saveRun(path: string, options: RunOptions, result: SummaryResult, times: { started: number; ended: number }): void {
    this.store.whole(() => {
      const { id } = this.store.row(
        "INSERT INTO runs (document, started, ended, options, result) VALUES (?, ?, ?, ?, ?) RETURNING id",
        ...[this.idOf(path), times.started, times.ended, JSON.stringify(options), JSON.stringify(result)],
      ) as { id: number };
      this.indexRun(id);
    });
  }

  /** Keeps an answer about a document with its last run, where it is found, too. */
  saveAnswer(path: string, { id, asked, question, from, result }: Answer): void {
    const { store } = this;
    store.whole(() => {
      const run = this.lastRow(path);
      if (!run) throw new Error(said`"${path}" has no summary in it`);
      store.run(
        "INSERT INTO answers (id, run, asked, question, source, result) VALUES (?, ?, ?, ?, ?, ?)",
        ...[id, Number(run.id), asked, question, from, JSON.stringify(result)],
      );
      this.indexRun(Number(run.id));
    });
  }

  /** Deletes an answer for good. @returns false when it was not there */
  removeAnswer(id: string): boolean {
    const { store } = this;
    const removed = store.whole(() => {
      const answer = store.row("DELETE FROM answers WHERE id = ? RETURNING run", id);
      if (answer) this.indexRun(Number(answer.run));
      return answer !== undefined;
    });
    if (removed) store.checkpoint();
    return removed;
  }

  /** The documents opened last, and every tag. @param tag of documents with this tag only */
  list(limit: number, tag?: string): LibraryList {
    const { sql, values } = tagged(tag);
    return {
      entries: this.store
        .rows(`${entriesSql} WHERE ${sql} ORDER BY opened DESC, id DESC LIMIT ?`, ...values, limit)
        .map(entryOf),
      total: Number(this.store.row(`SELECT count(*) AS total FROM documents WHERE ${sql}`, ...values)?.total),
      tags: this.store
        .rows("SELECT tag, count(*) AS documents FROM tags GROUP BY tag ORDER BY tag")
        .map(({ tag, documents }) => ({ tag: String(tag), documents: Number(documents) })),
    };
  }

  /** As searchLibrary says. */
  search(query: string, limit: number, tag?: string): LibraryHit[] {
    return searchLibrary(this.store, query, limit, tag);
  }

  /**
   * Puts a tag on a document, or takes one off; the same in capitals is the same tag.
   * @returns its tags then, in the order of the alphabet
   */
  tag(path: string, { add, remove }: TagChange): string[] {
    const { store } = this;
    return store.whole(() => {
      const id = this.idOf(path);
      if (remove !== undefined) store.run("DELETE FROM tags WHERE document = ? AND tag = ?", id, remove);
      if (add !== undefined) store.run("INSERT OR IGNORE INTO tags (document, tag) VALUES (?, ?)", id, add);
      return store.rows("SELECT tag FROM tags WHERE document = ? ORDER BY tag", id).map(({ tag }) => String(tag));
    });
  }

  /** The last finished run of a document; undefined when there is none. */
  lastRun(path: string): StoredRun | undefined {
    const row = this.lastRow(path);
    return row && this.runOf(row);
  }

  /** What is told of a document's finished runs, the last first. */
  runs(path: string): ListedRun[] {
    return this.store
      .rows(
        `SELECT runs.id, started, ended, options ->> '$.budget' AS budget, options ->> '$.policy' AS policy,
           options ->> '$.length' AS length FROM runs JOIN documents ON documents.id = document
         WHERE path = ? ORDER BY ended DESC, runs.id DESC LIMIT 200`,
        path,
      )
      .map((row) => listedRunSchema.parse(row));
  }

  /** One of them; undefined when it has been deleted. */
  storedRun(id: number): StoredRun | undefined {
    const row = this.store.row(`${storedSql} WHERE runs.id = ?`, id);
    return row && this.runOf(row);
  }

  /**
   * Deletes a document's text, its tags and all its runs with their answers for good: what held them is overwritten. Its file stays.
   * @returns false when it was not there
   */
  remove(path: string): boolean {
    const removed = this.store.whole(() => {
      const document = this.store.row("SELECT id FROM documents WHERE path = ?", path);
      if (!document) return false;
      const id = Number(document.id);
      this.store.run("DELETE FROM run_text WHERE rowid IN (SELECT id FROM runs WHERE document = ?)", id);
      this.forgetPages(id);
      this.store.run("DELETE FROM documents WHERE id = ?", id);
      return true;
    });
    if (removed) this.store.checkpoint();
    return removed;
  }

  /** Bytes of the file that hold documents and those that hold runs, each with its part of the index. */
  sizes(): LibrarySizes {
    const bytesOf = (pattern: string) =>
      Number(this.store.row("SELECT total(pgsize) AS bytes FROM dbstat WHERE name GLOB ?", pattern)?.bytes);
    return {
      documents: bytesOf("documents*") + bytesOf("page_text*") + bytesOf("tags*"),
      runs: bytesOf("run*") + bytesOf("*answers*"),
    };
  }

  /** The queue as it was last saved. */
  queue(): QueueItem[] {
    return this.store
      .rows("SELECT item FROM queue ORDER BY place")
      .map(({ item }) => queueItemSchema.parse(JSON.parse(String(item))));
  }

  /** Replaces the queue. */
  saveQueue(items: readonly QueueItem[]): void {
    this.store.whole(() => {
      this.store.run("DELETE FROM queue");
      this.store.each(
        "INSERT INTO queue (place, item) VALUES (?, ?)",
        items.map((item, place) => [place, JSON.stringify(item)]),
      );
    });
  }

  private idOf(path: string): number {
    const document = this.store.row("SELECT id FROM documents WHERE path = ?", path);
    if (!document) throw new Error(said`"${path}" is not in it`);
    return Number(document.id);
  }

  private lastRow(path: string): Row | undefined {
    return this.store.row(`${storedSql} WHERE path = ? ORDER BY ended DESC, runs.id DESC LIMIT 1`, path);
  }

  /** A run is found by its summary and by what was asked about it. */
  private indexRun(id: number): void {
    const texts = this.store.rows(
      `SELECT result ->> '$.text' AS text FROM runs WHERE id = ?
       UNION ALL SELECT * FROM (SELECT question || char(10) || (result ->> '$.text') FROM answers WHERE run = ? ORDER BY asked)`,
      ...[id, id],
    );
    const text = indexable(texts.map(({ text }) => String(text)).join("\n\n"));
    this.store.unindex("run_text", id, id);
    this.store.run("INSERT INTO run_text (rowid, text) VALUES (?, ?)", id, text);
  }

  private runOf({ id, path, options, result, ...times }: Row): StoredRun {
    const answers = this.store.rows(
      "SELECT id, asked, question, source, result FROM answers WHERE run = ? ORDER BY asked, rowid",
      Number(id),
    );
    const run = storedRunSchema.safeParse({
      ...times,
      options: JSON.parse(String(options)),
      result: JSON.parse(String(result)),
      answers: answers.map(({ source, result, ...answer }) => ({
        ...answer,
        from: source,
        result: JSON.parse(String(result)),
      })),
    });
    if (run.success) return run.data;
    throw new PrecisError(
      "library-unreadable",
      said`The saved summary of "${basename(String(path))}" has a form that this Precis does not know.`,
      said`Start the summary again.`,
      { cause: run.error },
    );
  }

  private forgetPages(id: number): void {
    this.store.unindex("page_text", id * PAGES, (id + 1) * PAGES - 1);
  }
}

const storedSql = `SELECT runs.id, path, started, ended, options, result
  FROM runs JOIN documents ON documents.id = document`;

/** Title and file name, searched with every page. */
function headingOf(title: string, path: string): string {
  return indexable(`${title} ${basename(path)}`);
}

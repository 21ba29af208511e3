/**
 * What the user has opened and let summarise: each document's text and every finished run, searchable, in one file on
 * this computer. Documents are known by their path. All calls are short and answer at once.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { SourceDocument } from "../documents/document.js";
import { PrecisError } from "../errors.js";
import type { RunOptions } from "../summarize/options.js";
import type { SummaryResult } from "../summarize/result.js";
import { type Database, openDatabase, transaction, unreadable } from "./database.js";
import {
  entrySchema,
  type LibraryEntry,
  type LibraryHit,
  type LibraryList,
  type StoredRun,
  storedRunSchema,
} from "./entries.js";
import { askedFor, excerpt, indexable, searchOf } from "./words.js";

/** A document's id and a page's number in one rowid of page_text: deleting a document is deleting a range. */
const PAGES = 2 ** 20;

type Row = Record<string, unknown>;

export class Library {
  private constructor(
    private readonly database: Database,
    private readonly file: string,
  ) {}

  /**
   * @param file made when it is not there; ":memory:" for none
   * @throws PrecisError library-unreadable, as every method here
   */
  static open(file: string): Library {
    return new Library(openDatabase(file), file);
  }

  close(): void {
    this.database.close();
  }

  /** Takes a document in, or its new text when it has changed since. */
  saveDocument(document: SourceDocument, now = Date.now()): void {
    this.whole(() => {
      const { path, title, kind, unit, pages } = document;
      const digest = createHash("sha256")
        .update(JSON.stringify([title, pages.map(({ text }) => text)]))
        .digest("hex");
      const known = this.row("SELECT id, digest FROM documents WHERE path = ?", path);
      if (known?.digest === digest) {
        this.run("UPDATE documents SET opened = ? WHERE id = ?", now, Number(known.id));
        return;
      }
      const { id } = this.row(
        `INSERT INTO documents (path, title, kind, unit, pages, digest, opened) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (path) DO UPDATE SET title = excluded.title, kind = excluded.kind, unit = excluded.unit,
           pages = excluded.pages, digest = excluded.digest, opened = excluded.opened
         RETURNING id`,
        ...[path, title, kind, unit, pages.length, digest, now],
      ) as { id: number };
      this.forgetPages(id);
      const insert = this.database.prepare("INSERT INTO page_text (rowid, title, text) VALUES (?, ?, ?)");
      const heading = headingOf(title, path);
      for (const { number, text } of pages) insert.run(id * PAGES + number, heading, indexable(text));
    });
  }

  /** Keeps a finished run of a document that was taken in before. */
  saveRun(path: string, options: RunOptions, result: SummaryResult, times: { started: number; ended: number }): void {
    this.whole(() => {
      const document = this.row("SELECT id FROM documents WHERE path = ?", path);
      if (!document) throw new Error(`"${path}" is not in it`);
      const { id } = this.row(
        "INSERT INTO runs (document, started, ended, options, result) VALUES (?, ?, ?, ?, ?) RETURNING id",
        ...[Number(document.id), times.started, times.ended, JSON.stringify(options), JSON.stringify(result)],
      ) as { id: number };
      this.run("INSERT INTO run_text (rowid, text) VALUES (?, ?)", id, indexable(result.text));
    });
  }

  /** The documents opened last. */
  list(limit: number): LibraryList {
    return this.sure(() => ({
      entries: this.rows(`${ENTRIES} ORDER BY opened DESC, id DESC LIMIT ?`, limit).map(entryOf),
      total: Number(this.row("SELECT count(*) AS total FROM documents")?.total),
    }));
  }

  /**
   * The documents of which a page or a summary holds all that is asked for; none for an empty query. Those whose summary
   * holds it come first, then those of which the larger share of pages does. (bm25 would look at every page that
   * matches: four times as long for common words, of which it has nothing to say.)
   */
  search(query: string, limit: number): LibraryHit[] {
    const asked = askedFor(query);
    if (asked.length === 0) return [];
    return this.sure(() => {
      const search = searchOf(asked);
      const found = this.rows(
        `SELECT id, max(page) AS page, sum(found) AS found, max(run) AS run
         FROM (SELECT rowid / ${PAGES} AS document, min(rowid) AS page, count(*) AS found, NULL AS run
               FROM page_text WHERE page_text MATCH ? GROUP BY document
               UNION ALL
               SELECT document, NULL, 0, max(runs.id)
               FROM run_text JOIN runs ON runs.id = run_text.rowid WHERE run_text MATCH ? GROUP BY document)
         JOIN documents ON id = document
         GROUP BY id ORDER BY run IS NULL, 1.0 * sum(found) / pages DESC, opened DESC LIMIT ?`,
        ...[search, search, limit],
      );
      return found.map(({ id, page, found, run }): LibraryHit => {
        const [table, rowid] = run === null ? ["page_text", Number(page)] : ["run_text", Number(run)];
        const text = String(this.row(`SELECT text FROM ${table} WHERE rowid = ?`, rowid)?.text ?? "");
        return {
          entry: entryOf(this.row(`${ENTRIES} WHERE id = ?`, Number(id)) ?? {}),
          inSummary: run !== null,
          page: page === null ? undefined : Number(page) % PAGES,
          found: Number(found),
          snippet: excerpt(text, asked),
        };
      });
    });
  }

  /** The last finished run of a document; undefined when there is none. */
  lastRun(path: string): StoredRun | undefined {
    return this.sure(() => {
      const row = this.row(
        `SELECT started, ended, options, result FROM runs WHERE document = (SELECT id FROM documents WHERE path = ?)
         ORDER BY ended DESC, id DESC LIMIT 1`,
        path,
      );
      if (!row) return undefined;
      const { options, result } = row;
      const run = storedRunSchema.safeParse({
        ...row,
        options: JSON.parse(String(options)),
        result: JSON.parse(String(result)),
      });
      if (run.success) return run.data;
      throw new PrecisError(
        "library-unreadable",
        `The saved summary of "${basename(path)}" has a form that this Precis does not know.`,
        "Start the summary again.",
        { cause: run.error },
      );
    });
  }

  /**
   * Deletes a document's text and all its runs for good: what held them is overwritten. Its file stays.
   * @returns false when it was not there
   */
  remove(path: string): boolean {
    const removed = this.whole(() => {
      const document = this.row("SELECT id FROM documents WHERE path = ?", path);
      if (!document) return false;
      const id = Number(document.id);
      this.run("DELETE FROM run_text WHERE rowid IN (SELECT id FROM runs WHERE document = ?)", id);
      this.forgetPages(id);
      this.run("DELETE FROM documents WHERE id = ?", id);
      return true;
    });
    // The log still holds the pages as they were.
    if (removed) this.sure(() => this.database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
    return removed;
  }

  private forgetPages(id: number): void {
    this.run("DELETE FROM page_text WHERE rowid BETWEEN ? AND ?", id * PAGES, (id + 1) * PAGES - 1);
  }

  /** All that `work` writes, or nothing of it. */
  private whole<Value>(work: () => Value): Value {
    return this.sure(() => transaction(this.database, work));
  }

  /** `work`, with SQLite's errors in words. */
  private sure<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (thrown) {
      throw unreadable(thrown, this.file);
    }
  }

  private row(sql: string, ...values: (string | number)[]): Row | undefined {
    return this.database.prepare(sql).get(...values) as Row | undefined;
  }

  private rows(sql: string, ...values: (string | number)[]): Row[] {
    return this.database.prepare(sql).all(...values) as Row[];
  }

  private run(sql: string, ...values: (string | number)[]): void {
    this.database.prepare(sql).run(...values);
  }
}

const ENTRIES = `SELECT path, title, unit, pages, opened,
  EXISTS (SELECT 1 FROM runs WHERE runs.document = documents.id) AS summarised FROM documents`;

const entryOf = (row: Row): LibraryEntry => entrySchema.parse({ ...row, summarised: row.summarised === 1 });

/** Title and file name, searched with every page. */
function headingOf(title: string, path: string): string {
  return indexable(`${title} ${basename(path)}`);
}

/** The library's file: an SQLite database whose form has a number, and steps from each number to the next. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";

export type Database = InstanceType<typeof DatabaseSync>;

/** Each takes a file of the form that is its place in the list to the next form; one that was released never changes. */
export const steps: readonly ((database: Database) => void)[] = [
  (database) =>
    database.exec(`
      CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        kind TEXT NOT NULL,
        unit TEXT NOT NULL,
        pages INTEGER NOT NULL,
        digest TEXT NOT NULL, -- of what page_text holds of it
        opened INTEGER NOT NULL -- milliseconds since 1970, as all times here
      );
      CREATE INDEX documents_opened ON documents (opened);
      CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        started INTEGER NOT NULL,
        ended INTEGER NOT NULL,
        options TEXT NOT NULL, -- JSON: RunOptions
        result TEXT NOT NULL -- JSON: SummaryResult
      );
      CREATE INDEX runs_document ON runs (document, ended);
      -- rowid: the document's id times 2^20, and the page's number
      CREATE VIRTUAL TABLE page_text USING fts5 (
        title, text, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
      );
      -- rowid: the run's id
      CREATE VIRTUAL TABLE run_text USING fts5 (
        text, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
      );
      -- What is deleted is taken out of the index at once, not when it is next merged.
      INSERT INTO page_text (page_text, rank) VALUES ('secure-delete', 1);
      INSERT INTO run_text (run_text, rank) VALUES ('secure-delete', 1);
    `),
  (database) =>
    database.exec(`
      CREATE TABLE queue (
        place INTEGER PRIMARY KEY,
        item TEXT NOT NULL -- JSON: QueueItem
      );
    `),
  (database) =>
    database.exec(`
      CREATE TABLE tags (
        document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        tag TEXT NOT NULL COLLATE NOCASE,
        PRIMARY KEY (document, tag)
      ) WITHOUT ROWID;
      CREATE INDEX tags_tag ON tags (tag);
    `),
  (database) =>
    database.exec(`
      CREATE TABLE answers (
        id TEXT PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        asked INTEGER NOT NULL,
        question TEXT NOT NULL,
        source TEXT NOT NULL, -- AnswerSource
        result TEXT NOT NULL -- JSON: SummaryResult
      );
      CREATE INDEX answers_run ON answers (run, asked);
    `),
];

/**
 * Opens the file, made when it is not there, and brings it to the newest form: whole, or not at all.
 * @throws PrecisError library-unreadable; the file is then as it was
 */
export function openDatabase(file: string, upTo: typeof steps = steps): Database {
  let database: Database | undefined;
  try {
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
    database = new DatabaseSync(file, { timeout: 5_000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;");
    migrate(database, upTo, file);
    return database;
  } catch (thrown) {
    database?.close();
    throw unreadable(thrown, file);
  }
}

function migrate(database: Database, upTo: typeof steps, file: string): void {
  const form = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (form > upTo.length) {
    throw new PrecisError(
      "library-unreadable",
      said`The library "${file}" was written by a newer Precis.`,
      said`Update Precis to use it.`,
    );
  }
  for (const [index, step] of upTo.entries()) {
    if (index < form) continue;
    transaction(database, () => {
      step(database);
      database.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** All of `work`, or nothing of it. */
export function transaction<Value>(database: Database, work: () => Value): Value {
  database.exec("BEGIN IMMEDIATE");
  try {
    const value = work();
    database.exec("COMMIT");
    return value;
  } catch (thrown) {
    database.exec("ROLLBACK");
    throw thrown;
  }
}

/** What SQLite could not do, in words. */
export function unreadable(thrown: unknown, file: string): PrecisError {
  if (thrown instanceof PrecisError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new PrecisError(
    "library-unreadable",
    said`The library "${file}" cannot be used: ${reason}.`,
    said`Free some space if the disk is full; if the file is damaged, move it away, and Precis starts a new one.`,
    { cause: thrown },
  );
}

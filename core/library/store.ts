import { type Database, openDatabase, transaction, unreadable } from "./database.js";

export type Row = Record<string, unknown>;
type Value = string | number | null;
type Statement = ReturnType<Database["prepare"]>;

/** The library's file, open. Every method throws PrecisError library-unreadable with SQLite's reason in words. */
export class Store {
  /** By their SQL, of which there is little: a search runs the same for each of what it found. */
  private readonly statements = new Map<string, Statement>();

  private constructor(
    private readonly database: Database,
    private readonly file: string,
  ) {}

  /** @param file made when it is not there; ":memory:" for none */
  static open(file: string): Store {
    return new Store(openDatabase(file), file);
  }

  close(): void {
    this.database.close();
  }

  /** All that `work` writes, or nothing of it. */
  whole<Result>(work: () => Result): Result {
    return this.sure(() => transaction(this.database, work));
  }

  row(sql: string, ...values: Value[]): Row | undefined {
    return this.sure(() => this.prepared(sql).get(...values) as Row | undefined);
  }

  rows(sql: string, ...values: Value[]): Row[] {
    return this.sure(() => this.prepared(sql).all(...values) as Row[]);
  }

  run(sql: string, ...values: Value[]): void {
    this.sure(() => this.prepared(sql).run(...values));
  }

  /** Runs one statement for each of many rows. */
  each(sql: string, rows: Iterable<readonly Value[]>): void {
    this.sure(() => {
      const statement = this.prepared(sql);
      for (const values of rows) statement.run(...values);
    });
  }

  /**
   * Takes rows, from the first to the last, out of one of the indexes. A savepoint makes FTS5 write that down: with
   * "secure-delete" a row that is put in again in the same transaction would be found by words that it no longer has
   * (SQLite 3.53.0, of entries longer than a page of the index).
   */
  unindex(table: "page_text" | "run_text", first: number, last: number): void {
    this.run(`DELETE FROM ${table} WHERE rowid BETWEEN ? AND ?`, first, last);
    this.sure(() => this.database.exec("SAVEPOINT written; RELEASE written"));
  }

  /** Overwrites what the log still holds of pages as they were. */
  checkpoint(): void {
    this.sure(() => this.database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
  }

  private prepared(sql: string): Statement {
    const statement = this.statements.get(sql) ?? this.database.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  private sure<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (thrown) {
      throw unreadable(thrown, this.file);
    }
  }
}

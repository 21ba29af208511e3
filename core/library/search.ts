import type { LibraryHit } from "./entries.js";
import { entriesSql, entryOf, PAGES, tagged } from "./rows.js";
import type { Store } from "./store.js";
import { askedFor, excerpt, searchOf } from "./words.js";

/**
 * The documents of which a page or a summary holds all that is asked for; none for an empty query. Those whose summary
 * holds it come first, then those of which the larger share of pages does. (bm25 would look at every page that
 * matches: four times as long for common words, of which it has nothing to say.)
 * @param tag of documents with this tag only
 */
export function searchLibrary(store: Store, query: string, limit: number, tag?: string): LibraryHit[] {
  const asked = askedFor(query);
  if (asked.length === 0) return [];
  const search = searchOf(asked);
  const only = tagged(tag);
  const found = store.rows(
    `SELECT id, max(page) AS page, sum(found) AS found, max(run) AS run
     FROM (SELECT rowid / ${PAGES} AS document, min(rowid) AS page, count(*) AS found, NULL AS run
           FROM page_text WHERE page_text MATCH ? GROUP BY document
           UNION ALL
           SELECT document, NULL, 0, max(runs.id)
           FROM run_text JOIN runs ON runs.id = run_text.rowid WHERE run_text MATCH ? GROUP BY document)
     JOIN documents ON id = document WHERE ${only.sql}
     GROUP BY id ORDER BY run IS NULL, 1.0 * sum(found) / pages DESC, opened DESC, id DESC LIMIT ?`,
    ...[search, search, ...only.values, limit],
  );
  return found.map(({ id, page, found, run }): LibraryHit => {
    const [table, rowid] = run === null ? ["page_text", Number(page)] : ["run_text", Number(run)];
    const text = String(store.row(`SELECT text FROM ${table} WHERE rowid = ?`, rowid)?.text ?? "");
    return {
      entry: entryOf(store.row(`${entriesSql} WHERE id = ?`, Number(id)) ?? {}),
      inSummary: run !== null,
      page: page === null ? undefined : Number(page) % PAGES,
      found: Number(found),
      snippet: excerpt(text, asked),
    };
  });
}

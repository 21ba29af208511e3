/** What the library's queries share. */
import { entrySchema, type LibraryEntry } from "./entries.js";
import type { Row } from "./store.js";

/** A document's id and a page's number in one rowid of page_text: deleting a document is deleting a range. */
export const PAGES = 2 ** 20;

export const entriesSql = `SELECT path, title, unit, pages, opened,
  EXISTS (SELECT 1 FROM runs WHERE runs.document = documents.id) AS summarised,
  (SELECT json_group_array(tag) FROM (SELECT tag FROM tags WHERE tags.document = documents.id ORDER BY tag)) AS tags
  FROM documents`;

export const entryOf = (row: Row): LibraryEntry =>
  entrySchema.parse({ ...row, summarised: row.summarised === 1, tags: JSON.parse(String(row.tags)) });

/** A condition on documents, and its values: those with this tag, or all. */
export function tagged(tag: string | undefined): { sql: string; values: string[] } {
  if (tag === undefined) return { sql: "TRUE", values: [] };
  return { sql: "documents.id IN (SELECT document FROM tags WHERE tag = ?)", values: [tag] };
}

/** What is summarised: a LongBench-format file that the user has, and the sample report, which is always there. */
import { readFileSync } from "node:fs";

export interface SourceDocument {
  /** Letters, digits, '-'. */
  readonly id: string;
  readonly text: string;
  /** Summaries by people; none for the sample. */
  readonly references: readonly string[];
}

export const sampleReport = readFileSync(new URL("../../assets/samples/harbour-report.md", import.meta.url), "utf8");

/**
 * JSON lines with `context` and `answers`. LongBench writes Multi-News' line ends as a word of its own; they become line
 * ends again.
 * @throws Error that names the line which is something else
 */
export function longBenchDocuments(name: string, jsonLines: string): SourceDocument[] {
  return jsonLines.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const bad = new Error(`${name}, line ${index + 1} is no JSON object with a text "context" and a list "answers".`);
    let entry: { context?: unknown; answers?: unknown };
    try {
      entry = JSON.parse(line) as typeof entry;
    } catch {
      throw bad;
    }
    if (typeof entry?.context !== "string" || !Array.isArray(entry.answers)) throw bad;
    const clean = (text: string) => text.replace(/ ?NEWLINE_CHAR ?/g, "\n").trim();
    return { id: `data-${index + 1}`, text: clean(entry.context), references: entry.answers.map(String).map(clean) };
  });
}

/** The sample report in whole chapters, as many in a piece as `tokens` (a measure of text) hold. */
export function samplePieces(measure: (text: string) => number, tokens: number): SourceDocument[] {
  const chapters = sampleReport.split(/^(?=## )/m).slice(1);
  const pieces: string[] = [];
  for (const chapter of chapters) {
    const last = pieces.at(-1);
    if (last !== undefined && measure(last + chapter) <= tokens) pieces[pieces.length - 1] = last + chapter;
    else pieces.push(chapter);
  }
  return pieces.map((text, index) => ({ id: `sample-${index + 1}`, text: text.trim(), references: [] }));
}

/**
 * Reads a labelled summary. A file has the half that it belongs to, its pages (or the document that has them), and the
 * summary, a sentence a line, each after its label: "[3]" page 3 supports it, "[1/7]" either page does, "[2 5]" it needs
 * both, "[]" no page supports it.
 */
import { readdir, readFile } from "node:fs/promises";
import { openDocument } from "../../../core/documents/open.js";

export interface LabelledPage {
  readonly number: number;
  readonly text: string;
}

export interface LabelledSentence {
  readonly start: number;
  readonly end: number;
  /** Of each group one page must be cited, and no page outside the groups. */
  readonly groups: readonly (readonly number[])[];
}

export interface LabelledSummary {
  readonly name: string;
  readonly half: "tuning" | "reporting";
  readonly pages: readonly LabelledPage[];
  readonly text: string;
  readonly sentences: readonly LabelledSentence[];
}

const folder = new URL("./", import.meta.url);

/** @param half one half alone */
export async function labelledSummaries(half?: LabelledSummary["half"]): Promise<LabelledSummary[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".txt")).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(new URL(name, folder), "utf8") })),
  );
  const wanted = files.filter(({ text }) => half === undefined || text.startsWith(`half: ${half}\n`));
  return Promise.all(wanted.map(({ name, text }) => readSummary(name, text)));
}

async function readSummary(file: string, content: string): Promise<LabelledSummary> {
  const [head = "", ...parts] = content.split(/^--- /m);
  const half = /^half: (tuning|reporting)$/m.exec(head)?.[1] as LabelledSummary["half"] | undefined;
  const path = /^document: (.+)$/m.exec(head)?.[1];
  const bodies = new Map(parts.map((part) => [part.slice(0, part.indexOf("\n")), part.slice(part.indexOf("\n") + 1)]));
  const summary = bodies.get("summary");
  if (!half || summary === undefined) throw new Error(`${file}: no half, or no summary`);
  bodies.delete("summary");
  const pages = path
    ? (await openDocument(path, {})).pages.map(({ number, text }) => ({ number, text }))
    : [...bodies].map(([name, text]) => ({ number: Number(name.replace("page ", "")), text }));
  return { name: file.replace(".txt", ""), half, pages, ...readSentences(file, summary) };
}

/** Lines make up paragraphs, as a model writes them: a list item and an empty line begin a new one. */
function readSentences(file: string, summary: string): Pick<LabelledSummary, "text" | "sentences"> {
  const sentences: LabelledSentence[] = [];
  let text = "";
  for (const line of summary.trim().split("\n")) {
    if (line === "") {
      text += "\n\n";
      continue;
    }
    const match = /^(- )?\[([^\]]*)\] (.+)$/.exec(line);
    if (!match) throw new Error(`${file}: no label before "${line}"`);
    const [, item = "", label = "", sentence = ""] = match;
    if (item !== "" && text !== "" && !text.endsWith("\n")) text += "\n";
    else if (text !== "" && !text.endsWith("\n")) text += /[。！？]$/.test(text) ? "" : " ";
    text += item;
    const groups = label === "" ? [] : label.split(" ").map((group) => group.split("/").map(Number));
    sentences.push({ start: text.length, end: text.length + sentence.length, groups });
    text += sentence;
  }
  return { text, sentences };
}

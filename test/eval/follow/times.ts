/** What it costs: while reading, once before the answer, and for each token. Medians of pairs in one run. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { formatBytes } from "../../../core/format.js";
import { buildPrompt } from "../../../core/summarize/prompt.js";
import { median } from "../../bench/summary.js";
import { greedy } from "../benchmark.js";
import { sampleReport } from "../documents.js";
import { type FollowDesk, following, freshFile, readFully, readInto, type Say, take } from "./desk.js";
import type { Part } from "./page.js";

const tokens = 7600;
const budget = "6.9%";
const maxTokens = 100;
const rounds = 2;
/** In each round: a draft takes a second, and its time varies by as much as a disk takes. */
const pairs = 9;
/**
 * Of what is read twice for its time: short, so that the machine is as fast the second time as the first, and often. What is
 * written grows as the tokens do, and reading them faster: longer documents pay less.
 */
const shortTokens = 900;
const shortPairs = 15;

/** Has Linux forget what of a file it holds in memory. @throws Error where it does not, as in a file system without a disk */
function forgetPages(path: string): void {
  execFileSync("sync", [path]);
  execFileSync("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]);
  const held = Number(
    execFileSync("fincore", ["--bytes", "--noheadings", "--output", "RES", path], { encoding: "utf8" }),
  );
  if (held > 0.01 * statSync(path).size) throw new Error(`the system still holds ${formatBytes(held)} of ${path}`);
}

/** As many bytes as the keys have: the other half is values. */
function readHalf(path: string): void {
  const piece = Buffer.alloc(2 ** 20);
  const file = openSync(path, "r");
  const end = statSync(path).size / 2;
  for (let at = 0; at < end; at += piece.length) readSync(file, piece, 0, piece.length, at);
  closeSync(file);
}

export async function timesPart(desk: FollowDesk, say: Say): Promise<Omit<Part, "made" | "split">> {
  const { engine, session, measure } = desk;
  const documentOf = (tokens: number) => {
    let text = sampleReport;
    while (measure(text) < tokens) text += sampleReport;
    return text.slice(0, Math.floor((text.length * tokens) / measure(text)));
  };
  const document = documentOf(tokens);
  const prompt = buildPrompt(engine, document, { length: "medium" });
  const short = buildPrompt(engine, documentOf(shortTokens), { length: "medium" });
  const question = buildPrompt(engine, document, { length: "short", question: "Who paid for the new quay wall?" });
  const sampling = greedy(1.1);
  const seen = new Map<string, number[]>();
  const note = (name: string, value: number) => {
    seen.set(name, [...(seen.get(name) ?? []), value]);
    say(`  ${name}: ${value.toPrecision(4)}`);
  };
  const readMs = ({ timings }: { timings: { prefillMs: number; compressMs: number } }) =>
    timings.prefillMs + timings.compressMs;
  const timed = async (work: () => Promise<unknown>) => {
    const started = performance.now();
    await work();
    return performance.now() - started;
  };
  let held = "";
  for (let round = 1; round <= rounds; round++) {
    say(`round ${round} of ${rounds}, ${prompt.tokens.length} tokens`);
    await readFully(desk, prompt);
    const full = await session.generate({ sampling, maxTokens });
    note("full: ms a token", full.decodeMs / full.tokens);
    const plainMs = readMs(await readInto(desk, prompt, budget));
    const off = await session.generate({ sampling, maxTokens });
    note("off: ms a token", off.decodeMs / off.tokens);
    const file = freshFile(desk);
    const reading = await readInto(desk, prompt, budget, { path: file, kept: true });
    const logits = session.logits();
    const keepMs = await timed(() => session.keepWhole("follow"));
    note("finishing the file that is kept, share of reading", keepMs / plainMs);
    const aim = () => timed(() => session.draft(following(desk, prompt, budget, "draft"), sampling));
    const shares: number[] = [];
    const longer: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const draftMs = await aim();
      shares.push(draftMs / plainMs);
      session.rewind(logits);
      if (process.platform !== "linux") continue;
      forgetPages(file);
      const diskMs = await timed(async () => readHalf(file));
      forgetPages(file);
      longer.push(((await aim()) - draftMs) / diskMs);
      session.rewind(logits);
    }
    note("draft and choosing anew, share of reading", median(shares));
    if (longer.length > 0) {
      note("the same from a cold file: what it takes longer, times reading its keys from the disk", median(longer));
    }
    const draft = await session.generate({ sampling, maxTokens });
    note("draft: ms a token, once chosen", draft.decodeMs / draft.tokens);
    session.rewind(logits);
    const checked = await session.generate({ sampling, maxTokens, follow: following(desk, prompt, budget, "checked") });
    note("checked: ms a token", checked.decodeMs / checked.tokens);
    session.rewind(logits);
    const pace = { stretch: 16, next: () => 8, took: () => {} };
    const follow = { ...following(desk, prompt, budget, "checked"), pace };
    const drafts = await session.generate({ sampling, maxTokens, follow });
    note("checked, always by drafts of 8: ms a token", drafts.decodeMs / drafts.tokens);
    note("drafted tokens that held", drafts.confirmed / drafts.drafted);
    held = `${formatBytes(Math.max(draft.peakKvBytes, checked.peakKvBytes))} at the peak of ${formatBytes(reading.kv.fullBytes)}, ${formatBytes(reading.kv.peakBytes)} while reading`;
    const askMs = await timed(() => take(desk, question, budget, file));
    const againMs = readMs(await readInto(desk, question, budget));
    note("reading again for a question, times asking the whole cache", againMs / askMs);
    rmSync(file);
    const ratios: number[] = [];
    for (let pair = 0; pair < shortPairs; pair++) {
      const without = () => readInto(desk, short, budget).then(readMs);
      const beside = () => readInto(desk, short, budget, { path: freshFile(desk), kept: true }).then(readMs);
      // whoever is second finds what the first has left
      if (pair % 2 === 0) {
        const plain = await without();
        ratios.push((await beside()) / plain);
      } else {
        const whole = await beside();
        ratios.push(whole / (await without()));
      }
    }
    note(`reading ${short.tokens.length} tokens with the file, times reading without`, median(ratios));
  }
  return {
    title: `Times at ${prompt.tokens.length} tokens, ${budget} kept`,
    about: `Medians of ${rounds} rounds; what is compared was measured in the same round. K, V and hidden states in memory: ${held}.`,
    head: ["what", "median"],
    rows: [...seen].map(([name, values]) => {
      const value = median(values);
      return [
        name,
        /share/.test(name)
          ? `${(100 * value).toFixed(1)} %`
          : /times/.test(name)
            ? `${value.toFixed(2)}x`
            : /held/.test(name)
              ? `${(100 * value).toFixed(0)} %`
              : `${value.toFixed(1)} ms`,
      ];
    }),
  };
}

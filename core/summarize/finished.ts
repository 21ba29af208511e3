/**
 * The steps of a long run that are finished, in a file, so that a run that was ended goes on where it was:
 *
 *     PRECIS-STEPS 1 <sha256 of the rest>
 *     {"identity": …, "room": …, "steps": {key: …}}
 *
 * The file is of one run (document, model, options: its identity). A step's key is a digest of everything that decides
 * what it writes, down to the tokens of its prompt: what differs in anything is not found, and done anew.
 */
import { readFile } from "node:fs/promises";
import * as z from "zod";
import { CacheStore } from "../engine/cache-store.js";
import { writeWhole } from "../engine/whole-file.js";
import { said } from "../said.js";
import { digest } from "./read.js";

const magic = "PRECIS-STEPS 1";

const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();

export const stepSchema = z.object({
  text: z.string(),
  /** Written. */
  tokens: count,
  /** It was still writing when it had written all that it may. */
  cut: z.boolean(),
  promptTokens: count,
  /** Of a part, where something was dropped: retention.ts. */
  kept: z.string().optional(),
  kv: z.object({
    fullBytes: count,
    retainedBytes: count,
    peakBytes: count,
    layers: z.array(z.object({ layer: count, tokens: count, bytes: count })),
  }),
  timings: z.object({
    prefillMs: milliseconds,
    compressMs: milliseconds,
    firstTokenMs: milliseconds,
    decodeMs: milliseconds,
  }),
});
export type Step = z.infer<typeof stepSchema>;

const bodySchema = z.object({
  identity: z.string(),
  /** Tokens of text read in one go: with less free memory than then, the same parts are cut. */
  room: count,
  steps: z.record(z.string(), stepSchema),
});
type Body = z.infer<typeof bodySchema>;

/** Bytes of all files together: the steps of a document of 2,000 pages take less than one MiB. */
const limitBytes = 64 * 2 ** 20;

/** The files of all runs that have not ended. */
export function stepStore(folder: string): CacheStore {
  return new CacheStore(folder, limitBytes, ".steps");
}

export class FinishedSteps {
  /** What an earlier run has left. */
  private earlier: Readonly<Record<string, Step>>;

  private constructor(
    private readonly store: CacheStore | undefined,
    private body: Body,
    /** Why what an earlier run left was not used, for the user. */
    readonly refusal?: string,
  ) {
    this.earlier = { ...body.steps };
  }

  /** Takes up what an earlier run of this identity has left; without a store nothing is kept. */
  static async open(store: CacheStore | undefined, identity: string): Promise<FinishedSteps> {
    const empty = { identity, room: 0, steps: {} };
    const file = await store?.find(identity);
    if (!store || file === undefined) return new FinishedSteps(store, empty);
    const read = parse(await readFile(file, "utf8"), identity);
    if (typeof read !== "string") return new FinishedSteps(store, read);
    await store.remove(identity);
    return new FinishedSteps(store, empty, said`What an earlier run had finished was not used: ${read}.`);
  }

  /** Of the run that began; undefined when there was none. */
  get room(): number | undefined {
    return this.body.room || undefined;
  }

  /** Of the run that began. */
  get all(): readonly Step[] {
    return Object.values(this.earlier);
  }

  find(key: string): Step | undefined {
    return this.earlier[key];
  }

  /** Forgets what another way of cutting has left. */
  begin(room: number): void {
    if (room === this.body.room) return;
    this.body = { ...this.body, room, steps: {} };
    this.earlier = {};
  }

  /** @throws the file system's errors */
  async add(key: string, step: Step): Promise<void> {
    this.body.steps[key] = step;
    const json = JSON.stringify(this.body);
    const text = `${magic} ${digest(json)}\n${json}`;
    await this.store?.save(this.body.identity, (path) => writeWhole(path, (file) => file.writeFile(text)));
  }

  /** The run has ended well. A file that cannot be removed is found again only by the same run. */
  async remove(): Promise<void> {
    await this.store?.remove(this.body.identity).catch(() => {});
  }
}

/** @returns why the file cannot be used, as the end of a sentence, when it cannot */
function parse(text: string, identity: string): Body | string {
  const end = text.indexOf("\n");
  const head = text.slice(0, end);
  const json = text.slice(end + 1);
  if (!head.startsWith("PRECIS-STEPS ")) return said`its file is damaged`;
  if (!head.startsWith(`${magic} `)) return said`it was written by another version of Precis`;
  if (head.slice(magic.length + 1) !== digest(json)) return said`its file is damaged`;
  const body = bodySchema.safeParse(JSON.parse(json));
  if (!body.success) return said`its file is damaged`;
  return body.data.identity === identity ? body.data : said`it is of another document, model or setting`;
}

/** What can happen to the file of a whole cache while it is in use. */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Policy } from "../../core/compression/policy.js";
import { createPolicy } from "../../core/compression/registry.js";
import { loadEngine } from "../../core/engine/engine.js";
import { SavedCacheRefused } from "../../core/engine/saved-cache.js";
import type { DocumentSession } from "../../core/engine/session.js";
import type { Engine, Following, Sampling } from "../../core/engine/types.js";
import { someTokens, writeRandomModel } from "../support/gguf.js";
import { ownCacheHome, precis, root } from "../support/precis.js";
import { openSession, tinyModel } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "precis-whole-file-"));
const tokens = someTokens(700);
const prompt = { tokens, headTokens: 4, windowTokens: 16 };
const sampling: Sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repeatPenalty: 1.1, seed: 1 };
const policy = createPolicy("dynamickv");
const aimed = policy.aimed as Policy;
const kept = join(folder, "kept.whole");
const identity = "this document";

let engine: Engine;
let session: DocumentSession;
let budgetEntries: number;
/** What a document's whole cache takes per token. */
let tokenBytes: number;
let namedWhileRead: boolean;
beforeAll(async () => {
  const path = join(folder, "model.gguf");
  writeRandomModel(path, { ...tinyModel, architecture: "llama" });
  engine = await loadEngine(path, "model");
  budgetEntries = 60 * engine.model.fullLayers;
  session = await openSession(engine);
  const { kv } = await read(kept);
  tokenBytes = kv.fullBytes / tokens.length;
  namedWhileRead = readdirSync(folder).includes("kept.whole");
  expect(await session.keepWhole(identity)).toBe(true);
});
afterAll(async () => {
  await session?.dispose();
  await engine?.dispose();
  rmSync(folder, { recursive: true });
});

const read = async (path?: string) =>
  await session.read(prompt, {
    policy,
    budgetEntries,
    answerTokens: 64,
    whole: path ? { path, kept: true } : undefined,
  });

let files = 0;
/** A file of this document, as a reading has just left it or as one that was taken up. */
const inUse = {
  "taken up": async () => {
    const path = join(folder, `${files++}.whole`);
    copyFileSync(kept, path);
    await session.takeWhole(prompt, path, identity, { policy, budgetEntries, answerTokens: 64 });
    return path;
  },
  "kept after reading": async () => {
    const path = join(folder, `${files++}.whole`);
    await read(path);
    expect(await session.keepWhole(identity)).toBe(true);
    // as the store of saved caches does
    renameSync(path, `${path}.kv`);
    return `${path}.kv`;
  },
};

const harm = {
  "cut short": (path: string) => truncateSync(path, 4096),
  emptied: (path: string) => truncateSync(path, 0),
  changed: (path: string) => {
    const file = openSync(path, "r+");
    writeSync(file, Buffer.alloc(4096, 0x3c), 0, 4096, 8192);
    closeSync(file);
  },
};

/** `checked` by the whole cache alone and by drafts in turns; `before` comes before each stretch, with how many there were. */
const checked = (before?: (stretches: number) => void): Following => {
  let stretches = 0;
  const next = () => {
    before?.(stretches);
    return stretches++ % 2 === 0 ? 1 : 8;
  };
  return { policy: aimed, budgetEntries, mode: "checked", pace: { stretch: 16, next, took: () => {} } };
};
const maxTokens = 60;
const write = async (follow?: Following) => await session.generate({ sampling, maxTokens, follow });

describe.each(Object.entries(inUse))("a whole cache's file (%s)", (_, use) => {
  let sure: string;
  let plain: string;
  beforeAll(async () => {
    await use();
    sure = (await write(checked())).text;
    await use();
    plain = (await write()).text;
  });

  describe.each(Object.entries(harm))("that is %s", (_, hurt) => {
    it.each([
      ["a stretch that the whole cache writes alone", 2],
      ["a draft", 1],
    ])("in the middle of an answer costs no word, before %s", async (_, at) => {
      const path = await use();
      let said = "";
      const lost = await session.generate({
        sampling,
        maxTokens,
        follow: checked((stretches) => {
          if (stretches === at) hurt(path);
        }),
        onText: (text) => {
          said += text;
        },
      });
      expect(lost.wholeLost).toMatch(/cut short/);
      expect(lost.tokens).toBe(maxTokens);
      expect(said).toBe(lost.text);
      // what was written until then is what is sure; some characters take several of 16 tokens
      expect(lost.text.slice(0, 12 * at)).toBe(sure.slice(0, 12 * at));
    });

    it("before a draft leaves the answer that is written without one", async () => {
      const path = await use();
      hurt(path);
      const lost = await write({ policy: aimed, budgetEntries, mode: "draft" });
      expect(lost.wholeLost).toMatch(/cut short/);
      expect(lost.text).toBe(plain);
    });

    it("while what is kept is chosen anew leaves what was kept", async () => {
      const path = await use();
      const lost = await write({ policy: afterChoosing(aimed, () => hurt(path)), budgetEntries, mode: "draft" });
      expect(lost.wholeLost).toMatch(/cut short/);
      expect(lost.text).toBe(plain);
    });
  });

  it("that is deleted is used to the end", async () => {
    const path = await use();
    rmSync(path);
    const same = await write(checked());
    expect(same.wholeLost).toBeUndefined();
    expect(same.text).toBe(sure);
  });

  it("is never written to", async () => {
    const path = await use();
    const before = readFileSync(path);
    await write(checked());
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

it.each(Object.entries(harm))("a file that is %s while it is taken up is refused", async (_, hurt) => {
  const path = join(folder, `${files++}.whole`);
  copyFileSync(kept, path);
  const spoiling = { ...policy, recalled: afterChoosing(policy.recalled as Policy, () => hurt(path)) };
  const taking = session.takeWhole(prompt, path, identity, { policy: spoiling, budgetEntries, answerTokens: 64 });
  await expect(taking).rejects.toBeInstanceOf(SavedCacheRefused);
  await expect(taking).rejects.toThrow(/changed or cut short while it was used/);
});

it.runIf(process.platform === "linux")("has no name while the document is read", () => {
  expect(namedWhileRead).toBe(false);
});

it("is as large on disk as the full cache, with room for other questions", () => {
  const rows = tokenBytes * (tokens.length + 64 + 64 + 1024);
  const { size } = statSync(kept);
  expect(size).toBeGreaterThanOrEqual(rows);
  // each layer's keys and values begin at a multiple of 64 KiB
  expect(size).toBeLessThan(rows + 2 * engine.model.layers * 65536 + 4096);
});

describe("a process that follows an answer", () => {
  const home = ownCacheHome();
  const caches = join(home, "precis", "caches");
  const document = join(home, "report.md");
  const report = readFileSync(join(root, "assets", "samples", "harbour-report.md"), "utf8");
  writeFileSync(document, report.slice(0, 5000));
  const args = ["ask", document, "What did the dredging cost?"];
  afterAll(() => rmSync(home, { recursive: true }));

  it("leaves nothing behind when it is killed while it reads, and what it has saved when it is while it writes", async () => {
    const killed = (when: (stderr: string, stdout: string) => boolean) =>
      precis(args, { cacheHome: home, signal: { name: "SIGKILL", when } });
    expect((await killed((stderr) => /Reading: [4-9]\d %/.test(stderr))).code).toBeNull();
    expect(readdirSync(caches)).toEqual([]);
    expect((await killed((_, stdout) => stdout.length > 10)).code).toBeNull();
    const saved = readdirSync(caches);
    expect(saved).toEqual([expect.stringMatching(/\.kv$/)]);
    const { code, stdout, stderr } = await precis(args, { cacheHome: home });
    expect(code).toBe(0);
    expect(stdout.trim()).not.toBe("");
    expect(stderr).toMatch(/not read again/);
    expect(readdirSync(caches)).toEqual(saved);
  });

  it("says that the file was refused by the system, and answers all the same", () => {
    rmSync(caches, { recursive: true });
    // a limit of the system stands for a full disk; without the handler its signal would end the process
    const handler = join(home, "handler.cjs");
    writeFileSync(handler, 'process.on("SIGXFSZ", () => {});');
    const precisFile = join(root, "scripts", "precis.mjs");
    const command = ["-c", 'ulimit -f 4000; exec "$0" "$@"', process.execPath, "-r", handler, precisFile, ...args];
    const env = { ...process.env, XDG_CACHE_HOME: home };
    const { status, stdout, stderr } = spawnSync("bash", command, { cwd: root, env, encoding: "utf8" });
    expect(stderr).toMatch(/The cache did not follow the answer \(File too large\)/);
    expect(status).toBe(0);
    expect(stdout.trim()).not.toBe("");
  });
});

/** A policy that chooses as the other does, and then does something, before the engine has done what it chose. */
function afterChoosing(other: Policy, something: () => void): Policy {
  return {
    ...other,
    begin: (shape) => {
      const run = other.begin(shape);
      return {
        onGroup: (group) => {
          const chosen = run.onGroup(group);
          if (group.some(({ layer }) => layer === shape.layers - 1)) something();
          return chosen;
        },
      };
    },
  };
}

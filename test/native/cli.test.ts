/** `precis` as users run it, on the real model and the sample report. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { summaryResultSchema } from "../../core/summarize/result.js";
import { ownCacheHome, precis as precisWith, root } from "../support/precis.js";

const sample = join(root, "assets", "samples", "harbour-report.pdf");
const folder = ownCacheHome();
const caches = join(folder, "precis", "caches");
const note = join(folder, "note.md");
writeFileSync(note, `# Storm\n\n${"The storm tore the north pier away and the repair cost 4 million. ".repeat(30)}`);
const tenPages = join(folder, "log.txt");
const fivePages = join(folder, "week.txt");
const page = (number: number) =>
  `Day ${number}. The crew counted ${number * 17} seals and painted one of the sheds. `.repeat(5);
writeFileSync(tenPages, Array.from({ length: 10 }, (_, index) => page(index + 1)).join("\f"));
writeFileSync(fivePages, Array.from({ length: 5 }, (_, index) => page(index + 1)).join("\f"));

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs precis; `interruptAt` sends SIGINT once stderr contains that text. */
function precis(args: readonly string[], interruptAt?: string) {
  const signal =
    interruptAt === undefined
      ? undefined
      : ({ name: "SIGINT", when: (stderr: string) => stderr.includes(interruptAt) } as const);
  return precisWith(args, { cacheHome: folder, ...(signal && { signal }) });
}

describe("precis summarize", () => {
  test("prints the answer alone to stdout and progress to stderr", async () => {
    const { code, stdout, stderr } = await precis(["summarize", note, "--length", "short"]);
    expect(stderr).toMatch(/Reading: \d+ %/);
    expect(stderr).toMatch(/^Read its only section/m);
    expect(code).toBe(0);
    expect(stdout.trim().length).toBeGreaterThan(20);
    expect(stdout).not.toMatch(/Reading: |<\|im_/);
  });

  test("prints the contract's object with --json, within the budget, and nothing else with --quiet", async () => {
    const args = ["summarize", tenPages, "--budget", "12%", "--length", "short", "--json", "--quiet"];
    const { code, stdout, stderr } = await precis(args);
    expect(code).toBe(0);
    expect(stderr.replace(/^Warning: .*\n/gm, "")).toBe("");
    const result = summaryResultSchema.strict().parse(JSON.parse(stdout));
    expect(result.text.length).toBeGreaterThan(20);
    expect(result.document.pagesRead).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const { kv, budget } = result;
    expect(budget.bytes).toBeLessThanOrEqual(0.12 * kv.fullBytes);
    expect(kv.retainedBytes).toBeLessThanOrEqual(budget.bytes);
    expect(kv.retainedBytes).toBeGreaterThanOrEqual(0.99 * budget.bytes);
    expect(kv.layers).toHaveLength(result.model.layers);
    expect(kv.layers.reduce((sum, layer) => sum + layer.bytes, 0)).toBe(kv.retainedBytes);
  });

  test("says of an answer that was read fast that it was", async () => {
    const args = ["summarize", tenPages, "--reading", "fast", "--length", "short", "--json", "--quiet"];
    const { code, stdout } = await precis(args);
    expect(code).toBe(0);
    const result = summaryResultSchema.strict().parse(JSON.parse(stdout));
    expect(result.reading).toBe("fast");
    // the last layers hold at most what was passed on, some of the first more
    const held = result.kv.layers.map(({ tokens }) => tokens);
    expect(held.at(-1)).toBeLessThan(0.4 * result.document.tokens);
    expect(Math.max(...held)).toBeGreaterThan(0.4 * result.document.tokens);
    expect(result.kvType).toBe("q8_0");
    const estimated = await precis(["estimate", tenPages, "--reading", "fast"]);
    expect(estimated.stdout).toMatch(/^Read +whole, in one go, fast$/m);
  });

  test("is repeatable at temperature 0", async () => {
    const args = ["summarize", note, "--length", "short", "--quiet"];
    const [first, second] = [await precis(args), await precis(args)];
    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
  });

  test("answers each of several files and reports the one that fails", async () => {
    const missing = join(folder, "none.pdf");
    const { code, stdout, stderr } = await precis(["summarize", missing, note, "--length", "short", "--json"]);
    expect(code).toBe(1);
    expect(stderr).toContain(`precis: ${missing}: `);
    expect(summaryResultSchema.parse(JSON.parse(stdout)).document.path).toBe(note);
  });

  test("writes Markdown and JSON files", async () => {
    for (const name of ["summary.md", "summary.json"]) {
      const out = join(folder, name);
      const { code, stdout } = await precis(["summarize", note, "--length", "short", "--quiet", "--out", out]);
      expect(code).toBe(0);
      const written = readFileSync(out, "utf8");
      if (name.endsWith(".json")) expect(summaryResultSchema.parse(JSON.parse(written)).text).toBe(stdout.trim());
      // the report names pages behind sentences, which the terminal does not
      else expect(written).toContain(stdout.trim().split(/(?<=[.!?])\s/)[0]);
    }
  });

  test("is cancelled by SIGINT while reading, with 130 and without a crash", async () => {
    const { code, stdout, stderr, signalMs } = await precis(["summarize", sample], "Reading: 1");
    expect(code).toBe(130);
    expect(stdout).toBe("");
    expect(stderr).toContain("precis: Cancelled.");
    expect(stderr).not.toMatch(/graph_compute|llama/);
    expect(signalMs).toBeLessThan(2_000);
  });
});

describe("a document read in parts", () => {
  const parts = join(folder, "precis", "parts");
  const args = ["summarize", fivePages, "--part-tokens", "200", "--budget", "150", "--length", "short", "--json"];

  test("goes on after a kill without reading finished parts again", async () => {
    const signal = { name: "SIGKILL", when: (stderr: string) => /^Reading 3\/\d: /m.test(stderr) } as const;
    const killed = await precisWith(args, { cacheHome: folder, signal });
    expect(killed.code).toBe(null);
    expect(killed.stderr).toMatch(
      /^Reading \d parts, about .*, because parts of at most 200 tokens were asked for\.$/m,
    );
    expect(readdirSync(parts)).toHaveLength(1);

    const { code, stdout, stderr } = await precis(args);
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/^Reading [12]\/\d: /m);
    const result = summaryResultSchema.strict().parse(JSON.parse(stdout));
    expect(result.warnings).toContainEqual(expect.stringMatching(/^2 of \d steps were taken over/));
    expect(result.document.coverage.text).toHaveLength(5);
    const tokens = result.parts.reduce((sum, part) => sum + part.tokens, 0);
    expect(Math.abs(tokens - result.document.tokens) / tokens).toBeLessThan(0.05);
    expect(readdirSync(parts)).toEqual([]);
  });

  test("is cancelled at once, and keeps what is finished", async () => {
    rmSync(parts, { recursive: true, force: true });
    const { code, signalMs } = await precis(args, "Reading 2/");
    expect(code).toBe(130);
    expect(signalMs).toBeLessThan(2_000);
    expect(readdirSync(parts)).toHaveLength(1);
  });
});

describe("precis ask", () => {
  test("answers a question about the document", async () => {
    const { code, stdout } = await precis(["ask", note, "What did the repair cost?", "--quiet"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/4 million/);
  });

  test("finds one number of five digits in 2,000 tokens with 6.9 % kept", async () => {
    const report = readFileSync(join(root, "assets", "samples", "harbour-report.md"), "utf8");
    const paragraphs = report.split(/\n{2,}/).filter((part) => !/^[#|]/.test(part));
    const needle = "The access code of the north archive is 71935.";
    const file = join(folder, "needle.txt");
    writeFileSync(file, paragraphs.slice(0, 20).toSpliced(9, 0, needle).join("\n\n"));
    const question = "What is the access code of the north archive?";
    const asked = ["ask", file, question, "--budget", "6.9%", "--length", "short", "--json", "--quiet"];
    const first = await precis(asked);
    expect(first.code).toBe(0);
    const result = summaryResultSchema.parse(JSON.parse(first.stdout));
    expect(result.document.tokens).toBeGreaterThan(1_500);
    expect(result.document.tokens).toBeLessThan(2_500);
    expect(result.text).toContain("71935");
    expect(result.warnings).toEqual([]);

    // another question: read on the whole cache that was kept, at once, and nothing is lost for it
    const other = [
      "ask",
      file,
      "What is the access code of the north archive? Answer with the number.",
      ...asked.slice(3),
    ];
    const followed = summaryResultSchema.parse(JSON.parse((await precis(other)).stdout));
    expect(followed.text).toContain("71935");
    expect(followed.savedCache).toBe("whole");
    expect(followed.warnings).toEqual([expect.stringMatching(/not read again.*whole KV cache/)]);
    // usually a tenth: half tells that the document was not read, and how quick it is is no matter of a test
    expect(followed.timings.prefillMs).toBeLessThan(result.timings.prefillMs / 2);

    // the same again without a whole cache: from what was kept of it, word for word, and much sooner
    const off = [...asked, "--reaim", "off"];
    const before = summaryResultSchema.parse(JSON.parse((await precis(off)).stdout));
    expect(before.warnings).toEqual([]);
    const again = summaryResultSchema.parse(JSON.parse((await precis(off)).stdout));
    expect(again.text).toBe(before.text);
    expect(again.savedCache).toBe("same");
    expect(again.timings.prefillMs).toBeLessThan(before.timings.prefillMs / 10);
  });

  test("reads the document again when its saved cache is damaged, and says so", async () => {
    const asked = ["ask", note, "What did the repair cost?", "--json", "--quiet"];
    const first = summaryResultSchema.parse(JSON.parse((await precis(asked)).stdout));
    for (const saved of readdirSync(caches)) {
      const bytes = readFileSync(join(caches, saved));
      bytes[5_000] = (bytes[5_000] as number) ^ 255;
      writeFileSync(join(caches, saved), bytes);
    }
    const again = summaryResultSchema.parse(JSON.parse((await precis(asked)).stdout));
    expect(again.text).toBe(first.text);
    expect(again.warnings).toEqual([expect.stringMatching(/damaged.*read again/)]);
  });

  test("saves nothing with --no-cache", async () => {
    const kept = () => (existsSync(caches) ? readdirSync(caches) : []);
    const before = kept();
    const { stderr } = await precis(["ask", note, "What did the repair cost?", "--kv-type", "q8_0", "--no-cache"]);
    expect(stderr).toMatch(/^Read its only section/m);
    expect(kept()).toEqual(before);
  });
});

describe("precis estimate", () => {
  test("says what a run would take", async () => {
    const { code, stdout } = await precis(["estimate", sample, "--budget", "6.9%", "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.document.tokens).toBeGreaterThan(4_000);
    expect(report.retainedKvBytes / report.fullKvBytes).toBeCloseTo(0.069, 3);
    expect(report.fitsContext).toBe(true);
  });
});

describe("wrong usage ends with 2 and a reason", () => {
  test.each([
    ["an unknown command", ["sumarize", sample], /unknown command/],
    ["an unknown option", ["summarize", sample, "--colour"], /unknown option/],
    ["no file", ["summarize"], /missing required argument/],
    ["an unknown policy", ["summarize", sample, "--policy", "none"], /Allowed choices are/],
    ["an unknown length", ["summarize", sample, "--length", "huge"], /Allowed choices are/],
    ["a seed in words", ["summarize", sample, "--seed", "lucky"], /whole number/],
    ["a budget in words", ["summarize", note, "--budget", "plenty", "--quiet"], /not a memory budget/],
    ["an unsupported --out", ["summarize", note, "--out", "x.odt"], /\.md/],
    ["--out for two files", ["summarize", note, sample, "--out", "x.md"], /one file/],
    ["an empty question", ["ask", note, " "], /question is empty/],
    ["an unknown style", ["summarize", note, "--style", "poem"], /Allowed choices are/],
    ["one document together", ["summarize", note, "--together"], /at least two/],
    ["chapters of several", ["summarize", note, sample, "--together", "--style", "chapters"], /of one document/],
  ])("%s", async (_, args, reason) => {
    const { code, stdout, stderr } = await precis(args);
    expect(stderr).toMatch(reason);
    expect(code).toBe(2);
    expect(stdout).toBe("");
  });
});

describe("failures end with 1 and one line", () => {
  test.each([
    ["a missing file", ["summarize", join(folder, "none.pdf"), "--quiet"]],
    ["a missing model", ["summarize", note, "--model", join(folder, "none.gguf"), "--quiet"]],
    ["a budget too small", ["summarize", note, "--budget", "3", "--quiet"]],
  ])("%s", async (_, args) => {
    const { code, stdout, stderr } = await precis(args);
    expect(stderr).toMatch(/^precis: .+\n$/);
    expect(code).toBe(1);
    expect(stdout).toBe("");
  });
});

test("precis models verify and doctor find everything in place", async () => {
  const verify = await precis(["models", "verify", "--quiet"]);
  expect(verify.stdout).toMatch(/is whole/);
  expect(verify.code).toBe(0);
  const list = await precis(["models"]);
  expect(list.stdout).toMatch(/default/);
  const doctor = await precis(["doctor"]);
  expect(doctor.stdout).toMatch(/llama\.cpp/);
  expect(doctor.code).toBe(0);
});

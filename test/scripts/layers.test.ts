import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** [importing folder, import, allowed] */
const cases: [string, string, boolean][] = [
  ["renderer", "../electron/contract.js", true],
  ["renderer", "../electron/core.js", true],
  ["renderer/view", "../../electron/contract.js", true],
  ["renderer", "../electron/language.js", true],
  ["renderer", "../electron/translation.js", true],
  ["renderer/view", "../stores/documents.js", true],
  ["renderer/view", "./format.js", true],
  ["renderer/view", "react", true],
  ["renderer", "../electron/main.js", false],
  ["renderer/view", "../../electron/main.js", false],
  ["renderer/view", "../../core/errors.js", false],
  ["renderer/view", "electron", false],
  ["renderer/view", "node:fs", false],
  ["electron", "electron", true],
  ["electron", "./contract.js", true],
  ["electron", "../core/errors.js", true],
  ["electron", "../renderer/view/format.js", false],
  ["electron", "react", false],
  ["core/compression", "./policy.js", true],
  ["core/compression", "../errors.js", true],
  ["core/compression", "../said.js", true],
  ["core/compression", "../engine/types.js", false],
  ["core/compression", "zod", false],
  ["core/compression", "node:fs", false],
  ["core/engine", "node-llama-cpp", true],
  ["core/engine", "../compression/policy.js", true],
  ["core/engine", "../native/addon.js", true],
  ["core/engine", "../summarize/prompt.js", false],
  ["core/engine", "electron", false],
  ["core/engine", "../../electron/contract.js", false],
  ["core/engine", "react", false],
  ["core/engine", "react-dom/client", false],
  ["core/native", "../engine/engine.js", false],
  ["core/documents", "pdfjs-dist", true],
  ["core/documents", "../summarize/prompt.js", false],
  ["core/citations", "./cite.js", true],
  ["core/citations", "zod", true],
  ["core/citations", "../documents/document.js", false],
  ["core/documents", "../citations/cite.js", false],
  ["core/engine", "../citations/cite.js", false],
  ["core/summarize", "../citations/citation.js", true],
  ["core/summarize", "../engine/types.js", true],
  ["core/summarize", "../cli/main.js", false],
  ["core/summarize", "../native/addon.js", false],
  ["core/summarize", "node-llama-cpp", false],
  ["core/worker", "../summarize/summarize.js", true],
  ["core/worker", "./server.js", true],
  ["core/worker", "../cli/main.js", false],
  ["core/cli", "../report/markdown.js", true],
  ["core/cli", "commander", true],
  ["core/cli", "../worker/main.js", false],
  ["core", "./engine/types.js", false],
];

let folder: string;
let refused: Set<string>;

const fileOf = (index: number) => join(cases[index]![0], `case${index}.ts`);

/** One run of the linter over one file for every case, under the project's own rules. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-layers-"));
  const rules = JSON.parse(readFileSync("biome.json", "utf8"));
  // The temporary folder is no git checkout.
  writeFileSync(join(folder, "biome.json"), JSON.stringify({ ...rules, $schema: undefined, vcs: { enabled: false } }));
  cases.forEach(([, source], index) => {
    const file = join(folder, fileOf(index));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `import { thing } from "${source}";\n\nconsole.log(thing);\n`);
  });
  const biome = join(process.cwd(), "node_modules", "@biomejs", "biome", "bin", "biome");
  const args = [biome, "lint", "--only=style/noRestrictedImports", "--reporter=github", "--max-diagnostics=none", "."];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(stdout + stderr, "the linter read the files").toMatch(/noRestrictedImports/);
  refused = new Set([...stdout.matchAll(/case(\d+)\.ts/g)].map(([, index]) => fileOf(Number(index))));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("imports between folders", () => {
  it.each(cases.map(([from, source, allowed], index) => [from, allowed ? "may" : "may not", source, index] as const))(
    "%s %s import %s",
    (_from, verdict, _source, index) => {
      expect(refused.has(fileOf(index))).toBe(verdict === "may not");
    },
  );
});

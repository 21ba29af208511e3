import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { runtimeFolder } from "../../core/engine/native.js";

const runtime = runtimeFolder(false);
const { stock, llamaCpp } = JSON.parse(readFileSync(join(runtime, "precis.json"), "utf8")) as Record<string, string>;

test.skipIf(basename(stock!) !== "linux-x64")("the probe finds no GPU where there are only the CPU's backends", () => {
  const folder = mkdtempSync(join(tmpdir(), "precis-probe-"));
  try {
    const program = join(folder, "probe");
    const libraries = ["-L", stock!, `-l:libggml.${llamaCpp}.so`, "-lggml-base", `-Wl,-rpath,${stock}`];
    const sources = ["core/native/probe/probe.cpp", "-I", join(runtime, "include")];
    const compiled = spawnSync("c++", ["-std=c++17", ...sources, "-o", program, ...libraries], { encoding: "utf8" });
    expect(compiled.stderr).toBe("");
    const { status, stderr } = spawnSync(program, [stock!], { encoding: "utf8" });
    expect(status).toBe(1);
    expect(stderr).not.toContain("does not compute");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

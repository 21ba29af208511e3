/**
 * Builds the patched libllama and our addon against the prebuilt ggml libraries that node-llama-cpp ships, and puts
 * all of them where node-llama-cpp looks for a local build, so that both addons share one libllama. Changing only
 * libllama keeps every prebuilt backend (CPU, CUDA, Vulkan, Metal). Plain Node; called by scripts/setup.mjs.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashFile, onPath, readJson, run, SetupError, tail, withTempFolder } from "../../scripts/setup/tools.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "..", "node_modules");
const llamaFolder = join(modules, "node-llama-cpp", "llama");

/**
 * @param {{ log: (line: string) => void, cacheDir: string }} options
 * @throws {SetupError} when the releases differ, a tool is missing or a step fails
 */
export async function build({ log, cacheDir }) {
  const pinned = readJson(join(here, "prebuilt.json"));
  checkReleases(pinned);
  const platform = platformName();
  const variant = `${platform}${gpuVariant(platform)}`;
  const key = await sourceKey(pinned, variant);
  const target = join(llamaFolder, "localBuilds", variant);
  const stamp = join(target, "precis.json");
  if (readJson(stamp)?.key === key) return;

  const built = join(cacheDir, "native", `${variant}-${key}`);
  if (readJson(join(built, "precis.json"))?.key !== key) {
    const prebuilt = await fetchPrebuilt(log, cacheDir, pinned, variant);
    await withTempFolder(join(cacheDir, "native"), async (work) => {
      await compile(log, work, prebuilt, pinned);
      const out = join(work, "out");
      await cp(prebuilt, out, { recursive: true });
      for (const file of await readdir(join(work, "build"))) {
        if (/^(lib)?llama\.v|^precis\.node$/.test(file)) await cp(join(work, "build", file), join(out, file));
      }
      // the public headers and the stock libraries, for tests that compare with stock llama.cpp
      for (const folder of ["include", join("ggml", "include")]) {
        await cp(join(work, "source", folder), join(out, "include"), { recursive: true });
      }
      await writeFile(join(out, "precis.json"), JSON.stringify({ key, llamaCpp: pinned.llamaCpp, stock: prebuilt }));
      await rm(built, { recursive: true, force: true });
      await rename(out, built);
    });
  }

  // node-llama-cpp takes a local build only when buildDone.status stands beside it: written last
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await cp(built, join(target, "Release"), { recursive: true });
  await writeFile(join(target, "buildDone.status"), "");
  await writeFile(stamp, JSON.stringify({ key, llamaCpp: pinned.llamaCpp }));
  log(`patched llama.cpp ${pinned.llamaCpp} is in place (${variant})`);
}

/** The patch fits one release, and the prebuilt ggml must be of that same release. */
function checkReleases(pinned) {
  const installed = readJson(join(modules, "node-llama-cpp", "package.json"))?.version;
  const release = readJson(join(llamaFolder, "binariesGithubRelease.json"))?.release;
  if (installed !== pinned.nodeLlamaCpp || release !== pinned.llamaCpp) {
    throw new SetupError(
      `node-llama-cpp ${installed} with llama.cpp ${release} is installed, but the patch is for node-llama-cpp ${pinned.nodeLlamaCpp} with llama.cpp ${pinned.llamaCpp}.\n` +
        "  Run `npm ci --ignore-scripts`; if node-llama-cpp was upgraded on purpose, see docs/native.md for moving the patch.",
    );
  }
}

/** node-llama-cpp's name of this platform. */
function platformName() {
  const system = { linux: "linux", darwin: "mac", win32: "win" }[process.platform];
  const name = `${system}-${process.arch}`;
  if (!["linux-x64", "linux-arm64", "mac-x64", "mac-arm64", "win-x64", "win-arm64"].includes(name)) {
    throw new SetupError(`There is no prebuilt llama.cpp for ${process.platform} on ${process.arch}.`);
  }
  return name;
}

/** CUDA (180 MB) and Vulkan (70 MB) builds only where such a GPU's driver answers. */
function gpuVariant(platform) {
  if (platform === "mac-arm64") return "-metal";
  if (platform !== "linux-x64" && platform !== "win-x64") return "";
  if (onPath("nvidia-smi")) return "-cuda";
  if (onPath("vulkaninfo")) return "-vulkan";
  return "";
}

/** Changes with whatever the result depends on. */
async function sourceKey(pinned, variant) {
  const hash = createHash("sha256").update(JSON.stringify([pinned, variant]));
  for (const folder of [here, join(here, "llama"), join(here, "addon")]) {
    for (const name of (await readdir(folder)).filter((file) => /\.(cpp|h|patch|txt)$/.test(file)).sort()) {
      hash.update(name).update(await readFile(join(folder, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** The prebuilt libraries of this platform, from npm, into the cache. Returns their folder. */
async function fetchPrebuilt(log, cacheDir, pinned, variant) {
  const folder = join(cacheDir, "native", `prebuilt-${variant}-${pinned.nodeLlamaCpp}`);
  const name = `@node-llama-cpp/${variant}@${pinned.nodeLlamaCpp}`;
  if (readJson(join(folder, "package.json"))?.version !== pinned.nodeLlamaCpp) {
    log(`fetching ${name} (llama.cpp's prebuilt backends)`);
    await withTempFolder(join(cacheDir, "native"), async (work) => {
      const packed = await run("npm", ["pack", name, "--silent"], { cwd: work });
      const archive = (await readdir(work)).find((file) => file.endsWith(".tgz"));
      if (packed.code !== 0 || archive === undefined) {
        throw new SetupError(
          `npm could not fetch ${name}:\n${tail(packed.output)}\n  Check the network and run the set-up again.`,
        );
      }
      // npm checks what it fetches against its registry; for the platforms that we could see, we check as well
      const expected = pinned.integrity[variant];
      if (expected !== undefined && `sha512-${await hashFile(join(work, archive), "sha512", "base64")}` !== expected) {
        throw new SetupError(`${name} is not the file that was pinned (core/native/prebuilt.json).`);
      }
      await must("tar", ["xzf", archive], { cwd: work });
      await rm(folder, { recursive: true, force: true });
      await rename(join(work, "package"), folder);
    });
  }
  const bins = join(folder, "bins");
  const inner = (await readdir(bins))[0];
  if (inner === undefined) throw new SetupError(`${name} holds no libraries.`);
  return join(bins, inner);
}

async function compile(log, work, prebuilt, pinned) {
  for (const tool of ["git", "cmake", "ninja"]) {
    if (!onPath(tool))
      throw new SetupError(`${tool} is needed to build the patched llama.cpp; install it and run the set-up again.`);
  }
  const source = join(work, "source");
  log("unpacking llama.cpp and applying the patch");
  await must("git", ["clone", "--quiet", join(llamaFolder, "gitRelease.bundle"), source]);
  await must("git", ["apply", "--whitespace=nowarn", join(here, "llama.patch")], { cwd: source });
  await cp(join(here, "llama"), join(source, "src"), { recursive: true });

  log("compiling libllama and the addon (one to three minutes)");
  const output = join(work, "build");
  await must("cmake", [
    ...["-S", here, "-B", output, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"],
    `-DLLAMA_SOURCE=${source}`,
    `-DPREBUILT=${prebuilt}`,
    `-DLLAMA_RELEASE=${pinned.llamaCpp}`,
    `-DNODE_ADDON_API=${join(modules, "node-addon-api")}`,
    `-DNODE_API_HEADERS=${join(modules, "node-api-headers", "include")}`,
    `-DNODE_API_DEF=${join(modules, "node-api-headers", "def", "node_api.def")}`,
  ]);
  await must("ninja", ["-C", output]);
}

async function must(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new SetupError(`${command} ${args[0]} failed:\n${tail(result.output, 30)}`);
}

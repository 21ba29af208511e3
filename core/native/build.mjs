/**
 * Builds the patched libllama and our addon against the prebuilt ggml libraries that node-llama-cpp ships, and puts
 * all of them where node-llama-cpp looks for a local build, so that both addons share one libllama. Changing only
 * libllama keeps every prebuilt backend (CPU, CUDA, Vulkan, Metal). Plain Node; called by scripts/setup.mjs.
 *
 * In the cache, each under a key of what it is made from: prebuilt-*, libllama-* (minutes to compile), runtime-*
 * (everything together), and probe-*, with refused-* for builds that a probe found useless.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
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
  const gpus = await gpusHere();
  const without = gpus.nvidia && !gpus.cuda ? [`an NVIDIA GPU is here, but CUDA is not used: ${cudaNeeds}`] : [];
  for (const variant of variantNames(gpus)) {
    const refusal = await buildVariant(log, join(cacheDir, "native"), pinned, variant, without);
    if (refusal === undefined) return;
    without.push(refusal);
  }
}

/**
 * Returns why this build cannot be used here, so that the next one is to be tried.
 * @param without why those before it are not used, said when something is built
 */
async function buildVariant(log, cache, pinned, variant, without) {
  const llamaKey = await keyOf([pinned, variant], [here, join(here, "llama")]);
  const key = await keyOf([llamaKey], [join(here, "addon")]);

  // node-llama-cpp takes a local build only when buildDone.status stands beside it: written last
  const target = join(llamaFolder, "localBuilds", variant);
  const done = join(target, "buildDone.status");
  const mark = gpuOf(variant) === undefined ? key : `${key}, computes`;
  if ((await readFile(done, "utf8").catch(() => "")) === mark) return undefined;

  const refused = join(cache, `refused-${variant}-${pinned.nodeLlamaCpp}`);
  const cannot = `llama.cpp's ${variant} finds the GPU but cannot compute on it: a newer driver may help`;
  const tried = await readFile(refused, "utf8").catch(() => undefined);
  if (tried !== undefined && tried === (await describeGpus())) return cannot;

  const prebuilt = await fetchPrebuilt(log, cache, pinned, variant);
  const release = await releaseName(prebuilt, pinned);
  if (!(await answers(prebuilt, variant))) {
    return `llama.cpp's ${variant} finds no GPU${variant.endsWith("-cuda") ? `: ${cudaNeeds}` : ""}`;
  }
  if (!(await computes(cache, prebuilt, pinned, variant, release))) {
    await writeFile(refused, await describeGpus());
    return cannot;
  }
  for (const line of without) log(line);
  const llama = join(cache, `libllama-${llamaKey}`);
  await once(llama, cache, (work, out) => compileLlama(log, work, out, prebuilt, release));
  const runtime = join(cache, `runtime-${key}`);
  await once(runtime, cache, async (work, out) => {
    await compileAddon(log, work, prebuilt, llama, release);
    await cp(prebuilt, out, { recursive: true });
    await cp(llama, out, { recursive: true });
    await cp(join(work, "precis.node"), join(out, "precis.node"));
    await checkLoads(out);
    // where the tests and the bench find stock llama.cpp
    await writeFile(join(out, "precis.json"), JSON.stringify({ key, llamaCpp: release, stock: prebuilt }));
  });

  // one alone: of several, node-llama-cpp might load another than set-up tried
  await rm(dirname(target), { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  await cp(runtime, join(target, "Release"), { recursive: true });
  await writeFile(done, mark);
  log(`patched llama.cpp ${pinned.llamaCpp} is in place (${variant})`);
  return undefined;
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

/** What the prebuilt CUDA backend links to, which neither it nor NVIDIA's driver brings. */
const cudaNeeds = "that takes CUDA 13's libraries (cudart and cublas), as NVIDIA's CUDA Toolkit 13 has them";

/**
 * Which GPUs there may be, and which of them node-llama-cpp would try: CUDA only with a driver and a CUDA runtime, Vulkan with
 * its loader. A build for one that it does not try is never loaded.
 */
async function gpusHere() {
  const nvidia = onPath("nvidia-smi");
  if (!nvidia && !onPath("vulkaninfo")) return { nvidia, cuda: false, vulkan: false };
  const { detectAvailableComputeLayers } = await bindings("detectAvailableComputeLayers");
  const { cuda, vulkan } = await detectAvailableComputeLayers();
  return { nvidia, cuda: nvidia && cuda.hasNvidiaDriver && cuda.hasCudaRuntime, vulkan };
}

/**
 * node-llama-cpp's names of this platform's builds, best first: CUDA (180 MB) and Vulkan (70 MB) where there may be such a
 * GPU, and last one that runs everywhere.
 */
export function variantNames({ cuda, vulkan }, platform = process.platform, arch = process.arch) {
  const system = { linux: "linux", darwin: "mac", win32: "win" }[platform];
  const name = `${system}-${arch}`;
  if (!["linux-x64", "linux-arm64", "mac-x64", "mac-arm64", "win-x64", "win-arm64"].includes(name)) {
    throw new SetupError(`There is no prebuilt llama.cpp for ${platform} on ${arch}.`);
  }
  if (name === "mac-arm64") return [`${name}-metal`];
  if (name !== "linux-x64" && name !== "win-x64") return [name];
  return [...(cuda ? [`${name}-cuda`] : []), ...(vulkan ? [`${name}-vulkan`] : []), name];
}

const gpuOf = (variant) => /-(cuda|vulkan)$/.exec(variant)?.[1];

/**
 * Whether the prebuilt backend finds its GPU, tried in a process of its own: it may need another CUDA than the one that is
 * installed, and without a GPU llama.cpp would go on without a word.
 */
async function answers(prebuilt, variant) {
  const gpu = gpuOf(variant);
  if (gpu === undefined) return true;
  const { testBindingBinary } = await bindings("testBindingBinary");
  return testBindingBinary(join(prebuilt, "llama-addon.node"), undefined, gpu).catch(() => false);
}

/**
 * Whether the GPUs compute. The prebuilt CUDA backend has machine code for some generations of GPUs only (8.6, 8.9 and 12);
 * that for the others a driver must translate, and one that is older than the compiler cannot: at the first computation
 * the process ends.
 */
async function computes(cache, prebuilt, pinned, variant, release) {
  if (gpuOf(variant) === undefined) return true;
  const name = process.platform === "win32" ? "probe.exe" : "probe";
  const folder = join(cache, `probe-${await keyOf([pinned, variant], [join(here, "probe")])}`);
  await once(folder, cache, async (work, out) => {
    const output = join(work, "probe");
    await cmake(join(here, "probe"), output, {
      LLAMA_SOURCE: await unpackLlama(work),
      PREBUILT: prebuilt,
      LLAMA_RELEASE: release,
    });
    await cp(join(output, name), join(out, name));
  });
  // Windows looks for libraries along PATH
  const env = { ...process.env, PATH: `${prebuilt}${delimiter}${process.env.PATH}` };
  return (await run(join(folder, name), [prebuilt], { env, timeoutMs: 300_000 })).code === 0;
}

/** Changes when another GPU or driver is there. */
async function describeGpus() {
  const nvidia = await run("nvidia-smi", ["--query-gpu=name,driver_version", "--format=csv,noheader"]);
  const vulkan = await run("vulkaninfo", ["--summary"]);
  return nvidia.output + vulkan.output;
}

/** A module of node-llama-cpp's that its package does not export. */
function bindings(name) {
  return import(pathToFileURL(join(modules, "node-llama-cpp", "dist", "bindings", "utils", `${name}.js`)).href);
}

/** Changes with the values and with the sources in the folders. */
async function keyOf(values, folders) {
  const hash = createHash("sha256").update(JSON.stringify(values));
  for (const folder of folders) {
    for (const name of (await readdir(folder)).filter((file) => /\.(cpp|h|patch|txt)$/.test(file)).sort()) {
      hash.update(name).update(await readFile(join(folder, name)));
    }
  }
  return hash.digest("hex").slice(0, 16);
}

/** Makes a folder unless it is there: `make` fills `out`, which is renamed into place when it is whole. */
async function once(folder, cache, make) {
  if (await readdir(folder).catch(() => undefined)) return;
  await withTempFolder(cache, async (work) => {
    const out = join(work, "out");
    await mkdir(out);
    await make(work, out);
    // another set-up may have been faster; its result is the same
    await rename(out, folder).catch(async (error) => {
      if (!(await readdir(folder).catch(() => undefined))) throw error;
    });
  });
}

/** The prebuilt libraries of this platform, from npm. Returns their folder in the cache. */
async function fetchPrebuilt(log, cache, pinned, variant) {
  const folder = join(cache, `prebuilt-${variant}-${pinned.nodeLlamaCpp}`);
  const name = `@node-llama-cpp/${variant}@${pinned.nodeLlamaCpp}`;
  await once(folder, cache, async (work, out) => {
    log(`fetching ${name} (llama.cpp's prebuilt backends)`);
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
    await must("tar", ["xzf", archive, "-C", out, "--strip-components=1"], { cwd: work });
  });
  const bins = join(folder, "bins");
  const [inner] = await readdir(bins);
  if (inner === undefined) throw new SetupError(`${name} holds no libraries.`);
  return join(bins, inner);
}

/** What the prebuilt libraries' names end in: those with a GPU backend say which (libllama.cuda.v0.5.0.so). */
export async function releaseName(prebuilt, pinned) {
  for (const file of await readdir(prebuilt)) {
    const name = /^(?:lib)?llama\.(.*)\.(?:so|dylib|dll)$/.exec(file)?.[1];
    if (name?.endsWith(pinned.llamaCpp)) return name;
  }
  throw new SetupError(`There is no llama.cpp ${pinned.llamaCpp} among the prebuilt libraries.`);
}

/** llama.cpp's sources, as node-llama-cpp brings them, in a folder of `work`. */
async function unpackLlama(work) {
  for (const tool of ["git", "cmake", "ninja"]) {
    if (!onPath(tool)) {
      throw new SetupError(`${tool} is needed to build the patched llama.cpp; install it and run the set-up again.`);
    }
  }
  const source = join(work, "source");
  await must("git", ["clone", "--quiet", join(llamaFolder, "gitRelease.bundle"), source]);
  return source;
}

/** Fills `out` with the patched library and, in include/, its headers. */
async function compileLlama(log, work, out, prebuilt, release) {
  log("unpacking llama.cpp and applying the patch");
  const source = await unpackLlama(work);
  await must("git", ["apply", "--whitespace=nowarn", join(here, "llama.patch")], { cwd: source });
  for (const file of await readdir(join(here, "llama"))) {
    if (file.startsWith("llama-retain")) await cp(join(here, "llama", file), join(source, "src", file));
  }

  log("compiling libllama (one to three minutes)");
  const output = join(work, "llama");
  await cmake(join(here, "llama"), output, {
    LLAMA_SOURCE: source,
    PREBUILT: prebuilt,
    LLAMA_RELEASE: release,
  });
  for (const file of await readdir(output)) {
    if (/^(lib)?llama\..*\.(so|dylib|dll|lib)$/.test(file)) await cp(join(output, file), join(out, file));
  }
  for (const folder of ["include", join("ggml", "include")]) {
    await cp(join(source, folder), join(out, "include"), { recursive: true });
  }
  await cp(join(here, "llama", "llama-retain.h"), join(out, "include", "llama-retain.h"));
}

/** Leaves precis.node in `work`. */
async function compileAddon(log, work, prebuilt, llama, release) {
  log("compiling the addon");
  const output = join(work, "addon");
  await cmake(join(here, "addon"), output, {
    LLAMA: llama,
    PREBUILT: prebuilt,
    LLAMA_RELEASE: release,
    NODE_ADDON_API: join(modules, "node-addon-api"),
    NODE_API_HEADERS: join(modules, "node-api-headers", "include"),
    NODE_API_DEF: join(modules, "node-api-headers", "def", "node_api.def"),
  });
  await cp(join(output, "precis.node"), join(work, "precis.node"));
}

/**
 * Loads the libraries once, in a process of their own, and notes for which system: node-llama-cpp otherwise repeats that
 * test at every start (more than a second) because the prebuilt part was made on another Linux than this one.
 */
async function checkLoads(folder) {
  const load = ["llama-addon.node", "precis.node"].map((file) => `require(${JSON.stringify(join(folder, file))})`);
  await must(process.execPath, ["-e", load.join(";")]);
  const { getPlatformInfo } = await bindings("getPlatformInfo");
  const path = join(folder, "_nlcBuildMetadata.json");
  const metadata = readJson(path);
  metadata.buildOptions.platformInfo = await getPlatformInfo();
  await writeFile(path, JSON.stringify(metadata));
}

async function cmake(source, output, definitions) {
  const defined = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`);
  await must("cmake", ["-S", source, "-B", output, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", ...defined]);
  await must("ninja", ["-C", output]);
}

async function must(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) throw new SetupError(`${command} ${args[0]} failed:\n${tail(result.output, 30)}`);
}

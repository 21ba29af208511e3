/**
 * Step: programs and system libraries. On Debian and its kin as root they are installed; elsewhere the command that
 * installs them is printed, because set-up does not ask for a password.
 */
import { isDone as modelIsThere, pythonCommand } from "./model.mjs";
import { onPath, run, SetupError, tail } from "./tools.mjs";

export const name = "system packages";
export const why = "the compiler for llama.cpp, pip for the model, what Electron's window needs";

/**
 * @typedef {{ what: string, present: () => Promise<boolean> | boolean, apt: string[], dnf: string[], pacman: string[],
 *   brew?: string[], winget?: string[] }} Need
 */

/** @type {Need[]} what building llama.cpp takes */
const building = [
  {
    what: "cmake",
    present: () => onPath("cmake"),
    apt: ["cmake"],
    dnf: ["cmake"],
    pacman: ["cmake"],
    brew: ["cmake"],
    winget: ["Kitware.CMake"],
  },
  {
    what: "ninja",
    present: () => onPath("ninja"),
    apt: ["ninja-build"],
    dnf: ["ninja-build"],
    pacman: ["ninja"],
    brew: ["ninja"],
    winget: ["Ninja-build.Ninja"],
  },
  {
    what: "a C++ compiler",
    // On Windows the compiler is not on PATH outside its own prompt; CMake finds it, or says that it is missing.
    present: () => process.platform === "win32" || ["g++", "c++", "clang++"].some(onPath),
    apt: ["g++"],
    dnf: ["gcc-c++"],
    pacman: ["gcc"],
  },
  { what: "git", present: () => onPath("git"), apt: ["git"], dnf: ["git"], pacman: ["git"], winget: ["Git.Git"] },
];

/** @type {Need} only while the model is missing, because asking Python costs a third of a second */
const pip = {
  what: "Python with pip",
  present: async () => modelIsThere() || (await run(pythonCommand(), ["-m", "pip", "--version"])).code === 0,
  apt: ["python3-pip"],
  dnf: ["python3-pip"],
  pacman: ["python-pip"],
  brew: ["python"],
  winget: ["Python.Python.3.12"],
};

/** A shared library as the dynamic linker knows it. Electron on other systems brings all it needs. */
const library = (
  /** @type {string} */ soname,
  /** @type {string} */ apt,
  /** @type {string} */ dnf,
  /** @type {string} */ pacman,
) => ({
  what: soname,
  present: async () => process.platform !== "linux" || (await knownLibraries()).includes(soname),
  apt: [apt],
  dnf: [dnf],
  pacman: [pacman],
});

/** @type {Need[]} what Electron links to on Linux */
const windowing = [
  library("libgtk-3.so.0", "libgtk-3-0", "gtk3", "gtk3"),
  library("libnss3.so", "libnss3", "nss", "nss"),
  library("libasound.so.2", "libasound2", "alsa-lib", "alsa-lib"),
  library("libgbm.so.1", "libgbm1", "mesa-libgbm", "mesa"),
  library("libXss.so.1", "libxss1", "libXScrnSaver", "libxss"),
  library("libatk-bridge-2.0.so.0", "libatk-bridge2.0-0", "at-spi2-atk", "at-spi2-core"),
];

/** @type {Need} a screen for the window's tests where there is none */
const virtualScreen = {
  what: "xvfb-run",
  present: () =>
    process.platform !== "linux" || Boolean(process.env.DISPLAY) || (onPath("xvfb-run") && onPath("xauth")),
  apt: ["xvfb", "xauth"],
  dnf: ["xorg-x11-server-Xvfb", "xorg-x11-xauth"],
  pacman: ["xorg-server-xvfb", "xorg-xauth"],
};

/** @type {Promise<string> | undefined} */
let linkerCache;

/** The dynamic linker's list of libraries, asked once. */
function knownLibraries() {
  linkerCache ??= run(onPath("ldconfig") ? "ldconfig" : "/sbin/ldconfig", ["-p"]).then(({ output }) => output);
  return linkerCache;
}

/** What is missing for a purpose. */
async function missingFor(/** @type {string} */ purpose) {
  const needs = [...building, pip];
  if (purpose !== "demo") needs.push(...windowing);
  if (purpose === "test") needs.push(virtualScreen);
  const present = await Promise.all(needs.map((need) => need.present()));
  return needs.filter((_, index) => !present[index]);
}

export async function isDone(/** @type {string} */ purpose) {
  return (await missingFor(purpose)).length === 0;
}

/** @param {(line: string) => void} log */
export async function perform(log, /** @type {string} */ purpose) {
  const missing = await missingFor(purpose);
  const wanted = missing.flatMap((need) => need.apt);
  const root = process.getuid?.() === 0;
  if (!(onPath("apt-get") && root)) {
    throw new SetupError(`missing: ${missing.map((need) => need.what).join(", ")}.\n${installHint(missing)}`);
  }
  log(`apt-get install ${wanted.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const update = await run("apt-get", ["update", "-qq"], { env });
  if (update.code !== 0)
    log(`apt-get update failed; going on with the lists that are here:\n${tail(update.output, 3)}`);
  const packages = await Promise.all(wanted.map(currentName));
  const install = await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], { env });
  linkerCache = undefined;
  const still = await missingFor(purpose);
  if (still.length > 0) {
    const what = still.map((need) => need.what).join(", ");
    throw new SetupError(`still missing after apt-get: ${what}.\n${tail(install.output)}\n${installHint(still)}`);
  }
}

/** Debian 13 and Ubuntu 24.04 renamed some libraries (libgtk-3-0 is libgtk-3-0t64 there). */
async function currentName(/** @type {string} */ wanted) {
  const { code } = await run("apt-cache", ["show", `${wanted}t64`]);
  return code === 0 ? `${wanted}t64` : wanted;
}

/** The command to type for this system's package manager. */
function installHint(/** @type {Need[]} */ missing) {
  /** @type {[string, string, (need: Need) => string[] | undefined][]} */
  const managers = [
    ["apt-get", "sudo apt-get install", (need) => need.apt],
    ["dnf", "sudo dnf install", (need) => need.dnf],
    ["pacman", "sudo pacman -S", (need) => need.pacman],
    ["brew", "brew install", (need) => need.brew],
    ["winget", "winget install", (need) => need.winget],
  ];
  const found = managers.find(([command]) => onPath(command));
  if (process.platform === "darwin" && missing.some((need) => need.what === "a C++ compiler" || need.what === "git")) {
    return "  Get them with: xcode-select --install   (and the rest with: brew install cmake ninja python)";
  }
  if (!found) return "  Install them with your system's package manager, then run the same command again.";
  const packages = missing.flatMap((need) => found[2](need) ?? []);
  return `  Get them with: ${found[1]} ${packages.join(" ")}\n  then run the same command again.`;
}

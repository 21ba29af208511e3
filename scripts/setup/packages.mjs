/**
 * Step: the npm packages of package-lock.json.
 * Install scripts of other people's packages do not run; what they would fetch is fetched by later steps.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "./paths.mjs";
import { hashFile, readJson, run, SetupError, tail, writeJson } from "./tools.mjs";

const stampPath = join(projectDir, "node_modules", ".precis-packages.json");

export const name = "npm packages";
export const why = "the libraries that package-lock.json names";

/** Done when node_modules was installed from this very package-lock.json. */
export async function isDone() {
  if (!existsSync(join(projectDir, "node_modules", "tsx"))) return false;
  return readJson(stampPath)?.lock === (await hashFile(join(projectDir, "package-lock.json")));
}

/** Installs them; throws SetupError with npm's own words. */
export async function perform() {
  const { code, output } = await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: projectDir });
  if (code !== 0) {
    // npm says the reason first and its usage after it.
    const reason = output.split("\n").filter((line) => line.startsWith("npm error"));
    throw new SetupError(
      `npm could not install the packages:\n${tail(reason.slice(0, 12).join("\n") || output)}\n  Check the network and npm's settings, then run the same command again.`,
    );
  }
  await writeJson(stampPath, { lock: await hashFile(join(projectDir, "package-lock.json")) });
}

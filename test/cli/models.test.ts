import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addModels } from "../../core/cli/models.js";
import { catalogue, catalogueModel } from "../../core/models/catalogue.js";
import { type HubServer, hubServer, modelBytes } from "../models/hub-server.js";

const id = "qwen2.5-1.5b-instruct";
const model = catalogueModel(id)!;
let cache: string;
let hub: HubServer;
let printed: string;

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), "precis-cli-models-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]) vi.stubEnv(name, "");
  hub = await hubServer((model.source as { repository: string }).repository, model.file, modelBytes(300_000));
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await hub.close();
  rmSync(cache, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<string> {
  printed = "";
  const program = new Command();
  addModels(program);
  await program.parseAsync(["models", ...args], { from: "user" });
  return printed;
}

describe("precis models", () => {
  it("lists every model with its size, what it can read here, and how to get it", async () => {
    const list = await run();
    for (const known of catalogue.models) expect(list).toContain(`${known.id}`);
    expect(list).toMatch(/qwen3-4b-instruct-2507: about \d\.\d GiB, 262144 tokens of context, Apache-2\.0, en zh/);
    expect(list).toContain(`precis models download ${id}`);
    const parsed: unknown = JSON.parse(await run("list", "--json"));
    expect(parsed).toContainEqual(expect.objectContaining({ id, state: "missing", reads: expect.anything() }));
  });

  it("downloads, verifies and deletes one", async () => {
    expect(await run("download", id, "--mirror", hub.url, "--quiet")).toMatch(/its sha256 is right/);
    expect(await run("download", id, "--mirror", hub.url)).toMatch(/is here already/);
    expect(await run("verify", id, "--quiet")).toMatch(/is whole/);
    expect(await run("delete", id)).toMatch(/293\.0 KiB are free again/);
    await expect(run("verify", id, "--quiet")).rejects.toMatchObject({ code: "model-missing" });
  });

  it("refuses to download what the catalogue does not have, and to add what is no model", async () => {
    await expect(run("download", "gpt-5")).rejects.toMatchObject({ code: "usage", next: expect.stringContaining(id) });
    const note = join(cache, "note.gguf");
    writeFileSync(note, "Not a model, but a note that is long enough.");
    await expect(run("add", note)).rejects.toMatchObject({ code: "model-damaged" });
  });
});

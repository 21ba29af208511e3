import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type CatalogueModel, catalogueModel } from "../../core/models/catalogue.js";
import { type DownloadProgress, discardDownload, downloadModel, startedDownload } from "../../core/models/download.js";
import { filesOf } from "../../core/models/files.js";
import { deleteModel, findModel, listModels, verifyModel } from "../../core/models/models.js";
import { digest, type HubServer, hubServer, modelBytes } from "./hub-server.js";

const model = catalogueModel("granite-3.3-2b-instruct") as CatalogueModel;
const repository = (model.source as { repository: string }).repository;
const content = modelBytes(1_000_003);

let cache: string;
let hub: HubServer;

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), "precis-download-"));
  vi.stubEnv("XDG_CACHE_HOME", cache);
  // What this machine has is not what is tested.
  for (const name of ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "HF_ENDPOINT"]) {
    vi.stubEnv(name, "");
    vi.stubEnv(name.toLowerCase(), "");
  }
  hub = await hubServer(repository, model.file, content);
});
afterEach(async () => {
  await hub.close();
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

const download = (options: Parameters<typeof downloadModel>[1] = {}) =>
  downloadModel(model, { network: { mirror: hub.url }, retries: [1, 1, 1], ...options });

/** Stops a download once some of it has come. */
async function begun(): Promise<number> {
  const controller = new AbortController();
  hub.pauseMs = 25;
  const paused = download({
    signal: controller.signal,
    onProgress: ({ bytes }) => bytes > 100_000 && controller.abort(),
  });
  await expect(paused).rejects.toMatchObject({ code: "cancelled" });
  hub.pauseMs = 0;
  hub.asked.length = 0;
  return statSync(filesOf(model).part).size;
}

describe("a download", () => {
  it("ends with a file whose bytes were checked, and says where they are from", async () => {
    const seen: DownloadProgress[] = [];
    const path = await download({ onProgress: (progress) => seen.push(progress) });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(await findModel(model.id)).toEqual({ id: model.id, path });
    expect(await verifyModel(model.id)).toEqual({ id: model.id, path });
    expect(JSON.parse(readFileSync(filesOf(model).record, "utf8"))).toMatchObject({
      repository,
      revision: expect.stringMatching(/^[0-9a-f]{40}$/),
      bytes: content.length,
      sha256: digest(content),
    });
    expect(seen.at(-1)).toMatchObject({ stage: "checking", bytes: content.length, totalBytes: content.length });
    expect(seen.some(({ stage }) => stage === "receiving")).toBe(true);
    expect(existsSync(filesOf(model).part) || existsSync(filesOf(model).note)).toBe(false);
    expect(hub.asked[1]?.path, "the revision that was looked up").toMatch(/\/resolve\/[0-9a-f]{40}\//);
  });

  it("that is paused goes on where it was, also in another process", async () => {
    const size = await begun();
    expect(size).toBeGreaterThan(100_000);
    expect(size).toBeLessThan(content.length);
    expect(await startedDownload(model)).toEqual({ receivedBytes: size, totalBytes: content.length });
    const listed = (await listModels()).find(({ id }) => id === model.id);
    expect(listed).toMatchObject({ state: "begun", receivedBytes: size, bytes: content.length, exact: true });

    const path = await download();
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(
      hub.asked.map(({ range, ifRange }) => [range, ifRange]),
      "no look-up: the revision is the same",
    ).toEqual([
      [`bytes=${size}-`, '"one"'],
      [`bytes=${size}-`, '"one"'],
    ]);
  });

  it("that is cancelled leaves nothing", async () => {
    await begun();
    await discardDownload(model);
    expect(await startedDownload(model)).toBeUndefined();
    expect(existsSync(filesOf(model).part)).toBe(false);
  });

  it("takes up a lost connection where it broke", async () => {
    hub.drops = [200_000, 300_000];
    const path = await download();
    expect(readFileSync(path).equals(content)).toBe(true);
    const ranges = hub.asked.filter(({ path: asked }) => asked === "/cdn/blob").map(({ range }) => range);
    expect(ranges).toEqual([undefined, "bytes=200000-", "bytes=500000-"]);
  });

  it("gives up when the connection is lost again and again, and keeps what has come", async () => {
    hub.drops = [200_000, 0, 0, 0, 0];
    await expect(download()).rejects.toMatchObject({ code: "offline", next: expect.stringMatching(/is kept/) });
    expect(statSync(filesOf(model).part).size).toBe(200_000);
  });

  it("begins anew where a server does not understand ranges", async () => {
    await begun();
    hub.ignoresRanges = true;
    expect(readFileSync(await download()).equals(content)).toBe(true);
  });

  it("does not join the halves of two files: what changed meanwhile comes whole, and is refused by its sha256", async () => {
    await begun();
    hub.content = modelBytes(content.length, 2);
    hub.etag = '"two"';
    await expect(download()).rejects.toMatchObject({ code: "model-damaged", message: expect.stringMatching(/sha256/) });
    expect(existsSync(filesOf(model).path)).toBe(false);
    expect(await startedDownload(model)).toBeUndefined();
    expect(readFileSync(await download()).equals(hub.content), "the next one takes the new revision").toBe(true);
  });

  it("throws away what has another sha256 than the hub says", async () => {
    hub.sha256 = digest(Buffer.from("another"));
    await expect(download()).rejects.toMatchObject({ code: "model-damaged" });
    expect(existsSync(filesOf(model).path) || existsSync(filesOf(model).part)).toBe(false);
  });

  it("does not trust a range of another file's length", async () => {
    const size = await begun();
    hub.claimedTotal = content.length + 1;
    await expect(download()).rejects.toMatchObject({ code: "download-failed" });
    expect(statSync(filesOf(model).part).size).toBe(size);
  });
});

describe("what a download cannot do is said", () => {
  it.each([
    ["the file", "/resolve/", 404, "download-missing"],
    ["the repository", "/api/", 404, "download-missing"],
    ["a file for those who sign in", "/resolve/", 401, "download-failed"],
    ["a server in trouble", "/cdn/", 503, "download-failed"],
  ])("%s (%s answers %i)", async (_what, text, status, code) => {
    hub.failing = { text, status };
    await expect(download()).rejects.toMatchObject({ code, message: expect.stringContaining(String(status)) });
  });

  it("a mirror that is no model hub", async () => {
    const plain = createServer((_request, response) => response.end("<html>Welcome</html>"));
    plain.listen(0, "127.0.0.1");
    await once(plain, "listening");
    onTestFinished(() => void plain.close());
    const mirror = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    await expect(download({ network: { mirror } })).rejects.toMatchObject({
      code: "download-failed",
      message: expect.stringMatching(/not answer like a model hub/),
    });
  });

  it("a hub without that file", async () => {
    await hub.close();
    hub = await hubServer(repository, "other.gguf", content);
    await expect(download()).rejects.toMatchObject({
      code: "download-missing",
      message: expect.stringContaining(model.file),
    });
  });

  it("no connection, at once", async () => {
    const gone = await hubServer(repository, model.file, content);
    await gone.close();
    const since = performance.now();
    const attempt = download({ network: { mirror: gone.url }, retries: [10_000] });
    await expect(attempt).rejects.toMatchObject({ code: "offline", message: expect.stringMatching(/refuses/) });
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  it("too little room on the disk, before anything comes", async () => {
    const attempt = download({ freeBytes: async () => content.length });
    await expect(attempt).rejects.toMatchObject({ code: "disk-full", message: expect.stringMatching(/still to come/) });
    expect(existsSync(filesOf(model).part)).toBe(false);
  });

  it.skipIf(process.platform !== "linux")("a disk that fills up meanwhile", async () => {
    await begun();
    const { part } = filesOf(model);
    rmSync(part);
    symlinkSync("/dev/full", part);
    await expect(download()).rejects.toMatchObject({ code: "disk-full" });
  });

  it.each([
    ["proxy", { proxy: "proxy.example" }],
    ["mirror", { mirror: "ftp://mirror.example" }],
  ])("a %s that is no address", async (what, network) => {
    const attempt = download({ network });
    await expect(attempt).rejects.toMatchObject({ code: "usage", message: expect.stringContaining(what) });
  });
});

describe("a proxy", () => {
  /** @param answers what it says to a CONNECT: 200 lets it through */
  async function proxyServer(answers: number) {
    const through: string[] = [];
    const sockets: Socket[] = [];
    const server = createServer();
    server.on("connect", (request: IncomingMessage, client: Socket) => {
      through.push(request.url ?? "");
      sockets.push(client);
      if (answers !== 200) return client.end(`HTTP/1.1 ${answers} No\r\n\r\n`);
      const [host, port] = (request.url ?? "").split(":");
      const target = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        target.pipe(client).pipe(target);
      });
      sockets.push(target);
      for (const socket of [client, target]) socket.on("error", () => {});
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, through };
  }

  it("is used when it is set, and when the environment names one", async () => {
    const set = await proxyServer(200);
    await download({ network: { mirror: hub.url, proxy: set.url } });
    expect(set.through[0]).toBe(hub.url.slice("http://".length));
    await deleteModel(model.id);
    const named = await proxyServer(200);
    vi.stubEnv("HTTP_PROXY", named.url);
    vi.stubEnv("http_proxy", named.url);
    await download();
    expect(named.through.length).toBeGreaterThan(0);
  });

  it("that wants a password says so", async () => {
    const proxy = await proxyServer(407);
    const attempt = download({ network: { mirror: hub.url, proxy: proxy.url } });
    await expect(attempt).rejects.toMatchObject({ code: "offline", message: expect.stringMatching(/password/) });
  });
});

describe("a file of the catalogue that Precis did not download", () => {
  it("can be used, but not verified", async () => {
    const { path } = filesOf(model);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    expect(await findModel(model.id)).toEqual({ id: model.id, path });
    await expect(verifyModel(model.id)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(/No checksum/),
    });
  });
});

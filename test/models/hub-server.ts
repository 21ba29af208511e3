/** A model hub on this machine, with Hugging Face's addresses: one file of one repository, and faults on demand. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export interface HubServer {
  /** For the mirror setting. */
  readonly url: string;
  /** Every request that came, the redirected ones included. */
  readonly asked: { readonly path: string; readonly range?: string; readonly ifRange?: string }[];
  content: Buffer;
  /** What it says of the content: its true sha256, unless a test sets another. */
  sha256: string | undefined;
  etag: string;
  /** Answers with this status instead, for paths that contain the text. */
  failing: { readonly text: string; readonly status: number } | undefined;
  /** Ends a connection after so many bytes of it, as often as there are numbers. */
  drops: number[];
  /** Milliseconds between two pieces of 64 KiB. */
  pauseMs: number;
  /** Ranges are not understood: everything is sent. */
  ignoresRanges: boolean;
  /** In the Content-Range of an answer instead of the true one. */
  claimedTotal: number | undefined;
  close(): Promise<void>;
}

export const digest = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

/** Bytes that begin like a GGUF file and look like nothing afterwards. */
export function modelBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed; at < length; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  bytes.write("GGUF", "latin1");
  bytes.writeUInt32LE(3, 4);
  bytes.writeBigUInt64LE(272n, 8);
  bytes.writeBigUInt64LE(33n, 16);
  return bytes;
}

export async function hubServer(repository: string, file: string, content: Buffer): Promise<HubServer> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const hub: HubServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    content,
    sha256: undefined,
    etag: '"one"',
    failing: undefined,
    drops: [],
    pauseMs: 0,
    ignoresRanges: false,
    claimedTotal: undefined,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  const revision = () => createHash("sha1").update(hub.content).digest("hex");

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? "";
    const { range, "if-range": ifRange } = request.headers;
    hub.asked.push({ path, ...(range ? { range } : {}), ...(ifRange ? { ifRange: String(ifRange) } : {}) });
    if (hub.failing && path.includes(hub.failing.text)) {
      response.writeHead(hub.failing.status).end("no");
    } else if (path === `/api/models/${repository}/revision/main?blobs=true`) {
      const lfs = { sha256: hub.sha256 ?? digest(hub.content), size: hub.content.length, pointerSize: 135 };
      const siblings = [{ rfilename: "README.md" }, { rfilename: file, size: hub.content.length, lfs }];
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ id: repository, sha: revision(), siblings }));
    } else if (path.startsWith(`/${repository}/resolve/`) && path.endsWith(`/${file}`)) {
      response.writeHead(302, { location: "/cdn/blob" }).end();
    } else if (path === "/cdn/blob") {
      await send(response, range, ifRange);
    } else {
      response.writeHead(404).end();
    }
  }

  async function send(response: ServerResponse, range: string | undefined, ifRange: unknown): Promise<void> {
    const { content } = hub;
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const partial = from > 0 && !hub.ignoresRanges && (ifRange === undefined || ifRange === hub.etag);
    const start = partial ? from : 0;
    const headers = { etag: hub.etag, "content-length": content.length - start };
    if (partial) {
      const total = hub.claimedTotal ?? content.length;
      response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${total - 1}/${total}` });
    } else response.writeHead(200, headers);
    const drop = hub.drops.shift();
    const end = drop === undefined ? content.length : Math.min(content.length, start + drop);
    for (let at = start; at < end; at += 65_536) {
      if (response.destroyed) return;
      response.write(content.subarray(at, Math.min(end, at + 65_536)));
      if (hub.pauseMs > 0) await wait(hub.pauseMs);
    }
    if (drop === undefined) response.end();
    // What was written must arrive before the connection breaks.
    else setTimeout(() => response.destroy(), 30);
  }

  return hub;
}

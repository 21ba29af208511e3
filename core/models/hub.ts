/**
 * The one connection that Precis makes, and only when the user downloads a model: to Hugging Face or a mirror of it, through
 * a proxy where there is one.
 */
import type { Dispatcher, Response } from "undici";
import * as z from "zod";
import { PrecisError } from "../errors.js";
import { said } from "../said.js";
import type { CatalogueModel } from "./catalogue.js";

export const huggingFace = "https://huggingface.co";

export interface NetworkSettings {
  /** "http://proxy.example:3128". Without it HTTPS_PROXY and HTTP_PROXY count, as NO_PROXY does in any case. */
  readonly proxy?: string | undefined;
  /** "https://mirror.example". Without it HF_ENDPOINT counts, then Hugging Face itself. */
  readonly mirror?: string | undefined;
}

/** A download was interrupted by something that may pass: `told` is what the user hears when it does not. */
export class Interrupted extends Error {
  constructor(
    readonly told: PrecisError,
    options?: ErrorOptions,
  ) {
    super(told.message, options);
  }
}

export interface Hub {
  /** Its name, for the user. */
  readonly host: string;
  /**
   * @param path after the hub's address, with its slash
   * @throws Interrupted, PrecisError offline, download-missing, download-failed; the signal's reason when it is aborted
   */
  get(path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Response>;
  close(): Promise<void>;
}

/** Silence after which a connection counts as lost. */
const silentMs = 60_000;

/** @throws PrecisError usage when an address is none */
export async function connectHub(settings: NetworkSettings, env: NodeJS.ProcessEnv = process.env): Promise<Hub> {
  const base = addressOf(settings.mirror || env.HF_ENDPOINT || huggingFace, "mirror");
  const proxy = settings.proxy ? addressOf(settings.proxy, "proxy").href : undefined;
  const { EnvHttpProxyAgent, fetch } = await import("undici");
  let dispatcher: Dispatcher;
  try {
    const own = proxy === undefined ? {} : { httpProxy: proxy, httpsProxy: proxy };
    dispatcher = new EnvHttpProxyAgent({ ...own, headersTimeout: silentMs, bodyTimeout: silentMs });
  } catch (cause) {
    throw new PrecisError("usage", said`The proxy in HTTPS_PROXY or HTTP_PROXY is no address.`, said`Correct it.`, {
      cause,
    });
  }
  const { host } = base;
  return {
    host,
    async get(path, headers, signal) {
      const address = base.href.replace(/\/+$/, "") + path;
      const sent = { ...headers, "accept-encoding": "identity", "user-agent": "precis" };
      const response = await fetch(address, { dispatcher, headers: sent, signal }).catch((error) => {
        signal?.throwIfAborted();
        throw interrupted(error, host);
      });
      if (response.ok) return response;
      await response.body?.cancel();
      throw refused(response.status, host);
    },
    // Not close(): that would wait for what was cancelled.
    close: () => dispatcher.destroy(),
  };
}

/** @throws PrecisError usage */
export function addressOf(text: string, what: "proxy" | "mirror"): URL {
  const address = URL.canParse(text) ? new URL(text) : undefined;
  if (address && ["http:", "https:"].includes(address.protocol)) return address;
  const message =
    what === "proxy" ? said`The proxy "${text}" is no address.` : said`The mirror "${text}" is no address.`;
  throw new PrecisError("usage", message, said`Write it like https://example.org.`);
}

/** What broke a connection, in words. */
export function interrupted(error: unknown, host: string): Interrupted {
  // The first cause says it best: fetch wraps what undici wraps.
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const words = cause instanceof Error ? cause.message : String(cause);
  return new Interrupted(toldOf(code, words, host), { cause: error });
}

function toldOf(code: string, words: string, host: string): PrecisError {
  const proxy = /Proxy response \((\d+)\)/.exec(words)?.[1];
  if (proxy !== undefined) {
    const message =
      proxy === "407"
        ? said`The proxy did not let Precis through: it wants a name and a password.`
        : said`The proxy did not let Precis through: it answered ${proxy}.`;
    const next = said`Correct the proxy under Settings, or in HTTPS_PROXY: http://name:password@proxy.example:3128.`;
    return new PrecisError("offline", message, next);
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    const next = said`If your organisation looks into connections, name its certificate in NODE_EXTRA_CA_CERTS.`;
    return new PrecisError(
      "offline",
      said`The certificate of ${host} is not trusted on this computer (${code}).`,
      next,
    );
  }
  const next = said`Check the connection, and the proxy and mirror under Settings. What has come is kept.`;
  if (["ENOTFOUND", "EAI_AGAIN", "ENETUNREACH", "ENETDOWN", "EHOSTUNREACH"].includes(code)) {
    return new PrecisError("offline", said`${host} cannot be reached: this computer seems to be offline.`, next);
  }
  if (code === "ECONNREFUSED")
    return new PrecisError("offline", said`${host} (or the proxy) refuses connections.`, next);
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return new PrecisError("offline", said`${host} does not answer.`, next);
  return new PrecisError("offline", said`The connection to ${host} was lost (${code || words}).`, next);
}

function refused(status: number, host: string): PrecisError | Interrupted {
  if (status === 404 || status === 410) {
    const next = said`Choose another model, or another mirror under Settings.`;
    return new PrecisError("download-missing", said`${host} does not have this model's file (${status}).`, next);
  }
  if (status === 401 || status === 403) {
    const next = said`Download it in a browser, and add the file.`;
    return new PrecisError(
      "download-failed",
      said`${host} gives this file only to those who signed in (${status}).`,
      next,
    );
  }
  const told = new PrecisError(
    "download-failed",
    said`${host} answered ${status}.`,
    said`Try again later. What has come is kept.`,
  );
  return status >= 500 || status === 408 || status === 429 ? new Interrupted(told) : told;
}

/** What a file on the hub is, for good: a revision's bytes never change. */
export const originSchema = z.object({
  repository: z.string(),
  /** The commit. */
  revision: z.string().regex(/^[0-9a-f]{40}$/),
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Origin = z.infer<typeof originSchema>;

/** The hub's answer about a revision, with its files (`?blobs=true`). */
const revisionSchema = z.object({
  sha: originSchema.shape.revision,
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().optional(),
      lfs: z.object({ sha256: originSchema.shape.sha256, size: z.number().int().positive() }).optional(),
    }),
  ),
});

/**
 * Size and sha256 of a model's file: the catalogue's where it has them with a revision, the hub's own otherwise.
 * @throws what Hub.get throws, and PrecisError usage, download-missing, download-failed
 */
export async function lookUp(
  { source, file, name, bytes, sha256 }: CatalogueModel,
  hub: Hub,
  signal?: AbortSignal,
): Promise<Origin> {
  if (source.kind !== "hub")
    throw new PrecisError("usage", said`${name} is fetched by the set-up.`, said`Run \`npm run setup\`.`);
  const { repository, revision } = source;
  if (revision !== undefined && bytes !== undefined && sha256 !== undefined) {
    return { repository, revision, bytes, sha256 };
  }
  const response = await hub.get(`/api/models/${repository}/revision/${revision ?? "main"}?blobs=true`, {}, signal);
  const answer = revisionSchema.safeParse(await response.json().catch(() => undefined));
  if (!answer.success) {
    const next = said`Check the mirror under Settings: it may be no mirror of Hugging Face.`;
    throw new PrecisError("download-failed", said`${hub.host} does not answer like a model hub.`, next, {
      cause: answer.error,
    });
  }
  const found = answer.data.siblings.find(({ rfilename }) => rfilename === file);
  if (!found?.lfs) {
    const message = found
      ? said`${hub.host} gives no checksum for ${file} of ${repository}.`
      : said`${hub.host} no longer has ${file} of ${repository}.`;
    const next = said`Choose another model, or look for a newer Precis.`;
    throw new PrecisError("download-missing", message, next);
  }
  const origin = { repository, revision: answer.data.sha, bytes: found.lfs.size, sha256: found.lfs.sha256 };
  if (sha256 === undefined || sha256 === origin.sha256) return origin;
  throw new PrecisError(
    "download-failed",
    said`${hub.host} has another ${file} than the one that Precis knows.`,
    said`Choose another model.`,
  );
}

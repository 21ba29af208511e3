/** The page's address, what it may load, and whom the main process listens to: pure, so that it can be tested. */
import path from "node:path";

export const scheme = "precis";
export const origin = `${scheme}://window`;

export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // React sets element styles through the CSSOM, which style-src does not govern; no inline style is needed.
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

/** The file under `root` that a URL of our scheme names; undefined for other hosts, types and places. */
export function fileOfUrl(url: string, root: string): string | undefined {
  const { host, pathname, protocol: urlScheme } = new URL(url);
  if (urlScheme !== `${scheme}:` || host !== "window") return undefined;
  const file = path.resolve(root, `.${decodeURIComponent(pathname)}`);
  if (!file.startsWith(root + path.sep) || !(path.extname(file) in contentTypes)) return undefined;
  return file;
}

/** Whether a message comes from our page's main frame, and not from anything embedded in or opened by it. */
export function isTrustedSender(frame: { url: string; parent: unknown } | null | undefined): boolean {
  if (!frame || frame.parent !== null) return false;
  return frame.url === origin || frame.url.startsWith(`${origin}/`);
}

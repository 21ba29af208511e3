/** What the page may load and do: its own files through one scheme, and nothing else. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { app, protocol, session, type WebContents } from "electron";
import { contentSecurityPolicy, contentTypes, fileOfUrl, scheme } from "./origin.js";

/** Must run before the app is ready. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme, privileges: { standard: true, secure: true } }]);
}

/** Serves the built renderer with the policy in every answer. */
export function serveRenderer(root: string): void {
  protocol.handle(scheme, async (request) => {
    const file = fileOfUrl(request.url, root);
    const body = file && (await readFile(file).catch(() => undefined));
    if (!file || !body) return new Response("Not found", { status: 404 });
    return new Response(new Uint8Array(body), {
      headers: {
        "Content-Type": contentTypes[path.extname(file)] ?? "application/octet-stream",
        "Content-Security-Policy": contentSecurityPolicy,
        "X-Content-Type-Options": "nosniff",
      },
    });
  });
}

/**
 * What a page may ask for: to put a copy on the clipboard, cleaned by Chromium. Electron's own clipboard takes rich text
 * by another call in each of the releases that Precis runs on, this one by the same in both.
 */
const granted = "clipboard-sanitized-write";

/** What leaves the computer. Models are downloaded by the main process itself, when the user asks for one. */
const outside = ["http://*/*", "https://*/*", "ws://*/*", "wss://*/*", "ftp://*/*"];

/** No connections, no other permissions, no new windows, no navigation, no web views, for every page of the app. */
export function lockDown(): void {
  session.defaultSession.webRequest.onBeforeRequest({ urls: outside }, (_request, answer) => answer({ cancel: true }));
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) => answer(permission === granted));
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => permission === granted);
  app.on("web-contents-created", (_event, contents) => lockDownContents(contents));
}

function lockDownContents(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: "deny" }));
  contents.on("will-navigate", (event) => event.preventDefault());
  contents.on("will-redirect", (event) => event.preventDefault());
  contents.on("will-attach-webview", (event) => event.preventDefault());
}

/** What any Electron app with React does before it does anything of its own. */
import { fileURLToPath } from "node:url";
import { app, BrowserWindow } from "electron";

// Electron is ready only after this module has come to its end, so it does not wait here.
void app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1180, height: 800, show: false, webPreferences: { sandbox: true } });
  window.once("ready-to-show", () => window.show());
  void window.loadFile(fileURLToPath(new URL("index.html", import.meta.url)));
});

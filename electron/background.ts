/** Precis while its window is closed: the queue goes on behind a tray icon, and says when a document is done. */

import { execFile } from "node:child_process";
import path from "node:path";
import { app, BrowserWindow, dialog, Menu, Notification, nativeImage, Tray } from "electron";
import type { QueueItem, QueueState } from "./contract.js";
import { t } from "./language.js";
import type { Queue } from "./queue.js";
import { translated } from "./translation.js";

/** What a system without a place for the icon is told before the window closes. */
const noTray = () => ({
  message: t("tray.none"),
  detail: t("tray.noneDetail"),
  buttons: [t("tray.closeAndEnd"), t("tray.keepOpen")],
});

/** Whether the system shows tray icons. Only a Linux desktop may have no place for them; it is asked over D-Bus. */
export function hasTray(platform: NodeJS.Platform = process.platform): Promise<boolean> {
  if (platform !== "linux") return Promise.resolve(true);
  const watcher = "org.kde.StatusNotifierWatcher";
  const get = ["/StatusNotifierWatcher", "org.freedesktop.DBus.Properties.Get"];
  const property = [`string:${watcher}`, "string:IsStatusNotifierHostRegistered"];
  const command = ["--session", "--print-reply", `--dest=${watcher}`, ...get, ...property];
  return new Promise((resolve) => {
    execFile("dbus-send", command, { timeout: 2_000 }, (error, answer) =>
      resolve(!error && /boolean true/.test(answer)),
    );
  });
}

/** What is said before Precis ends in the middle of a reading. */
const quitting = () => ({
  message: t("tray.quitting"),
  detail: t("tray.quittingDetail"),
  buttons: [t("tray.quit"), t("tray.keepOpen")],
});

const asked = { type: "warning" as const, defaultId: 1, cancelId: 1 };

export class Background {
  private tray: Tray | undefined;
  private asking = false;
  /** Kept, or a click on one might find it collected. */
  private readonly notifications = new Set<Notification>();

  /**
   * @param icon of the app, a file
   * @param show brings the window to the front, with these documents
   */
  constructor(
    private readonly icon: string,
    private readonly queue: Queue,
    private readonly show: (paths: string[]) => void,
  ) {}

  /** Hides the window instead of closing it while the queue goes on, where an icon can bring it back. */
  watch(window: BrowserWindow): void {
    window.on("close", (event) => {
      if (!this.queue.goesOn) return;
      event.preventDefault();
      void this.leave(window);
    });
    window.on("show", () => this.removeTray());
    window.on("closed", () => this.removeTray());
  }

  /** The icon's menu says how far the queue is. */
  update({ items, running }: QueueState): void {
    if (!this.tray) return;
    const done = items.filter(({ state }) => state === "done").length;
    const held = items.some(({ state }) => state === "held");
    const now = items.find(({ id }) => id === running?.id);
    const values = { done, count: items.length };
    const words = now ? t("tray.reading", { ...values, file: path.basename(now.path) }) : t("queue.title", values);
    this.tray.setToolTip(t("tray.tip", { words }));
    this.tray.setContextMenu(
      Menu.buildFromTemplate([
        { label: words, enabled: false },
        { type: "separator" },
        { label: t("tray.open"), click: () => this.show([]) },
        this.queue.goesOn
          ? { label: t("common.pause"), click: () => void this.queue.perform({ what: "hold" }) }
          : { label: t("common.resume"), enabled: held, click: () => void this.queue.perform({ what: "resume" }) },
        { label: t("tray.quit"), click: () => void this.quit() },
      ]),
    );
  }

  /** Says what came of a document to a user who looks elsewhere. */
  notify({ path: file, error }: QueueItem): void {
    if (BrowserWindow.getFocusedWindow() || !Notification.isSupported()) return;
    const name = path.basename(file);
    const notification = new Notification({
      title: error ? t("tray.failed") : t("tray.finished"),
      body: error ? t("tray.failedBody", { name, reason: translated(error.message) }) : name,
      icon: this.icon,
    });
    this.notifications.add(notification);
    notification.on("close", () => this.notifications.delete(notification));
    notification.on("click", () => {
      this.notifications.delete(notification);
      this.show([file]);
    });
    notification.show();
  }

  private async leave(window: BrowserWindow): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      if (await hasTray()) {
        this.tray ??= this.newTray();
        this.update(await this.queue.state());
        window.hide();
        return;
      }
      const { response } = await dialog.showMessageBox(window, { ...noTray(), ...asked });
      if (response === 0) app.quit();
    } finally {
      this.asking = false;
    }
  }

  /** Ends Precis; while the queue goes on, it asks first. */
  async quit(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      if (this.queue.goesOn && (await dialog.showMessageBox({ ...quitting(), ...asked })).response !== 0) return;
      app.quit();
    } finally {
      this.asking = false;
    }
  }

  private newTray(): Tray {
    const tray = new Tray(nativeImage.createFromPath(this.icon).resize({ width: 22, height: 22 }));
    tray.on("click", () => this.show([]));
    return tray;
  }

  private removeTray(): void {
    this.tray?.destroy();
    this.tray = undefined;
  }
}

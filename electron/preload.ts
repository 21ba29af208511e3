/** The bridge: named methods only, nothing of Electron reaches the page. Built as CommonJS, runs sandboxed. */
import { contextBridge, type IpcRendererEvent, ipcRenderer, webUtils } from "electron";
import { bridgeNames, channelOf } from "./bridge.js";
import type { EventData, EventName, PrecisApi } from "./contract.js";

const { commands, events } = bridgeNames(process.argv);

const calls = Object.fromEntries(
  commands.map((name) => [name, (input?: unknown) => ipcRenderer.invoke(channelOf(name), input)]),
);

function on<Name extends EventName>(name: Name, listener: (data: EventData<Name>) => void): () => void {
  if (!events.includes(name)) throw new RangeError(`No such event: ${name}`);
  const forward = (_event: IpcRendererEvent, data: EventData<Name>) => listener(data);
  ipcRenderer.on(channelOf(name), forward);
  return () => ipcRenderer.off(channelOf(name), forward);
}

const api = { ...calls, on, pathForFile: (file: File) => webUtils.getPathForFile(file) } as unknown as PrecisApi;
contextBridge.exposeInMainWorld("precis", api);

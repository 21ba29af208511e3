/** What the next summary would take, as the worker says it once the choices have settled and nothing runs. */
import { useEffect } from "react";
import { create } from "zustand";
import type { CommandInput, Forecast, Machine } from "../../electron/contract.js";
import { newId, precis } from "../precis.js";
import { useApp } from "./connect.js";
import { type OpenDocument, useChosen } from "./documents.js";
import { useModel } from "./model.js";
import { useQueue } from "./queue.js";
import { becomesOne, runOptions, useSettings } from "./settings.js";

interface ForecastStore {
  readonly documentId: string | undefined;
  /** The last one, of that document. */
  readonly forecast: Forecast | undefined;
  /** Whether the choices have changed since. */
  readonly stale: boolean;
}

const useForecasts = create<ForecastStore>(() => ({ documentId: undefined, forecast: undefined, stale: false }));

/** The last forecast of a document; that of other choices stays until the new one is there. */
export const useForecast = (documentId: string): Forecast | undefined =>
  useForecasts((store) => (store.documentId === documentId ? store.forecast : undefined));

/** Whether that is of other choices. */
export const useForecastStale = (): boolean => useForecasts((store) => store.stale);

/** The computer's memory as the last forecast of any document found it; a reading may begin before there is one. */
export function useMachine(): Machine | undefined {
  const first = useApp((store) => store.machine);
  return useForecasts((store) => store.forecast?.memory ?? first);
}

/** Between the last change of a choice and the question. */
const settleMs = 400;

/** Asks for the document's forecast whenever that may have changed; a run comes first. */
export function useAskForecast(document: OpenDocument): void {
  const settings = useSettings();
  const chosen = useChosen();
  const ready = useModel((store) => store.state === "ready") && document.state === "ready";
  const idle = useQueue((store) => store.running === undefined);
  const further = becomesOne(settings, chosen.length) ? chosen.slice(1).map(({ id }) => id) : [];
  const question = { documentId: document.id, further, options: runOptions(settings) };
  const asked = ready && idle ? JSON.stringify(question) : undefined;
  useEffect(() => {
    if (asked === undefined) return;
    const input: Omit<CommandInput<"forecast">, "runId"> = JSON.parse(asked);
    const runId = newId();
    useForecasts.setState({ stale: true });
    let sent = false;
    let current = true;
    const timer = setTimeout(() => {
      sent = true;
      void precis()
        .forecast({ runId, ...input })
        .then((outcome) => {
          sent = false;
          const { documentId } = input;
          if (current && outcome.ok) useForecasts.setState({ documentId, forecast: outcome.value, stale: false });
        });
    }, settleMs);
    return () => {
      current = false;
      clearTimeout(timer);
      if (sent) void precis().cancel({ runId });
    };
  }, [asked]);
}

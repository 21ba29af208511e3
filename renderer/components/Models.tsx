import { useEffect, useState } from "react";
import type { WindowModel } from "../../electron/contract.js";
import { type Key, t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { chooseModel } from "../actions.js";
import { isAtWork, useModels } from "../stores/models.js";
import { useViews } from "../stores/views.js";
import { errorWords, formatCount, formatFraction } from "../view/format.js";
import {
  aboutWords,
  activityFraction,
  activityWords,
  capacityWords,
  languageWords,
  sizeWords,
} from "../view/models.js";
import { Sheet } from "./Sheet.js";

/** Which models there are, what each is good for here, and everything that can be done with them. */
export function Models() {
  const shown = useViews((store) => store.shown === "models");
  const close = useViews((store) => store.close);
  return (
    <Sheet title={t("models.title")} shown={shown} close={() => close("models")} kind="wide">
      {shown && <ModelList />}
    </Sheet>
  );
}

function ModelList() {
  const { models, error, notice, refresh, addChosen } = useModels();
  const close = useViews((store) => store.close);
  // What can be read depends on the memory that is free now.
  useEffect(() => void refresh(), [refresh]);
  return (
    <>
      <p className="small">{t("models.about")}</p>
      <div className="buttons">
        <button type="button" onClick={() => void addChosen()}>
          {t("models.add")}
        </button>
        <span className="small aside">{t("models.drop")}</span>
      </div>
      <p className="view-notice" role="status">
        {notice && translated(notice)}
      </p>
      {error && (
        <p className="dialog-problem" role="alert">
          {errorWords(error)}
        </p>
      )}
      <ul className="models">
        {models?.map((model) => (
          <Model key={model.id} model={model} />
        ))}
      </ul>
      <div className="buttons end">
        <button type="button" onClick={() => close("models")}>
          {t("common.close")}
        </button>
      </div>
    </>
  );
}

function Model({ model }: { model: WindowModel }) {
  const { name, contextLength, licence, chosen, problem, activity } = model;
  const facts = [
    sizeWords(model),
    t("models.context", { tokens: formatCount(contextLength) }),
    licence,
    languageWords(model),
  ].filter((fact) => fact !== undefined);
  return (
    <li className="model" data-chosen={chosen}>
      <div className="model-head">
        <h3>{name}</h3>
        {chosen && <span className="badge">{t("models.inUse")}</span>}
      </div>
      <p className="model-about">{aboutWords(model)}</p>
      <p>{capacityWords(model)}</p>
      <p className="small">{facts.join(" · ")}</p>
      {problem && <p className="dialog-problem">{translated(problem)}</p>}
      <Progress model={model} />
      {activity?.kind === "failed" && (
        <p className="dialog-problem" role="alert">
          {errorWords(activity.error)}
        </p>
      )}
      {activity?.kind === "verified" && <p className="view-notice">{activityWords(activity)}</p>}
      <Actions model={model} />
    </li>
  );
}

/** Of a download or check that goes on, or of a download that was begun. */
function Progress({ model }: { model: WindowModel }) {
  const { name, activity, state, receivedBytes, bytes } = model;
  const words = isAtWork(activity) && activity ? activityWords(activity) : undefined;
  if (words === undefined && state !== "begun") return null;
  const share = isAtWork(activity) && activity ? activityFraction(activity) : receivedBytes / bytes;
  return (
    <div className="model-progress">
      <progress aria-label={t("models.progressOf", { name })} value={share} max={1} />
      <p className="small">{words ?? t("models.pausedAt", { share: formatFraction(receivedBytes / bytes) })}</p>
    </div>
  );
}

/** What downloading is called, by what is there already. */
const downloadWords = {
  missing: "models.download",
  begun: "models.goOn",
  damaged: "models.downloadAgain",
  ready: "models.download",
} as const satisfies Record<WindowModel["state"], Key>;

function Actions({ model }: { model: WindowModel }) {
  const { id, name, state, kind, chosen, downloadable, verifiable, activity } = model;
  const { download, pause, discard, verify, remove } = useModels();
  const [asking, setAsking] = useState(false);

  if (activity?.kind === "downloading") {
    return (
      <div className="buttons">
        <button type="button" aria-label={t("models.pauseOne", { name })} onClick={() => void pause(id)}>
          {t("common.pause")}
        </button>
        <button type="button" aria-label={t("models.cancelOne", { name })} onClick={() => void discard(id)}>
          {t("common.cancel")}
        </button>
      </div>
    );
  }
  if (activity?.kind === "verifying") {
    return (
      <div className="buttons">
        <button type="button" onClick={() => void pause(id)}>
          {t("models.stop")}
        </button>
      </div>
    );
  }
  if (asking) {
    return (
      <div className="buttons">
        <p className="aside">{kind === "added" ? t("models.askTakeOut") : t("models.askDelete")}</p>
        <button type="button" onClick={() => setAsking(false)}>
          {t("common.keep")}
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            setAsking(false);
            void remove(id);
          }}
        >
          {kind === "added" ? t("models.takeOut") : t("models.delete")}
        </button>
      </div>
    );
  }
  return (
    <div className="buttons">
      {state === "ready" && !chosen && (
        <button
          type="button"
          className="primary"
          aria-label={t("models.useOne", { name })}
          onClick={() => chooseModel(id)}
        >
          {t("models.use")}
        </button>
      )}
      {downloadable && state !== "ready" && (
        <button type="button" aria-label={t(`${downloadWords[state]}One`, { name })} onClick={() => void download(id)}>
          {t(downloadWords[state])}
        </button>
      )}
      {state === "begun" && (
        <button type="button" aria-label={t("models.cancelOne", { name })} onClick={() => void discard(id)}>
          {t("common.cancel")}
        </button>
      )}
      {!downloadable && kind === "catalogue" && state !== "ready" && (
        <p className="small">{t("models.setup", { command: "npm run setup" })}</p>
      )}
      {verifiable && state === "ready" && (
        <button
          type="button"
          className="quiet"
          aria-label={t("models.verifyOne", { name })}
          onClick={() => void verify(id)}
        >
          {t("models.verify")}
        </button>
      )}
      {!chosen && (kind === "added" || state === "ready" || state === "damaged") && (
        <button
          type="button"
          className="quiet"
          aria-label={t(kind === "added" ? "models.takeOutOne" : "models.deleteOne", { name })}
          onClick={() => setAsking(true)}
        >
          {kind === "added" ? t("models.takeOutAsk") : t("models.deleteAsk")}
        </button>
      )}
    </div>
  );
}

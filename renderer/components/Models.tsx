import { useEffect, useState } from "react";
import type { WindowModel } from "../../electron/contract.js";
import { chooseModel } from "../actions.js";
import { isAtWork, useModels } from "../stores/models.js";
import { useViews } from "../stores/views.js";
import { formatCount } from "../view/format.js";
import { activityFraction, activityWords, capacityWords, languageWords, sizeWords } from "../view/models.js";
import { Sheet } from "./Sheet.js";

/** Which models there are, what each is good for here, and everything that can be done with them. */
export function Models() {
  const shown = useViews((store) => store.shown === "models");
  const close = useViews((store) => store.close);
  return (
    <Sheet title="Models" shown={shown} close={() => close("models")} kind="wide">
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
      <p className="small">
        A model reads and writes; all of it happens on this computer. Precis connects to the internet only while you
        download a model here.
      </p>
      <div className="buttons">
        <button type="button" onClick={() => void addChosen()}>
          Add a model file…
        </button>
        <span className="small aside">or drop a .gguf file on the window</span>
      </div>
      <p className="view-notice" role="status">
        {notice}
      </p>
      {error && (
        <p className="dialog-problem" role="alert">
          {error.message} {error.next}
        </p>
      )}
      <ul className="models">
        {models?.map((model) => (
          <Model key={model.id} model={model} />
        ))}
      </ul>
      <div className="buttons end">
        <button type="button" onClick={() => close("models")}>
          Close
        </button>
      </div>
    </>
  );
}

function Model({ model }: { model: WindowModel }) {
  const { name, about, contextLength, licence, chosen, problem, activity } = model;
  const facts = [
    sizeWords(model),
    `${formatCount(contextLength)} tokens of context`,
    licence,
    languageWords(model),
  ].filter((fact) => fact !== undefined);
  return (
    <li className="model" data-chosen={chosen}>
      <div className="model-head">
        <h3>{name}</h3>
        {chosen && <span className="badge">In use</span>}
      </div>
      <p className="model-about">{about}</p>
      <p>{capacityWords(model)}</p>
      <p className="small">{facts.join(" · ")}</p>
      {problem && <p className="dialog-problem">{problem}</p>}
      <Progress model={model} />
      {activity?.kind === "failed" && (
        <p className="dialog-problem" role="alert">
          {activity.error.message} {activity.error.next}
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
      <progress aria-label={`Progress of ${name}`} value={share} max={1} />
      <p className="small">{words ?? `Paused at ${Math.floor((100 * receivedBytes) / bytes)} %`}</p>
    </div>
  );
}

function Actions({ model }: { model: WindowModel }) {
  const { id, name, state, kind, chosen, downloadable, verifiable, activity } = model;
  const { download, pause, discard, verify, remove } = useModels();
  const [asking, setAsking] = useState(false);

  if (activity?.kind === "downloading") {
    return (
      <div className="buttons">
        <button type="button" aria-label={`Pause the download of ${name}`} onClick={() => void pause(id)}>
          Pause
        </button>
        <button type="button" aria-label={`Cancel the download of ${name}`} onClick={() => void discard(id)}>
          Cancel
        </button>
      </div>
    );
  }
  if (activity?.kind === "verifying") {
    return (
      <div className="buttons">
        <button type="button" onClick={() => void pause(id)}>
          Stop
        </button>
      </div>
    );
  }
  if (asking) {
    return (
      <div className="buttons">
        <p className="aside">
          {kind === "added" ? "Take it out of the list? Its file stays." : "Delete its file for good?"}
        </p>
        <button type="button" onClick={() => setAsking(false)}>
          Keep
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            setAsking(false);
            void remove(id);
          }}
        >
          {kind === "added" ? "Take out" : "Delete"}
        </button>
      </div>
    );
  }
  return (
    <div className="buttons">
      {state === "ready" && !chosen && (
        <button type="button" className="primary" aria-label={`Use ${name}`} onClick={() => chooseModel(id)}>
          Use
        </button>
      )}
      {downloadable && state !== "ready" && (
        <button
          type="button"
          aria-label={`${state === "begun" ? "Go on downloading" : state === "damaged" ? "Download again:" : "Download"} ${name}`}
          onClick={() => void download(id)}
        >
          {state === "begun" ? "Go on" : state === "damaged" ? "Download again" : "Download"}
        </button>
      )}
      {state === "begun" && (
        <button type="button" aria-label={`Cancel the download of ${name}`} onClick={() => void discard(id)}>
          Cancel
        </button>
      )}
      {!downloadable && kind === "catalogue" && state !== "ready" && (
        <p className="small">It comes with the set-up: npm run setup</p>
      )}
      {verifiable && state === "ready" && (
        <button type="button" className="quiet" aria-label={`Verify ${name}`} onClick={() => void verify(id)}>
          Verify
        </button>
      )}
      {!chosen && (kind === "added" || state === "ready" || state === "damaged") && (
        <button
          type="button"
          className="quiet"
          aria-label={`${kind === "added" ? "Take out" : "Delete"} ${name}`}
          onClick={() => setAsking(true)}
        >
          {kind === "added" ? "Take out…" : "Delete…"}
        </button>
      )}
    </div>
  );
}

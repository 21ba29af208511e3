import type { WireError } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { showLog } from "../actions.js";

export interface NextStep {
  readonly label: string;
  readonly act: () => void;
}

/** What nobody foresaw: its advice is to report it with the log. */
const unforeseen: readonly string[] = ["internal", "worker-died"];

/** An error where it happened: what failed, what to do, and the step as a button. */
export function ErrorNote({ title, error, steps }: { title: string; error: WireError; steps: readonly NextStep[] }) {
  return (
    <div className="error-note" role="alert">
      <h3>{title}</h3>
      <p>{translated(error.message)}</p>
      {error.next && <p className="error-next">{translated(error.next)}</p>}
      <div className="buttons">
        {steps.map((step) => (
          <button key={step.label} type="button" onClick={step.act}>
            {step.label}
          </button>
        ))}
        {unforeseen.includes(error.code) && (
          <button type="button" onClick={showLog}>
            {t("commands.log")}
          </button>
        )}
      </div>
    </div>
  );
}

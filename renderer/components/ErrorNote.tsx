import type { WireError } from "../../electron/contract.js";
import { translated } from "../../electron/translation.js";

export interface NextStep {
  readonly label: string;
  readonly act: () => void;
}

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
      </div>
    </div>
  );
}

import type { SummaryResult } from "../../electron/contract.js";
import { modelName } from "../../electron/core.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { useModel } from "../stores/model.js";
import { useViews } from "../stores/views.js";

/** Weights of a model that is there to try things out with. */
const smallBytes = 400 * 2 ** 20;

/** What to bear in mind of a summary: what went wrong with it, and how good its model is. */
export function Caveats({ result }: { result: SummaryResult }) {
  const model = useModel((store) => store.model);
  const show = useViews((store) => store.show);
  const documents = [result.document, ...result.furtherDocuments];
  const warnings = [...new Set([...documents.flatMap((each) => each.warnings), ...result.warnings])];
  const small = model?.path === result.model.path && model.weightsBytes < smallBytes;
  return (
    <>
      {warnings.length > 0 && (
        <ul className="warnings" aria-label={t("facts.warnings")}>
          {warnings.map((warning) => (
            <li key={warning}>{translated(warning)}</li>
          ))}
        </ul>
      )}
      {small && (
        <p className="small linked">
          {t("summary.smallModel", { model: modelName(model.id) })}{" "}
          <button type="button" className="quiet" onClick={() => show("models")}>
            {t("common.models")}
          </button>
        </p>
      )}
    </>
  );
}

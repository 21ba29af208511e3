import { useEffect, useState } from "react";
import { t } from "../../electron/language.js";
import { chooseScanLanguages } from "../actions.js";
import { precis } from "../precis.js";
import { useApp } from "../stores/connect.js";
import { useSettings } from "../stores/settings.js";
import { errorWords, formatSeries, scanLanguageName } from "../view/format.js";
import { Sheet } from "./Sheet.js";

/** Which languages the text of scanned pages is recognised in, and where the data of further ones lies. */
export function ScanLanguages() {
  const { scanLanguagesShown, showScanLanguages } = useApp();
  const close = () => showScanLanguages(false);
  return (
    <Sheet title={t("scans.title")} shown={scanLanguagesShown} close={close}>
      {scanLanguagesShown && <Form close={close} />}
    </Sheet>
  );
}

function Form({ close }: { close: () => void }) {
  const settings = useSettings();
  const [folder, setFolder] = useState(settings.scanFolder);
  const [chosen, setChosen] = useState<readonly string[]>(settings.scanLanguages);
  const [known, setKnown] = useState<readonly string[]>(["eng"]);
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    let current = true;
    setProblem(undefined);
    if (!folder) return setKnown(["eng"]);
    void precis()
      .scanLanguages({ folder })
      .then((outcome) => {
        if (!current) return;
        setKnown(outcome.ok ? outcome.value : ["eng"]);
        if (!outcome.ok) setProblem(errorWords(outcome.error));
        else if (outcome.value.length === 1) setProblem(t("scans.noData", { file: "CODE.traineddata" }));
      });
    return () => {
      current = false;
    };
  }, [folder]);

  const chooseFolder = async () => {
    const outcome = await precis().chooseScanFolder();
    if (outcome.ok && outcome.value) setFolder(outcome.value);
  };
  const toggle = (code: string, on: boolean) =>
    setChosen(on ? [...chosen, code] : chosen.filter((other) => other !== code));
  // What was chosen once stays in sight, even if its data is gone, so that it can be taken out.
  const listed = [...new Set([...known, ...settings.scanLanguages])];
  const missing = chosen.filter((code) => !known.includes(code));

  return (
    <form
      method="dialog"
      onSubmit={(event) => {
        event.preventDefault();
        chooseScanLanguages(chosen, folder);
        close();
      }}
    >
      <p className="small">{t("scans.about", { file: "deu.traineddata" })}</p>
      <fieldset className="checks">
        <legend className="visually-hidden">{t("scans.languages")}</legend>
        {listed.map((code) => (
          <label key={code}>
            <input
              type="checkbox"
              checked={chosen.includes(code)}
              onChange={(event) => toggle(code, event.target.checked)}
            />
            {scanLanguageName(code)} <small>{code}</small>
          </label>
        ))}
      </fieldset>
      <p className="path" title={folder}>
        {folder ? t("scans.folder", { folder }) : t("scans.noFolder")}
      </p>
      {(problem || missing.length > 0) && (
        <p className="dialog-problem" role="alert">
          {problem ?? t("scans.missing", { languages: formatSeries(missing.map(scanLanguageName)) })}
        </p>
      )}
      <div className="buttons">
        <button type="button" onClick={() => void chooseFolder()}>
          {t("scans.chooseFolder")}
        </button>
        <span className="spacer" />
        <button type="button" onClick={close}>
          {t("common.cancel")}
        </button>
        <button type="submit" className="primary" disabled={chosen.length === 0 || missing.length > 0}>
          {t("scans.use")}
        </button>
      </div>
    </form>
  );
}

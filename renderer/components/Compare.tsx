import { useEffect, useState } from "react";
import type { ListedRun, StoredRun } from "../../electron/contract.js";
import { t } from "../../electron/language.js";
import { translated } from "../../electron/translation.js";
import { precis } from "../precis.js";
import { difference, type Piece, runName, runRows } from "../view/compare.js";
import { Sheet } from "./Sheet.js";

/** How often a document was summarised, and the way to see two of its runs side by side. */
export function RunHistory({ path, runId }: { path: string; runId: string }) {
  const [runs, setRuns] = useState<readonly ListedRun[]>([]);
  const [shown, setShown] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another run is another list
  useEffect(() => {
    let current = true;
    void precis()
      .libraryRuns({ path })
      .then((outcome) => current && outcome.ok && setRuns(outcome.value));
    return () => {
      current = false;
    };
  }, [path, runId]);
  if (runs.length < 2) return null;
  return (
    <div className="run-history">
      <p className="small">{t("compare.count", { count: runs.length })}</p>
      <button type="button" onClick={() => setShown(true)}>
        {t("compare.open")}
      </button>
      <Sheet title={t("compare.title")} shown={shown} close={() => setShown(false)} kind="compare">
        {shown && <Compare runs={runs} close={() => setShown(false)} />}
      </Sheet>
    </div>
  );
}

function Compare({ runs, close }: { runs: readonly ListedRun[]; close: () => void }) {
  const [newer, older] = runs as [ListedRun, ListedRun];
  const [left, setLeft] = useState(older.id);
  const [right, setRight] = useState(newer.id);
  const [one, oneProblem] = useStoredRun(left);
  const [other, otherProblem] = useStoredRun(right);
  const rows = one && other && runRows(one).map(([name, value], row) => [name, value, runRows(other)[row]?.[1]]);
  const texts = one && other && difference(one.result.text, other.result.text);
  return (
    <>
      {[oneProblem, otherProblem].map(
        (problem) =>
          problem && (
            <p key={problem} className="dialog-problem" role="alert">
              {problem}
            </p>
          ),
      )}
      <div className="compare-scroll">
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">
                <Choice label={t("compare.left")} runs={runs} chosen={left} choose={setLeft} />
              </th>
              <th scope="col">
                <Choice label={t("compare.right")} runs={runs} chosen={right} choose={setRight} />
              </th>
            </tr>
          </thead>
          <tbody>
            {texts && (
              <tr className="compare-texts">
                <th scope="row">
                  {t("compare.text")}
                  {texts.by === "sentence" && <span className="small">{t("compare.bySentence")}</span>}
                </th>
                <td>
                  <Text pieces={texts.left} only="del" />
                </td>
                <td>
                  <Text pieces={texts.right} only="ins" />
                </td>
              </tr>
            )}
            {rows?.map(([name, value, another]) => (
              <tr key={name} data-differs={value !== another}>
                <th scope="row">{name}</th>
                <td>{value}</td>
                <td>{another}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="buttons end">
        <button type="button" onClick={close}>
          {t("common.close")}
        </button>
      </div>
    </>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly runs: readonly ListedRun[];
  readonly chosen: number;
  readonly choose: (id: number) => void;
}

function Choice({ label, runs, chosen, choose }: ChoiceProps) {
  return (
    <select aria-label={label} value={chosen} onChange={({ target }) => choose(Number(target.value))}>
      {runs.map((run) => (
        <option key={run.id} value={run.id}>
          {runName(run)}
        </option>
      ))}
    </select>
  );
}

function Text({ pieces, only: Only }: { pieces: readonly Piece[]; only: "del" | "ins" }) {
  return (
    <p>
      {pieces.map(({ text, own }, place) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: a piece is its place
        own ? <Only key={place}>{text}</Only> : <span key={place}>{text}</span>,
      )}
    </p>
  );
}

function useStoredRun(id: number): [StoredRun | undefined, string | undefined] {
  const [run, setRun] = useState<StoredRun>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let current = true;
    void precis()
      .libraryRun({ id })
      .then((outcome) => {
        if (!current) return;
        setRun(outcome.ok ? outcome.value : undefined);
        if (!outcome.ok) setProblem(translated(outcome.error.message));
        else setProblem(outcome.value ? undefined : t("compare.deleted"));
      });
    return () => {
      current = false;
    };
  }, [id]);
  return [run, problem];
}

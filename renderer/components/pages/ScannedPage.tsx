import { type ReactNode, useEffect, useState } from "react";
import type { Outcome, PageText } from "../../../electron/contract.js";
import { t } from "../../../electron/language.js";
import { formatFraction } from "../../view/format.js";
import type { Marks } from "./marks.js";
import { TextPage } from "./TextPage.js";

interface Props {
  readonly number: number;
  /** The recogniser's own, 0..1. */
  readonly confidence: number;
  readonly textOf: (page: number) => Promise<Outcome<PageText>>;
  readonly marks: Marks;
  /** Its picture. */
  readonly children: ReactNode;
}

/** A page that is a picture, or the words that were recognised in it: what is found or cited can be marked only there. */
export function ScannedPage({ number, confidence, textOf, marks, children }: Props) {
  const [asText, setAsText] = useState(false);
  const { current, target } = marks;
  useEffect(() => {
    if (current?.page === number || (target?.page === number && target.passage !== undefined)) setAsText(true);
  }, [number, current, target]);
  return (
    <>
      {asText ? <TextPage number={number} textOf={textOf} without={t("pages.noWords")} marks={marks} /> : children}
      <p className="page-note">
        {t("pages.scanned", { confidence: formatFraction(confidence) })}
        <button type="button" className="quiet" onClick={() => setAsText(!asText)}>
          {asText ? t("pages.showPicture") : t("pages.showWords")}
        </button>
      </p>
    </>
  );
}

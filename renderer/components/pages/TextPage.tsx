import { memo, useEffect, useRef, useState } from "react";
import type { Outcome, PageText } from "../../../electron/contract.js";
import { translated } from "../../../electron/translation.js";
import { type Marks, useMarks } from "./marks.js";

interface Props {
  readonly number: number;
  readonly textOf: (page: number) => Promise<Outcome<PageText>>;
  /** Stands where there is no text. */
  readonly without: string;
  readonly marks: Marks;
  /** Hears how high the page is, whenever that changes. */
  readonly onHeight?: (page: number, height: number) => void;
}

/** The words of a page, as they were read out of the document. */
export const TextPage = memo(function TextPage({ number, textOf, without, marks, onHeight }: Props) {
  const [shown, setShown] = useState<Outcome<PageText>>();
  const [words, setWords] = useState<HTMLElement | null>(null);
  const whole = useRef<HTMLDivElement>(null);
  useMarks(number, words, marks);

  useEffect(() => {
    let current = true;
    void textOf(number).then((outcome) => {
      // While the document is opened again, its words stay.
      if (current) setShown((before) => (outcome.ok || !before?.ok ? outcome : before));
    });
    return () => {
      current = false;
    };
  }, [number, textOf]);

  useEffect(() => {
    const element = whole.current;
    if (!shown || !element || !onHeight) return;
    const observer = new ResizeObserver(() => onHeight(number, element.offsetHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, [number, shown, onHeight]);

  if (!shown) return null;
  const text = shown.ok ? shown.value.text : "";
  return (
    <div ref={whole} className="page-text">
      {text === "" ? (
        <p className="page-failed">{shown.ok ? without : translated(shown.error.message)}</p>
      ) : (
        // A new text is a new element, so that marks are made anew.
        <div key={text} className="page-text-words" ref={setWords}>
          {text}
        </div>
      )}
    </div>
  );
});

import { type CSSProperties, useId, useRef } from "react";
import { pageChip, pageName, type Unit } from "../view/format.js";

/** A page that supports a sentence; what it says shows while the chip has the pointer or the focus. */
export function Chip({ page, passage, unit }: { page: number; passage: string | undefined; unit: Unit }) {
  const id = useId();
  const anchor = `--chip-${id.replace(/\W/g, "")}`;
  const preview = useRef<HTMLSpanElement>(null);
  const show = () => preview.current?.togglePopover(true);
  const hide = () => preview.current?.togglePopover(false);
  return (
    <>
      <button
        type="button"
        className="chip"
        aria-label={pageName(page, unit)}
        aria-describedby={passage ? id : undefined}
        popoverTarget={passage ? id : undefined}
        popoverTargetAction="show"
        style={{ anchorName: anchor } as CSSProperties}
        onPointerEnter={show}
        onPointerLeave={hide}
        onFocus={show}
        onBlur={hide}
      >
        {pageChip(page, unit)}
      </button>
      {passage && (
        <span
          ref={preview}
          id={id}
          className="preview"
          popover="auto"
          style={{ positionAnchor: anchor } as CSSProperties}
        >
          <strong>{pageName(page, unit)}</strong> {passage}
        </span>
      )}
    </>
  );
}

/** In place of a page, behind a sentence that has none. */
export function NoSupport({ unit }: { unit: Unit }) {
  const words = `No ${unit} was found that supports this sentence.`;
  return (
    <span className="chip none" title={words}>
      <span aria-hidden="true">no {unit}</span>
      <span className="visually-hidden">({words})</span>
    </span>
  );
}

import { type CSSProperties, useId, useRef } from "react";
import { t } from "../../electron/language.js";
import { usePages } from "../stores/pages.js";
import { useLanguage } from "../stores/settings.js";
import { fileName, pageChip, pageName, type Unit } from "../view/format.js";

/** The document that a sentence is from. */
export interface Source {
  readonly path: string;
  readonly unit: Unit;
  /** There are others, so that it must be named. */
  readonly named: boolean;
}

interface Props {
  readonly page: number;
  readonly passage: string | undefined;
  readonly source: Source;
}

/** A page that supports a sentence: the way there, and what it says while the chip has the pointer or the focus. */
export function Chip({ page, passage, source: { path, unit, named } }: Props) {
  const goTo = usePages((store) => store.goTo);
  useLanguage();
  const id = useId();
  const anchor = `--chip-${id.replace(/\W/g, "")}`;
  const preview = useRef<HTMLSpanElement>(null);
  const show = () => preview.current?.togglePopover(true);
  const hide = () => preview.current?.togglePopover(false);
  const name = named
    ? t("documents.pageOf", { page: pageName(page, unit), file: fileName(path) })
    : pageName(page, unit);
  return (
    <>
      <button
        type="button"
        className="chip"
        aria-label={named ? `${pageChip(page, unit)}, ${fileName(path)}` : undefined}
        aria-describedby={passage ? id : undefined}
        style={{ anchorName: anchor } as CSSProperties}
        onClick={() => goTo(page, passage, path)}
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
          <strong>{name}</strong> {passage}
        </span>
      )}
    </>
  );
}

/** In place of a page, behind a sentence that has none. */
export function NoSupport({ unit }: { unit: Unit }) {
  useLanguage();
  const words = t(`${unit}.noSupport`);
  return (
    <span className="chip none" title={words}>
      <span aria-hidden="true">{t(`${unit}.none`)}</span>
      <span className="visually-hidden">({words})</span>
    </span>
  );
}

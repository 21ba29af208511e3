import { type ReactNode, useEffect, useId, useRef } from "react";

/** A dialog above the window that is shown and hidden from outside; Escape hides it, too. */
export function Sheet({
  title,
  shown,
  close,
  kind,
  children,
}: {
  title: string;
  shown: boolean;
  close: () => void;
  /** Views with lists, and two texts beside each other, have a width of their own. */
  kind?: "wide" | "compare";
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (shown) dialog.current?.showModal();
    else dialog.current?.close();
  }, [shown]);
  return (
    <dialog
      ref={dialog}
      className={kind ? `sheet-dialog ${kind}` : "sheet-dialog"}
      aria-labelledby={titleId}
      onClose={close}
    >
      <h2 id={titleId}>{title}</h2>
      {children}
    </dialog>
  );
}

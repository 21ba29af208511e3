/**
 * Keeps a selection with the words under the pointer. A page's words are placed one by one, with gaps between lines and
 * columns; there, browsers would take the selection to the page's end. While one is made, a pane below the words fills
 * the gaps. It stands in the document right beside the word that was reached last, and that is where a selection goes that
 * ends on it. (The technique is that of pdf.js' own viewer.)
 * @param layer holds the words, each in an element of its own
 */
export function steadySelection(layer: HTMLElement): () => void {
  const pane = document.createElement("div");
  pane.className = "selection-pane";
  const rest = () => {
    delete layer.dataset.selecting;
    layer.append(pane);
  };
  const follow = () => {
    const selection = document.getSelection();
    const { anchorNode, focusNode } = selection ?? {};
    const word = focusNode instanceof Text ? focusNode.parentElement : undefined;
    if (!anchorNode || !focusNode || !word || selection?.isCollapsed || word.parentElement !== layer) return;
    layer.dataset.selecting = "true";
    const backwards = anchorNode.compareDocumentPosition(focusNode) & Node.DOCUMENT_POSITION_PRECEDING;
    if (backwards) word.before(pane);
    else word.after(pane);
  };
  const begin = () => {
    layer.dataset.selecting = "true";
  };
  rest();
  layer.addEventListener("pointerdown", begin);
  document.addEventListener("selectionchange", follow);
  document.addEventListener("pointerup", rest);
  window.addEventListener("blur", rest);
  return () => {
    layer.removeEventListener("pointerdown", begin);
    document.removeEventListener("selectionchange", follow);
    document.removeEventListener("pointerup", rest);
    window.removeEventListener("blur", rest);
  };
}

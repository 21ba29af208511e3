import { Fragment, memo, type ReactNode } from "react";
import { type Block, type Inline, proseOf, type SummaryResult } from "../../electron/contract.js";
import type { Unit } from "../view/format.js";
import { Chip, NoSupport } from "./Chip.js";

type Citations = SummaryResult["citations"];
const none: Citations = [];

interface Props {
  readonly text: string;
  readonly citations?: Citations;
  /** What the document's pages are called. */
  readonly unit?: Unit;
  /** Shows where the next word will come. */
  readonly writing?: boolean;
}

/** An answer, as the exports read it: a summary has no business leading anywhere, so links show only their words. */
export const Prose = memo(function Prose({ text, citations = none, unit = "page", writing = false }: Props) {
  return (
    <article className="prose" data-writing={writing} aria-busy={writing}>
      <Blocks blocks={proseOf({ text, citations })} unit={unit} />
    </article>
  );
});

/** Blocks and the pieces of a line only grow at their end, so each is known by its place. */
function Blocks({ blocks, unit }: { blocks: readonly Block[]; unit: Unit }) {
  return blocks.map((block, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a block is its place
    <Fragment key={index}>{blockOf(block, unit)}</Fragment>
  ));
}

function blockOf(block: Block, unit: Unit): ReactNode {
  switch (block.kind) {
    case "heading": {
      // The window has its own h1 and h2.
      const Heading = `h${Math.min(6, block.level + 1)}` as "h3";
      return <Heading>{sentencesOf(block.inlines, unit)}</Heading>;
    }
    case "paragraph":
      return <p>{sentencesOf(block.inlines, unit)}</p>;
    case "list": {
      const items = block.items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place
        <li key={index}>{itemOf(item, unit)}</li>
      ));
      return block.start === undefined ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
    case "quote":
      return (
        <blockquote>
          <Blocks blocks={block.blocks} unit={unit} />
        </blockquote>
      );
    case "code":
      return (
        <pre>
          <code>{sentencesOf(block.inlines, unit)}</code>
        </pre>
      );
    case "rule":
      return <hr />;
  }
}

/** An item's first paragraph needs no element of its own. */
function itemOf(item: readonly Block[], unit: Unit): ReactNode {
  const [first, ...rest] = item;
  if (first?.kind !== "paragraph") return <Blocks blocks={item} unit={unit} />;
  return (
    <>
      {sentencesOf(first.inlines, unit)}
      <Blocks blocks={rest} unit={unit} />
    </>
  );
}

/** The pieces of a line: each citation is of what stands between it and the one before. */
function sentencesOf(inlines: readonly Inline[], unit: Unit): ReactNode {
  const shown: ReactNode[] = [];
  let sentence: ReactNode[] = [];
  for (const [index, inline] of inlines.entries()) {
    if (inline.kind !== "citation") sentence.push(<Fragment key={index}>{pieceOf(inline)}</Fragment>);
    else if (inline.pages.length === 0) {
      shown.push(
        <Fragment key={index}>
          <span className="unsupported">{sentence}</span>
          <NoSupport unit={unit} />
        </Fragment>,
      );
      sentence = [];
    } else {
      const chips = inline.pages.map((page, at) => (
        <Chip key={page} page={page} passage={inline.passages?.[at]} unit={unit} />
      ));
      shown.push(
        <Fragment key={index}>
          {sentence}
          {chips}
        </Fragment>,
      );
      sentence = [];
    }
  }
  return [...shown, ...sentence];
}

function pieceOf(inline: Exclude<Inline, { kind: "citation" }>): ReactNode {
  if (inline.kind === "break") return <br />;
  let piece: ReactNode = inline.text;
  if (inline.code) piece = <code>{piece}</code>;
  if (inline.emphasis) piece = <em>{piece}</em>;
  return inline.strong ? <strong>{piece}</strong> : piece;
}

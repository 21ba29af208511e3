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

type Piece = Exclude<Inline, { kind: "citation" }>;

/** The pieces of a line: each citation is of what stands between it and the one before. */
function sentencesOf(inlines: readonly Inline[], unit: Unit): ReactNode {
  const shown: ReactNode[] = [];
  let sentence: Piece[] = [];
  for (const [index, inline] of inlines.entries()) {
    if (inline.kind !== "citation") {
      sentence.push(inline);
      continue;
    }
    const { pages, passages } = inline;
    shown.push(
      <Fragment key={index}>
        {pages.length === 0 ? <Unsupported sentence={sentence} unit={unit} /> : <Pieces pieces={sentence} />}
        {pages.map((page, at) => (
          <Chip key={page} page={page} passage={passages?.[at]} unit={unit} />
        ))}
      </Fragment>,
    );
    sentence = [];
  }
  return [...shown, <Pieces key="rest" pieces={sentence} />];
}

/** The space before the sentence is no part of it. */
function Unsupported({ sentence, unit }: { sentence: readonly Piece[]; unit: Unit }) {
  const [first, ...rest] = sentence;
  const space = first?.kind === "text" && /^\s/.test(first.text) ? " " : "";
  const pieces = first?.kind === "text" ? [{ ...first, text: first.text.trimStart() }, ...rest] : sentence;
  return (
    <>
      {space}
      <span className="unsupported">
        <Pieces pieces={pieces} />
      </span>
      <NoSupport unit={unit} />
    </>
  );
}

function Pieces({ pieces }: { pieces: readonly Piece[] }) {
  return pieces.map((piece, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a piece is its place
    <Fragment key={index}>{pieceOf(piece)}</Fragment>
  ));
}

function pieceOf(inline: Piece): ReactNode {
  if (inline.kind === "break") return <br />;
  let piece: ReactNode = inline.text;
  if (inline.code) piece = <code>{piece}</code>;
  if (inline.emphasis) piece = <em>{piece}</em>;
  return inline.strong ? <strong>{piece}</strong> : piece;
}

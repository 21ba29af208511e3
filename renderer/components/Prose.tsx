import { Fragment, memo, type ReactNode } from "react";
import type { SummaryResult } from "../../electron/contract.js";
import { type Block, type Inline, proseOf } from "../../electron/core.js";
import { Chip, NoSupport, type Source } from "./Chip.js";

/** What is told of an answer's sentences, and of the documents that they are from. */
type Cited = Pick<SummaryResult, "citations" | "document" | "furtherDocuments">;

interface Props {
  readonly text: string;
  /** What the text is of, once that is known: its citations. */
  readonly result?: Cited;
  /** Shows where the next word will come. */
  readonly writing?: boolean;
}

/** An answer, as the exports read it: a summary has no business leading anywhere, so links show only their words. */
export const Prose = memo(function Prose({ text, result, writing = false }: Props) {
  const sources = result ? [result.document, ...result.furtherDocuments] : [];
  return (
    <article className="prose" data-writing={writing} aria-busy={writing}>
      <Blocks blocks={proseOf({ text, citations: result?.citations ?? [] })} sources={sources.map(sourceOf)} />
    </article>
  );
});

const sourceOf = ({ path, coverage }: SummaryResult["document"], _index: number, all: readonly unknown[]): Source => ({
  path,
  unit: coverage.unit,
  named: all.length > 1,
});

/** Blocks and the pieces of a line only grow at their end, so each is known by its place. */
function Blocks({ blocks, sources }: { blocks: readonly Block[]; sources: readonly Source[] }) {
  return blocks.map((block, index) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a block is its place
    <Fragment key={index}>{blockOf(block, sources)}</Fragment>
  ));
}

function blockOf(block: Block, sources: readonly Source[]): ReactNode {
  switch (block.kind) {
    case "heading": {
      // The window has its own h1 and h2.
      const Heading = `h${Math.min(6, block.level + 1)}` as "h3";
      return <Heading dir="auto">{sentencesOf(block.inlines, sources)}</Heading>;
    }
    case "paragraph":
      return <p dir="auto">{sentencesOf(block.inlines, sources)}</p>;
    case "list": {
      const items = block.items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place
        <li key={index} dir="auto">
          {itemOf(item, sources)}
        </li>
      ));
      return block.start === undefined ? (
        <ul dir="auto">{items}</ul>
      ) : (
        <ol dir="auto" start={block.start}>
          {items}
        </ol>
      );
    }
    case "quote":
      return (
        <blockquote dir="auto">
          <Blocks blocks={block.blocks} sources={sources} />
        </blockquote>
      );
    case "code":
      return (
        <pre>
          <code>{sentencesOf(block.inlines, sources)}</code>
        </pre>
      );
    case "rule":
      return <hr />;
  }
}

/** An item's first paragraph needs no element of its own. */
function itemOf(item: readonly Block[], sources: readonly Source[]): ReactNode {
  const [first, ...rest] = item;
  if (first?.kind !== "paragraph") return <Blocks blocks={item} sources={sources} />;
  return (
    <>
      {sentencesOf(first.inlines, sources)}
      <Blocks blocks={rest} sources={sources} />
    </>
  );
}

type Piece = Exclude<Inline, { kind: "citation" }>;

/** The pieces of a line: each citation is of what stands between it and the one before. */
function sentencesOf(inlines: readonly Inline[], sources: readonly Source[]): ReactNode {
  const shown: ReactNode[] = [];
  let sentence: Piece[] = [];
  for (const [index, inline] of inlines.entries()) {
    if (inline.kind !== "citation") {
      sentence.push(inline);
      continue;
    }
    const { pages, passages, document = 0 } = inline;
    const source = sources[document];
    if (!source) continue;
    const chips = pages.map((page, at) => <Chip key={page} page={page} passage={passages?.[at]} source={source} />);
    const beside = chips.length === 0 ? <NoSupport unit={source.unit} /> : chips.slice(0, mostBeside);
    shown.push(
      <Fragment key={index}>
        <Sentence pieces={sentence} supported={chips.length > 0} beside={beside} />
        {chips.slice(mostBeside)}
      </Fragment>,
    );
    sentence = [];
  }
  return [...shown, <Pieces key="rest" pieces={sentence} />];
}

interface SentenceProps {
  readonly pieces: readonly Piece[];
  readonly supported: boolean;
  /** What never begins a line, but stays beside the last word. */
  readonly beside: ReactNode;
}

/** Chips of one sentence that stay together: more might be wider than the pane. */
const mostBeside = 3;

/** The space before the sentence is no part of it. */
function Sentence({ pieces, supported, beside }: SentenceProps) {
  const [first, ...rest] = pieces;
  const begun = first?.kind === "text" ? first.text.trimStart() : "";
  const space = first?.kind === "text" && begun !== first.text ? " " : "";
  const [before, last] = lastWord(first?.kind === "text" ? [{ ...first, text: begun }, ...rest] : pieces);
  const tone = supported ? undefined : "unsupported";
  return (
    <>
      {space}
      <span className={tone}>
        <Pieces pieces={before} />
      </span>
      <span className="tied">
        <span className={tone}>
          <Pieces pieces={last} />
        </span>
        {beside}
      </span>
    </>
  );
}

/** Parts pieces before their last word; of a language without spaces, before its last mark. */
function lastWord(pieces: readonly Piece[]): readonly [readonly Piece[], readonly Piece[]] {
  const last = pieces.at(-1);
  if (last?.kind !== "text") return [pieces, []];
  const at = last.text.search(/[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,24}$/u);
  if (at < 0) return [pieces, []];
  const [head, tail] = [last.text.slice(0, at), last.text.slice(at)];
  return [[...pieces.slice(0, -1), { ...last, text: head }], [{ ...last, text: tail }]];
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

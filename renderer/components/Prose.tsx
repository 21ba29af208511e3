import { memo } from "react";
import Markdown, { type Components } from "react-markdown";

/** A summary has no business leading anywhere: links show their words, pictures their description. */
const components: Components = {
  a: ({ children }) => <span className="dead-link">{children}</span>,
  img: ({ alt }) => <span>{alt}</span>,
  // The page has its own h1 and h2.
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
};

/** Rendered Markdown without raw HTML; `writing` shows where the next word will come. */
export const Prose = memo(function Prose({ text, writing = false }: { text: string; writing?: boolean }) {
  return (
    <article className="prose" data-writing={writing} aria-busy={writing}>
      <Markdown skipHtml components={components}>
        {text}
      </Markdown>
    </article>
  );
});

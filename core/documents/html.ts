import { Readability } from "@mozilla/readability";
import { said } from "../said.js";
import type { Source, SourceDocument } from "./document.js";
import { decodeText } from "./encoding.js";
import { type HtmlText, htmlBlocks } from "./markup.js";
import { fileTitle, sectionsOf } from "./text.js";
import { declaredEncoding } from "./zip.js";

/** Beyond these the article is not looked for and all text is read: the search takes a tree in memory. */
const ARTICLE_LIMITS = { elements: 50_000, depth: 200 };

/**
 * Reads an HTML page as a browser's reading view shows it: the article without navigation, advertisements and footers,
 * which a warning states; where no article is found, all of its text. Scripts never run, nothing is fetched. Its pages
 * are sections.
 */
export async function readHtml({ path, bytes }: Source, signal?: AbortSignal): Promise<SourceDocument> {
  const { text: html, warnings } = decodeText(bytes, declaredEncoding(bytes));
  const whole = await htmlBlocks(html, { signal });
  const article = await articleOf(html, whole, signal);
  const left = article === undefined ? 0 : words(whole) - words(article);
  if (left > 0) {
    warnings.push(said`Only the article was read: ${left} words around it (menus, notices, footers) were left out.`);
  }
  const { blocks } = article ?? whole;
  return { path, title: whole.title || fileTitle(path), kind: "html", ...sectionsOf(blocks), warnings };
}

async function articleOf(html: string, whole: HtmlText, signal?: AbortSignal): Promise<HtmlText | undefined> {
  if (whole.elements > ARTICLE_LIMITS.elements || whole.depth > ARTICLE_LIMITS.depth) return undefined;
  const { parseHTML } = await import("linkedom");
  const { document } = parseHTML(html);
  const content = new Readability(document as unknown as Document).parse()?.content;
  if (!content) return undefined;
  const article = await htmlBlocks(content, { signal });
  // A list of entries or a form is no article: what Readability then picks is a small part of it.
  return words(article) * 2 >= words(whole) ? withHeadline(article, whole) : undefined;
}

/** Readability takes the headline out of the article, as a browser shows it above. */
function withHeadline(article: HtmlText, whole: HtmlText): HtmlText {
  const headline = whole.blocks.find((block) => block.heading);
  if (headline === undefined || article.blocks.some((block) => block.text === headline.text)) return article;
  return { ...article, blocks: [headline, ...article.blocks] };
}

function words({ blocks }: HtmlText): number {
  return blocks.reduce((sum, block) => sum + block.text.split(/\s+/).length, 0);
}

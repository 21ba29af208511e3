/**
 * What files of the readable formats are usually called, without the dot: for dialogs and for finding documents among
 * arguments. Which format a file has, its content says (sniff.ts).
 */
export const extensions = ["pdf", "docx", "pptx", "odt", "epub", "html", "htm", "xhtml", "md", "markdown", "txt"];

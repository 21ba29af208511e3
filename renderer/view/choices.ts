/** What can be chosen for a summary, as menus name it. */

export const lengths = [
  ["short", "Short"],
  ["medium", "Medium"],
  ["long", "Long"],
] as const;

export const styles = [
  ["paragraph", "Running text"],
  ["bullets", "Bullet points"],
  ["executive", "Executive summary"],
  ["chapters", "Chapter by chapter"],
] as const;

/** Languages that a summary can be asked for in. */
export const languages: readonly string[] = [
  "English",
  "Arabic",
  "Chinese",
  "Dutch",
  "French",
  "German",
  "Hindi",
  "Italian",
  "Japanese",
  "Korean",
  "Polish",
  "Portuguese",
  "Russian",
  "Spanish",
  "Turkish",
  "Ukrainian",
];

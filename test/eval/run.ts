/** `npm run eval -- NAME [options]`: docs/eval/README.md says what there is. */
await import(process.argv[2] === "citations" ? "./citations.js" : "./compression.js");

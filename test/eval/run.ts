/** `npm run eval -- NAME [options]`: docs/eval/README.md says what there is. */
const apart = ["citations", "follow"];
const name = process.argv[2] ?? "";
await import(apart.includes(name) ? `./${name}.js` : "./compression.js");

/** `npm run eval -- NAME [--quick]`: runs one evaluation by name. */
const evaluations = ["needle"] as const;

const name = process.argv[2];
if (!(evaluations as readonly (string | undefined)[]).includes(name)) {
  console.error(`usage: npm run eval -- ${evaluations.join("|")} [--quick]`);
  process.exit(2);
}
await import(`./${name}.ts`);

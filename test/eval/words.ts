/** The words that generated questions are made of. None of them stands in the sample report as it is used here. */
import type { Random } from "./random.js";

const sides = ["north", "south", "east", "west", "upper", "lower", "inner", "outer", "old", "new"] as const;
const buildings = ["archive", "granary", "chapel", "foundry", "observatory", "brewery", "library", "armoury"] as const;
const firstNames = ["Amara", "Bertil", "Chiyo", "Dragan", "Eluned", "Farid", "Greta", "Hamish", "Ioana", "Joaquin"];
const lastNames = ["Abernathy", "Borowski", "Castellano", "Dunkley", "Eriksen", "Fontaine", "Gallagher", "Hashimoto"];
const months = ["January", "March", "April", "June", "August", "September", "October", "November"] as const;

/** "north archive": `count` different ones. */
export function places(random: Random, count: number): string[] {
  return random.draw(
    sides.flatMap((side) => buildings.map((building) => `${side} ${building}`)),
    count,
  );
}

/** Five digits. */
export function number(random: Random): string {
  return String(random.whole(10_000, 99_999));
}

export function person(random: Random): string {
  return `${random.pick(firstNames)} ${random.pick(lastNames)}`;
}

/** A day and the ways in which it may be written. */
export function day(random: Random): { readonly text: string; readonly spellings: readonly string[] } {
  const [date, month, year] = [random.whole(1, 28), random.pick(months), random.whole(1871, 1964)];
  const text = `${date} ${month} ${year}`;
  return { text, spellings: [text, `${month} ${date}, ${year}`, `${month} ${date} ${year}`] };
}

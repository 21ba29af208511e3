/**
 * A policy's defaults with some of them replaced.
 * @throws RangeError for a setting that the policy does not have: it would otherwise be ignored without a word
 */
export function withDefaults<T extends object>(policy: string, defaults: T, settings: Partial<T>): T {
  for (const name of Object.keys(settings)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new RangeError(`${policy} has no setting "${name}"; it has: ${Object.keys(defaults).join(", ") || "none"}`);
    }
  }
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

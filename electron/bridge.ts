/**
 * What main and the preload share. The names that the bridge carries reach the preload among its process' arguments: the
 * contract itself (electron/contract.ts) with all its checks would be built up in it before every first frame.
 */

/** The channel of a command or an event. */
export const channelOf = (name: string): string => `precis:${name}`;

const argument = "--precis-bridge=";

export interface BridgeNames {
  readonly commands: readonly string[];
  readonly events: readonly string[];
}

export const bridgeArgument = ({ commands, events }: BridgeNames): string =>
  `${argument}${commands.join()};${events.join()}`;

export function bridgeNames(args: readonly string[]): BridgeNames {
  const found = args.find((each) => each.startsWith(argument)) ?? argument;
  const [commands = [], events = []] = found
    .slice(argument.length)
    .split(";")
    .map((names) => names.split(",").filter(Boolean));
  return { commands, events };
}

import type { BrokerTab, BrokerView } from "../index.ts";

/** How each broker is reached, by its id; links know brokers by the peer id of their tab. */
export function pathsByBroker(
  links: ReturnType<BrokerTab["linkPaths"]>,
  brokers: readonly BrokerView[],
): ReadonlyMap<number, string> {
  const paths = new Map<string, string>(links.map(({ peer, path }) => [peer, path]));
  // A direct link counts for more than a relayed one: one of either side's dials has shown that there can be one.
  for (const { peer, path } of links) if (path === "direct") paths.set(peer, path);
  return new Map(
    brokers.flatMap(({ nodeId, host }) => {
      const path = paths.get(host);
      return path === undefined ? [] : [[nodeId, path] as const];
    }),
  );
}

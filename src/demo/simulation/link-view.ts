import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";

/** `control` leads to the server, `copy` is between tabs, `client` is everything else. */
export type LinkKind = "control" | "copy" | "client";

export interface LinkView {
  /** The lesser name of the two. */
  readonly one: string;
  readonly two: string;
  readonly kind: LinkKind;
  readonly isOpen: boolean;
  /** One end takes the link for open and the other one does not. */
  readonly isHalfOpen: boolean;
  /** It runs through the relay, not directly. */
  readonly isRelayed: boolean;
  /** Directions in which nothing gets through. */
  readonly cutWays: readonly (readonly [from: string, to: string])[];
  /** The greater factor of both directions. */
  readonly slowness: number;
}

export function linkKind(one: string, two: string): LinkKind {
  if (one === "server" || two === "server") return "control";
  return isTab(one) && isTab(two) ? "copy" : "client";
}

/** All that is worth a line between two nodes. `clientSeen` is told of every client that has a connection. */
export function linkViews({ network, tabs }: SimulatedCluster, clientSeen: (name: string) => void): LinkView[] {
  const open = new Map<string, { readonly one: string; readonly two: string; isHalfOpen: boolean }>();
  const nodes = new Set(["server", ...tabs.map(({ name }) => name)]);
  for (const { node, other, isOpen } of network.ends()) {
    if (!isOpen) continue;
    const [one, two] = node < other.node ? [node, other.node] : [other.node, node];
    const key = `${one}|${two}`;
    const known = open.get(key);
    const isHalfOpen = !other.isOpen;
    if (known === undefined) open.set(key, { one, two, isHalfOpen });
    else known.isHalfOpen &&= isHalfOpen;
    for (const name of [one, two]) if (isClient(name)) clientSeen(name);
    nodes.add(one).add(two);
  }
  const names = [...nodes].sort();
  return names.flatMap((one, index) =>
    names.slice(index + 1).flatMap((two) => {
      const link = open.get(`${one}|${two}`);
      const kind = linkKind(one, two);
      const ways = [[one, two], [two, one]] as const;
      const cutWays = ways.filter(([from, to]) => network.isCut(from, to));
      const slowness = Math.max(network.slowness(one, two), network.slowness(two, one));
      if (link === undefined && cutWays.length === 0 && slowness === 1) return [];
      const isHalfOpen = link?.isHalfOpen === true;
      const isRelayed = network.isRelayed(one, two);
      return [{ one, two, kind, isOpen: link !== undefined, isHalfOpen, isRelayed, cutWays, slowness }];
    }),
  );
}

function isTab(name: string): boolean {
  return /^tab-\d+$/.test(name);
}

/** Not those that come for one request, such as who makes the topic. */
function isClient(name: string): boolean {
  return !isTab(name) && name !== "server" && name !== "admin";
}

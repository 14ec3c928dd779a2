import type { Connection } from "../../runtime/connection.ts";
import type { PeerLinks } from "./peer-links.ts";
import type { ServerAddress } from "./server-address.ts";

/** A broker in this very page, as the clients of the page find it. */
export interface LocalBroker extends ServerAddress {
  readonly peer: string;
  openLocal(onClosed?: () => void): Promise<Connection>;
  /** Shared with the page's clients, which make a second link to a tab only where this is undefined: it cannot now. */
  linksTo(peer: string): PeerLinks | undefined;
}

const brokers = new Set<LocalBroker>();

export function addLocalBroker(broker: LocalBroker): () => void {
  brokers.add(broker);
  return () => void brokers.delete(broker);
}

export function localBroker(matches: (broker: LocalBroker) => boolean): LocalBroker | undefined {
  return [...brokers].find(matches);
}

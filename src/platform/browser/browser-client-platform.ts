import type { ClientPlatform } from "../../runtime/client-platform.ts";
import type { Connection } from "../../runtime/connection.ts";
import { TAB_LISTENER } from "../../runtime/connection.ts";
import { browserClock } from "./browser-clock.ts";
import { ControllerSocket } from "./controller-socket.ts";
import { dataChannelConnection } from "./data-channel-connection.ts";
import { LinkPaths } from "./link-paths.ts";
import { localBroker } from "./local-brokers.ts";
import { PageEnd } from "./page-end.ts";
import { PeerLinks } from "./peer-links.ts";
import { randomUuid } from "./random-uuid.ts";
import type { ServerAddress } from "./server-address.ts";
import { clusterUrl, relayUrl } from "./server-address.ts";
import { TabDialer } from "./tab-dialer.ts";

export interface BrowserClientOptions extends ServerAddress {
  readonly iceServers?: readonly RTCIceServer[];
  /** Never links tabs directly. */
  readonly relayOnly?: boolean;
}

/** The home of an SDK client in a page: a socket and links of its own, or those of a broker in the same page. */
export function browserClientPlatform(options: BrowserClientOptions): ClientPlatform {
  const tab = { peer: randomUuid(), key: randomUuid() };
  const direct = options.relayOnly !== true && "RTCPeerConnection" in globalThis;
  const paths = new LinkPaths();
  const opened = new Set<Connection>();
  const pageEnd = new PageEnd();
  const socket = new ControllerSocket(clusterUrl(options, tab), (message) => {
    if (message.type === "signal") ownLinks.onSignal(message.from, message.signal);
    if (message.type === "unreachable") ownLinks.onUnreachable(message.to);
    dialer.onSignaling(message);
  });
  const ownLinks = new PeerLinks({
    peer: tab.peer,
    iceServers: options.iceServers ?? [],
    sendSignal: (to, signal) => socket.signal({ type: "signal", to, signal }),
    acceptor: () => undefined,
  });
  const dialer = new TabDialer({
    dialDirect: direct ? (peer, listener) => dialDirect(sharedLinks(options) ?? ownLinks, peer, listener) : undefined,
    relayUrl: (relayId) => relayUrl(options, relayId),
    serverConnected: () => socket.connected,
    signal: (message) => socket.signal(message),
    accept: undefined,
    paths,
  });

  async function dialDirect(links: PeerLinks, peer: string, listener: string): Promise<Connection> {
    let connection: Connection | undefined;
    await links.open(peer, listener, ({ channel, released }) => {
      const uncount = paths.opened(peer, "direct");
      const end = dataChannelConnection(channel, {
        onClosed: () => {
          opened.delete(end.connection);
          uncount();
          released();
        },
      });
      connection = end.connection;
      opened.add(connection);
      return end.lost;
    });
    return connection!;
  }

  return {
    clock: browserClock,
    controller: socket,
    async dial({ host }, listener = TAB_LISTENER) {
      const here = localBroker(({ peer }) => peer === host);
      if (here === undefined) return dialer.dial(host, listener);
      const connection = await here.openLocal();
      opened.add(connection);
      return connection;
    },
    randomUuid,
    random: Math.random,
    watchPage: pageEnd.watch,
    close() {
      for (const connection of [...opened]) connection.close("the client was closed");
      dialer.close("the client was closed");
      ownLinks.close();
      socket.close();
    },
  };
}

function sharedLinks({ serverUrl, cluster }: ServerAddress): PeerLinks | undefined {
  return localBroker((broker) => broker.serverUrl === serverUrl && broker.cluster === cluster)?.links;
}

import { TAB_LISTENER } from "../../metadata/listener-names.ts";
import type { ClientPlatform } from "../../runtime/client-platform.ts";
import type { Connection } from "../../runtime/connection.ts";
import { browserClock } from "./browser-clock.ts";
import { ControllerSocket } from "./controller-socket.ts";
import type { DirectLinks } from "./direct-links.ts";
import { localBroker } from "./local-brokers.ts";
import { PageEnd } from "./page-end.ts";
import type { PeerLinks } from "./peer-links.ts";
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
  const opened = new Set<Connection>();
  const pageEnd = new PageEnd();
  let links: DirectLinks | undefined;
  let isClosed = false;
  const socket = new ControllerSocket(clusterUrl(options, tab), (message) => {
    if (message.type === "signal") links?.onSignal(message.from, message.signal);
    if (message.type === "unreachable") links?.onUnreachable(message.to);
    dialer.onSignaling(message);
  });
  const loading = direct ? loadLinks() : undefined;
  // Without them, the relay is left; whoever dials hears of the reason.
  loading?.catch(() => {});
  const dialer = new TabDialer({
    dialDirect: loading && (async (peer, listener) => (await loading).dial(peer, listener)),
    relayUrl: (relayId) => relayUrl(options, relayId),
    serverConnected: () => socket.connected,
    signal: (message) => socket.signal(message),
    accept: undefined,
    // A record that went without an answer might be stored twice.
    redials: false,
    paths: undefined,
  });

  async function loadLinks(): Promise<DirectLinks> {
    const { DirectLinks: Loaded } = await import("./direct-links.ts");
    links = new Loaded({
      peer: tab.peer,
      iceServers: options.iceServers ?? [],
      sendSignal: (to, signal) => socket.signal({ type: "signal", to, signal }),
      shared: (peer) => sharedLinks(options, peer),
    });
    if (isClosed) links.close();
    return links;
  }

  return {
    clock: browserClock,
    controller: socket,
    async dial({ host }, listener = TAB_LISTENER) {
      const here = localBroker(({ peer }) => peer === host);
      if (here === undefined) return dialer.dial(host, listener);
      const connection = await here.openLocal(() => opened.delete(connection));
      opened.add(connection);
      if (isClosed) connection.close("the client was closed");
      return connection;
    },
    randomUuid,
    random: Math.random,
    watchPage: pageEnd.watch,
    close() {
      for (const connection of [...opened]) connection.close("the client was closed");
      dialer.close("the client was closed");
      isClosed = true;
      links?.close();
      socket.close();
    },
  };
}

function sharedLinks({ serverUrl, cluster }: ServerAddress, peer: string): PeerLinks | undefined {
  return localBroker((broker) => broker.serverUrl === serverUrl && broker.cluster === cluster)?.linksTo(peer);
}

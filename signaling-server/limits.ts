/** What one server takes on. Each limit bounds work or memory that a stranger could otherwise cause. */
export interface Limits {
  /** Clusters that are open at once. One that nobody uses is closed after `idleClusterMs`, and kept on disk. */
  readonly clusters: number;
  /** Clusters on disk. One in which nobody ever was gives way to another. */
  readonly storedClusters: number;
  readonly peersPerCluster: number;
  /** Connections to the HTTP port, WebSockets among them: of all addresses, and of one. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** How long a request may take to come: the part before its body, and all of it. */
  readonly requestHeadMs: number;
  readonly requestMs: number;
  /** A client that takes nothing of its answer for so long loses the connection. */
  readonly unreadAnswerMs: number;
  /** Of both kinds, clusters' and relays', from one network address. */
  readonly socketsPerAddress: number;
  /** Pairs of sockets, of all addresses. One address has sockets for half of them. */
  readonly relays: number;
  /** Relays that one tab has asked others to join, until they end. */
  readonly relaysPerTab: number;
  /** Sockets that came to a relay before the word of the tab that asks for it. The oldest gives way. */
  readonly unannouncedRelays: number;
  /** One message in either direction of a relay, and one Kafka frame towards the controller. */
  readonly messageBytes: number;
  readonly textBytes: number;
  /** Of one cluster socket. A tab may answer offers of 200 links at once: with six texts each, and room to spare. */
  readonly textRate: Rate;
  readonly frameRate: Rate;
  /** Text and frames together. */
  readonly byteRate: Rate;
  /** A cluster socket that lets more than this wait to be sent is closed. */
  readonly queuedBytes: number;
  /** A peer that lets more than this wait gets no more signals: it counts as unreachable. */
  readonly queuedBytesForSignals: number;
  /** A relay reads no more from one side while more than this waits to be sent to the other. */
  readonly queuedBytesInRelay: number;
  readonly pingIntervalMs: number;
  /** A peer that says nothing for so long is dropped. It answers every ping, unless its page is frozen. */
  readonly silenceMs: number;
  /**
   * A tab that connected again is not dead: for so long the controller does not hear that its old socket closed, and
   * hears the tab on the new one meanwhile. Less than a broker's session.
   */
  readonly replacedSocketMs: number;
  /** How long a relay may take from its announcement, or its first socket, to its second socket. */
  readonly relayPairingMs: number;
  readonly relayIdleMs: number;
  /** TCP connections of Kafka clients: of all addresses, and of one. */
  readonly kafkaSockets: number;
  readonly kafkaSocketsPerAddress: number;
  /**
   * To the brokers of one browser profile. Each takes a WebSocket, and Chromium has 255 of them for all of its tabs
   * together: further ones wait without a word, that of a broker to its controller as well.
   */
  readonly kafkaSocketsPerProfile: number;
  /** Nothing is read from a Kafka client, or for it, while more than this waits to be sent on. */
  readonly queuedBytesInSplice: number;
  /** A Kafka connection on which nothing moves for so long is closed: silent, half open, or never read. */
  readonly kafkaIdleMs: number;
  /** How often Kafka connections are looked over, and ports tried again that could not be opened. */
  readonly kafkaSweepMs: number;
  readonly idleClusterMs: number;
  /** How long a peer's key is remembered after its socket closed, so that no other can take its name meanwhile. */
  readonly keyMemoryMs: number;
}

/** What may come at once, and how fast it may come from then on. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const MINUTE_MS = 60_000;

export const defaultLimits: Limits = {
  clusters: 100,
  storedClusters: 1_000,
  peersPerCluster: 1_000,
  connections: 10_000,
  connectionsPerAddress: 3_000,
  requestHeadMs: 10_000,
  requestMs: 30_000,
  unreadAnswerMs: 30_000,
  socketsPerAddress: 2_000,
  relays: 2_000,
  relaysPerTab: 128,
  unannouncedRelays: 100,
  messageBytes: MIB,
  textBytes: 64 * KIB,
  textRate: { burst: 2_000, perSecond: 100 },
  frameRate: { burst: 2_000, perSecond: 1_000 },
  byteRate: { burst: 16 * MIB, perSecond: 8 * MIB },
  queuedBytes: 16 * MIB,
  queuedBytesForSignals: MIB,
  queuedBytesInRelay: MIB,
  pingIntervalMs: 5_000,
  silenceMs: 20_000,
  replacedSocketMs: 2_000,
  relayPairingMs: 10_000,
  // Kafka's connections.max.idle.ms.
  relayIdleMs: 10 * MINUTE_MS,
  kafkaSockets: 2_000,
  kafkaSocketsPerAddress: 1_000,
  kafkaSocketsPerProfile: 200,
  queuedBytesInSplice: 256 * KIB,
  kafkaIdleMs: 10 * MINUTE_MS,
  kafkaSweepMs: 1_000,
  idleClusterMs: 5 * MINUTE_MS,
  keyMemoryMs: MINUTE_MS,
};

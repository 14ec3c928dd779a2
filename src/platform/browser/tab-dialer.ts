import { KAFKA_LISTENER } from "../../metadata/listener-names.ts";
import type { Connection } from "../../runtime/connection.ts";
import type { ToServer } from "../../runtime/signaling.ts";
import type { Signaling } from "./controller-socket.ts";
import { PeerUnreachableError, describe } from "./errors.ts";
import { OPEN_TIMEOUT_MS } from "./link-control.ts";
import type { LinkPaths } from "./link-paths.ts";
import { randomUuid } from "./random-uuid.ts";
import type { RelayOptions } from "./relay-connection.ts";
import { relayConnection } from "./relay-connection.ts";

/**
 * Opens connections to other tabs: directly where a link opens in time, through the server's relay otherwise. Also
 * joins the relays that others ask this tab to join.
 *
 * Used by the worker of a broker and by the page of a client, which differ in how they come by a direct link.
 */
export interface TabDialerOptions {
  /** Undefined where there is no WebRTC, or it is not wanted. */
  readonly dialDirect: DialDirect | undefined;
  readonly relayUrl: (relayId: string) => string;
  /** Whether the server can be reached: while it cannot, no path opens, which says nothing about the direct one. */
  readonly serverConnected: () => boolean;
  readonly signal: (message: ToServer) => void;
  /** Takes connections that others open through the relay; undefined where none are served. */
  readonly accept: ((connection: Connection, listener: string) => void) | undefined;
  /**
   * Whether whoever dials may lose a connection at any time, repeats what went with it, and dials again. Then a relayed
   * one is ended as soon as a direct one can be had.
   */
  readonly redials: boolean;
  /** Undefined where nobody asks which way connections take. */
  readonly paths: LinkPaths | undefined;
}

export type DialDirect = (peer: string, listener: string) => Promise<Connection>;

/** For how long a peer is not tried directly after that has failed. */
const DIRECT_RETRY_MS = 60_000;

/** How long, at least, a relayed connection is left alone before a direct one is tried; at most it is twice that. */
const RETURN_MS = 5 * 60_000;

/** How many relays other tabs may have this tab join at a time; clients of the Kafka listener take none of these. */
const MAX_ACCEPTED_RELAYS = 256;
const MAX_KAFKA_RELAYS = 512;

/** A tab cannot give every stranger what Kafka's `socket.request.max.bytes` allows. */
const MAX_KAFKA_FRAME_BYTES = 32 * 1024 * 1024;

const RELAY_ID = /^[A-Za-z0-9-]{1,64}$/;

export class TabDialer {
  readonly #options: TabDialerOptions;
  /** Until when, on the monotonic clock, each peer is dialled through the relay at once. */
  readonly #relayUntil = new Map<string, number>();
  readonly #relayDials = new Set<{ readonly peer: string; fail(cause: Error): void }>();
  readonly #relays = new Set<Connection>();
  #acceptedRelays = 0;
  #kafkaRelays = 0;

  constructor(options: TabDialerOptions) {
    this.#options = options;
  }

  async dial(peer: string, listener: string): Promise<Connection> {
    const { dialDirect } = this.#options;
    if (dialDirect === undefined || (this.#relayUntil.get(peer) ?? 0) > performance.now()) {
      return this.#dialRelay(peer, listener);
    }
    try {
      return await inTime(dialDirect(peer, listener));
    } catch (cause) {
      if (cause instanceof PeerUnreachableError) throw cause;
      if (this.#options.serverConnected()) this.#rememberFailure(peer);
      return this.#dialRelay(peer, listener).catch((relayCause: unknown) => {
        const reason = `neither a direct link (${describe(cause)}) nor the relay (${describe(relayCause)}) opened`;
        throw new PeerUnreachableError(reason, { cause: relayCause });
      });
    }
  }

  /** What the server says about relays and unreachable tabs; signals of links are for `PeerLinks`. */
  onSignaling(message: Signaling): void {
    if (message.type === "relay") this.#acceptRelay(message.from, message.relayId, message.listener);
    if (message.type !== "unreachable") return;
    for (const dial of [...this.#relayDials]) {
      if (dial.peer !== message.to) continue;
      dial.fail(new PeerUnreachableError(`no tab ${dial.peer} is connected to the server`));
    }
  }

  close(reason: string): void {
    for (const connection of [...this.#relays]) connection.close(reason);
  }

  async #dialRelay(peer: string, listener: string): Promise<Connection> {
    if (!this.#options.serverConnected()) throw new Error("the relay needs the server, which cannot be reached");
    const relayId = randomUuid();
    this.#options.signal({ type: "relay", to: peer, relayId, listener });
    const { connection, opened } = this.#joinTab(peer, relayId);
    const dial = { peer, fail: (_cause: Error) => {} };
    const unreachable = new Promise<never>((_resolve, reject) => {
      dial.fail = reject;
    });
    this.#relayDials.add(dial);
    try {
      await Promise.race([opened, unreachable]);
      this.#returnToDirect(peer, listener, connection);
      return connection;
    } catch (cause) {
      connection.close(describe(cause));
      throw cause;
    } finally {
      this.#relayDials.delete(dial);
    }
  }

  /** What kept a direct link from opening in time may have passed: a busy page, or a network that was changing. */
  #returnToDirect(peer: string, listener: string, relayed: Connection): void {
    const { dialDirect, redials } = this.#options;
    if (dialDirect === undefined || !redials) return;
    const ask = async () => {
      if (!this.#relays.has(relayed)) return;
      try {
        const direct = await inTime(dialDirect(peer, listener));
        // The link under it stays for a while, and the next dial finds it.
        direct.close("it was opened to see whether there is a way");
        this.#relayUntil.delete(peer);
        relayed.close("a direct link takes its place");
      } catch {
        // There is still no way, and the relayed connection goes on.
        this.#returnToDirect(peer, listener, relayed);
      }
    };
    setTimeout(() => void ask(), RETURN_MS * (1 + Math.random()));
  }

  #acceptRelay(from: string, relayId: string, listener: string): void {
    const { accept } = this.#options;
    if (accept === undefined || !RELAY_ID.test(relayId)) return;
    if (listener === KAFKA_LISTENER) return this.#acceptKafkaClient(from, relayId, accept);
    if (this.#acceptedRelays >= MAX_ACCEPTED_RELAYS) return;
    this.#acceptedRelays++;
    const { connection } = this.#joinTab(from, relayId, () => this.#acceptedRelays--);
    accept(connection, listener);
  }

  /** The other end is no tab but the server, which speaks for a Kafka client: `from` is that client's host and port. */
  #acceptKafkaClient(from: string, relayId: string, accept: (connection: Connection, listener: string) => void): void {
    if (this.#kafkaRelays >= MAX_KAFKA_RELAYS) return;
    this.#kafkaRelays++;
    const { connection } = this.#join(relayId, () => this.#kafkaRelays--, {
      isKafkaClient: true,
      maxFrameBytes: MAX_KAFKA_FRAME_BYTES,
      remoteAddress: from.slice(0, from.lastIndexOf(":")),
    });
    accept(connection, KAFKA_LISTENER);
  }

  #joinTab(peer: string, relayId: string, onClosed: () => void = () => {}) {
    const uncount = this.#options.paths?.opened(peer, "relay");
    return this.#join(relayId, () => {
      uncount?.();
      onClosed();
    });
  }

  #join(relayId: string, onClosed: () => void, options: RelayOptions = {}) {
    const joined = relayConnection(this.#options.relayUrl(relayId), {
      ...options,
      onClosed: () => {
        this.#relays.delete(joined.connection);
        onClosed();
      },
    });
    this.#relays.add(joined.connection);
    return joined;
  }

  #rememberFailure(peer: string): void {
    const now = performance.now();
    for (const [other, until] of this.#relayUntil) if (until <= now) this.#relayUntil.delete(other);
    this.#relayUntil.set(peer, now + DIRECT_RETRY_MS);
  }
}

/** A page that is busy must not hold up its worker, so the deadline is kept here too. */
async function inTime(dialling: Promise<Connection>): Promise<Connection> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not open within ${OPEN_TIMEOUT_MS} ms`)), OPEN_TIMEOUT_MS);
  });
  try {
    return await Promise.race([dialling, late]);
  } catch (cause) {
    dialling.then((connection) => connection.close("it opened too late")).catch(() => {});
    throw cause;
  } finally {
    clearTimeout(timer);
  }
}

import { PeerUnreachableError } from "./errors.ts";
import { PeerLink } from "./peer-link.ts";
import type { TakeChannel } from "./peer-link.ts";
import { randomUuid } from "./random-uuid.ts";

/**
 * The direct links of this tab, at most one in use per other tab, whoever dialled first.
 *
 * When both offer at once, the offer of the lower peer id is the one that both go on with. A link whose channel ids run
 * out is retired: a new one takes its place while its last channels drain.
 */
export interface PeerLinksOptions {
  /** The peer id of this tab. */
  readonly peer: string;
  readonly iceServers: readonly RTCIceServer[];
  readonly sendSignal: (to: string, signal: LinkSignal) => void;
  /** Takes the channels that other tabs open; undefined for a listener that is not served. */
  readonly acceptor: (listener: string) => TakeChannel | undefined;
}

/** What goes through the server. The link id tells signals of a new link from stragglers of an old one. */
export interface LinkSignal {
  readonly link: string;
  readonly signal: unknown;
}

/** Chromium allows 500 RTCPeerConnections per renderer, and counts closed ones until they are collected. */
const MAX_LINKS = 200;

export class PeerLinks {
  readonly #options: PeerLinksOptions;
  /** The link in use, or in the making, with each peer. */
  readonly #current = new Map<string, PeerLink>();
  /** Those and the retired ones, by link id. */
  readonly #all = new Map<string, PeerLink>();
  #closed = false;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
  }

  /**
   * Opens a channel to `peer`, over the link there is or a new one. `take` gets this side's end while it still is
   * connecting; nothing may be sent before the promise resolves. Rejects with PeerUnreachableError when the peer is
   * gone or declines, and with another error when a relay may do better.
   */
  async open(peer: string, listener: string, take: TakeChannel): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const link = this.#link(peer);
      const wasConnected = !link.connecting;
      if ((await link.ready) === "yielded") continue;
      try {
        return await link.open(listener, take);
      } catch (cause) {
        // The other side may have closed an idle link at this very moment.
        const raced = wasConnected && !this.#all.has(link.linkId);
        if (!raced || attempt > 0 || cause instanceof PeerUnreachableError) throw cause;
      }
    }
  }

  /** Whether a channel to `peer` needs no signals. */
  isLinked(peer: string): boolean {
    const link = this.#current.get(peer);
    return link !== undefined && link.usable && !link.connecting;
  }

  /** A signal arrived through the server. What is malformed or belongs to no link is dropped. */
  onSignal(from: string, payload: unknown): void {
    const message = parseSignal(payload);
    if (message === undefined || this.#closed || from === this.#options.peer) return;
    const link = this.#all.get(message.link);
    if (link === undefined) {
      if (message.signal.type === "offer") this.#onOffer(from, message.link, message.signal);
    } else if (link.peer === from) {
      if (message.signal.type === "decline") link.close(new Error(`${from} takes no direct link`));
      else link.signal(message.signal);
    }
  }

  /** The server knows no such tab. A link that is open already may still work, so only those in the making end. */
  onUnreachable(peer: string): void {
    const link = this.#current.get(peer);
    if (link?.connecting === true) link.close(new PeerUnreachableError(`no tab ${peer} is connected to the server`));
  }

  close(): void {
    this.#closed = true;
    for (const link of [...this.#all.values()]) link.close(new Error("this tab closed its links"));
  }

  #link(peer: string): PeerLink {
    const current = this.#current.get(peer);
    if (current?.usable === true) return current;
    if (this.#closed) throw new Error("this tab has closed its links");
    if (this.#all.size >= MAX_LINKS) throw new Error(`this tab has ${MAX_LINKS} links, and makes no more`);
    current?.retire();
    return this.#create(peer, randomUuid(), true);
  }

  #onOffer(from: string, linkId: string, signal: unknown): void {
    const current = this.#current.get(from);
    if (current?.connecting === true && current.initiator && this.#options.peer < from) return;
    if (this.#all.size >= MAX_LINKS) return this.#options.sendSignal(from, { link: linkId, signal: DECLINE });
    const link = this.#create(from, linkId, false);
    if (current?.connecting === true) current.yieldToPeer();
    else current?.retire();
    link.signal(signal);
  }

  #create(peer: string, linkId: string, initiator: boolean): PeerLink {
    const { iceServers, sendSignal, acceptor } = this.#options;
    const link = new PeerLink({
      peer,
      linkId,
      initiator,
      iceServers,
      sendSignal: (signal) => sendSignal(peer, { link: linkId, signal }),
      acceptor,
      ended: (ended) => {
        this.#all.delete(linkId);
        if (this.#current.get(peer) === ended) this.#current.delete(peer);
      },
    });
    this.#all.set(linkId, link);
    this.#current.set(peer, link);
    return link;
  }
}

/** Answers an offer where no link is to be made, so that the dialler turns to the relay at once. */
const DECLINE = { type: "decline" };

/** What a tab that makes no direct links answers to a signal, if anything. */
export function declineOffer(payload: unknown): LinkSignal | undefined {
  const message = parseSignal(payload);
  return message?.signal.type === "offer" ? { link: message.link, signal: DECLINE } : undefined;
}

/** simple-peer also understands requests for media; a peer has no business sending any. */
function parseSignal(payload: unknown): { link: string; signal: Record<string, unknown> } | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const { link, signal } = payload as Record<string, unknown>;
  if (typeof link !== "string" || link.length > 64 || typeof signal !== "object" || signal === null) return undefined;
  const { type, sdp, candidate } = signal as Record<string, unknown>;
  if ((type === "offer" || type === "answer") && typeof sdp === "string") return { link, signal: { type, sdp } };
  const isCandidate = typeof candidate === "object" && candidate !== null;
  if (type === "candidate" && isCandidate) return { link, signal: { type, candidate } };
  return type === "decline" ? { link, signal: { type } } : undefined;
}

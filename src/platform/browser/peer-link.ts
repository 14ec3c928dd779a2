import { PeerUnreachableError, describe } from "./errors.ts";
import type { LinkControl } from "./link-control.ts";
import { OPEN_TIMEOUT_MS, parseLinkControl } from "./link-control.ts";
import { Peer } from "./simple-peer.ts";

/**
 * A channel for one Kafka connection. Its taker attaches listeners, or transfers it to a worker, before the present
 * task ends: a later transfer is refused by the browser, and messages without a listener are gone.
 */
export interface OpenedChannel {
  readonly channel: RTCDataChannel;
  readonly peer: string;
  readonly listener: string;
  /** To be called when the channel has closed. */
  released(): void;
}

/** Takes a channel over; returns what to call when the channel is lost without an event, and must be closed. */
export type TakeChannel = (opened: OpenedChannel) => (reason: string) => void;

export interface PeerLinkOptions {
  readonly peer: string;
  readonly linkId: string;
  readonly initiator: boolean;
  readonly iceServers: readonly RTCIceServer[];
  readonly sendSignal: (signal: unknown) => void;
  /** Takes a channel that the peer opens; undefined when this tab serves no such listener. */
  readonly acceptor: (listener: string) => TakeChannel | undefined;
  /** Called once, last. */
  readonly ended: (link: PeerLink) => void;
}

/** A link without channels costs memory and keep-alive packets at both ends. */
const IDLE_TIMEOUT_MS = 60_000;

/** How many channels one peer may hold open here. Brokers and clients use a handful. */
const MAX_ACCEPTED_CHANNELS = 256;

/** libwebrtc negotiates this many SCTP streams at most. Ids are used once, since a closing stream frees its id late. */
const MAX_CHANNELS = 1024;

/**
 * The RTCPeerConnection between this tab and another. simple-peer's own channel carries {@link LinkControl}; every
 * Kafka connection has a channel of its own beside it, negotiated by id: odd ids are the initiator's, even ones the
 * responder's. The opener makes its end first and uses it only once the other end has answered.
 */
export class PeerLink {
  readonly peer: string;
  readonly linkId: string;
  readonly initiator: boolean;
  /** Rejects when the link could not be made; "yielded" when the peer's offer was taken instead of this one. */
  readonly ready: Promise<"connected" | "yielded">;
  readonly #options: PeerLinkOptions;
  readonly #peer: Peer;
  readonly #channels = new Map<number, LinkChannel>();
  #settleReady: Settle<"connected" | "yielded"> = { resolve: () => {}, reject: () => {} };
  #state: "connecting" | "connected" | "ended" = "connecting";
  #retired = false;
  #nextId: number;
  #lastAcceptedId = 0;
  /** While connecting, the deadline; while unused, the end of the wait for use. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: PeerLinkOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.linkId = options.linkId;
    this.initiator = options.initiator;
    this.#nextId = options.initiator ? 1 : 2;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // Whoever waits for the link hears of a failure; a link that nobody waits for fails in silence.
    this.ready.catch(() => {});
    this.#peer = this.#connect();
    this.#timer = setTimeout(
      () => this.close(new Error(`no direct link to ${this.peer} within ${OPEN_TIMEOUT_MS} ms`)),
      OPEN_TIMEOUT_MS,
    );
  }

  get connecting(): boolean {
    return this.#state === "connecting";
  }

  /** Whether new channels may be opened on it, now or once it is connected. */
  get usable(): boolean {
    return !this.#retired && this.#nextId < this.#maxChannels;
  }

  signal(data: unknown): void {
    if (this.#state === "ended") return;
    try {
      this.#peer.signal(data);
    } catch (cause) {
      this.close(new Error(`${this.peer} sent a signal that is none: ${describe(cause)}`));
    }
  }

  /** Opens a channel on a connected link. Rejects with PeerUnreachableError when the peer declines it. */
  async open(listener: string, take: TakeChannel): Promise<void> {
    const id = this.#nextId;
    this.#nextId += 2;
    const channel = this.#createChannel(id);
    const answer = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#drop(id, new Error(`${this.peer} did not answer within ${OPEN_TIMEOUT_MS} ms`));
        // The peer's page is busy, or the network under the link has gone: the next dial had better make a new one.
        this.retire();
      }, OPEN_TIMEOUT_MS);
      const opening = { resolve, reject, late };
      this.#channels.set(id, { lost: this.#hand(take, channel, id, listener), opening });
    });
    clearTimeout(this.#timer);
    this.#send({ open: id, listener });
    return answer;
  }

  /** No further channels: the link ends with the last one it has. */
  retire(): void {
    this.#retired = true;
    this.#endIfUnused();
  }

  /** Gives up this side's offer for the peer's. */
  yieldToPeer(): void {
    this.#settleReady.resolve("yielded");
    this.close(new Error("the peer's offer was taken instead"));
  }

  close(cause: Error): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#settleReady.reject(cause);
    for (const id of [...this.#channels.keys()]) this.#drop(id, cause);
    this.#peer.destroy();
    this.#options.ended(this);
  }

  #connect(): Peer {
    const peer = new Peer({
      initiator: this.initiator,
      channelConfig: { negotiated: true, id: 0 },
      config: { iceServers: [...this.#options.iceServers] },
      trickle: true,
      objectMode: true,
    });
    peer.on("signal", this.#options.sendSignal);
    peer.on("connect", () => this.#connected());
    peer.on("data", (data) => this.#onControl(data));
    peer.on("error", (error) => this.close(new Error(`the link to ${this.peer} failed: ${describe(error)}`)));
    peer.on("close", () => this.close(new Error(`the link to ${this.peer} was closed`)));
    return peer;
  }

  #connected(): void {
    if (this.#state !== "connecting") return;
    this.#state = "connected";
    this.#settleReady.resolve("connected");
    this.#endIfUnused();
  }

  #onControl(data: unknown): void {
    const control = parseLinkControl(data);
    if (control === undefined) return this.close(new Error(`${this.peer} sent link control that is none`));
    // The peer may be connected, and speak, a moment before simple-peer says so on this side.
    this.#connected();
    if ("open" in control) return this.#accept(control.open, control.listener);
    if ("opened" in control) return this.#opened(control.opened);
    this.#drop(control.refused, new PeerUnreachableError(`${this.peer} refused the connection: ${control.reason}`));
  }

  #accept(id: number, listener: string): void {
    const fresh = id > this.#lastAcceptedId && id < this.#maxChannels && (id % 2 === 1) !== this.initiator;
    if (!fresh) return this.close(new Error(`${this.peer} opened channel ${id} out of turn`));
    this.#lastAcceptedId = id;
    const take = this.#options.acceptor(listener);
    if (take === undefined) return this.#send({ refused: id, reason: "this tab serves no such listener" });
    if (this.#channels.size >= MAX_ACCEPTED_CHANNELS) return this.#send({ refused: id, reason: "too many channels" });
    const channel = this.#createChannel(id);
    this.#channels.set(id, { lost: this.#hand(take, channel, id, listener), opening: undefined });
    clearTimeout(this.#timer);
    this.#send({ opened: id });
  }

  #opened(id: number): void {
    const entry = this.#channels.get(id);
    if (entry?.opening === undefined) return;
    clearTimeout(entry.opening.late);
    entry.opening.resolve();
    entry.opening = undefined;
  }

  /** Ends a channel for a reason its owner cannot see. */
  #drop(id: number, cause: Error): void {
    this.#remove(id, cause)?.lost(cause.message);
  }

  #remove(id: number, cause: Error): LinkChannel | undefined {
    const entry = this.#channels.get(id);
    if (entry === undefined) return undefined;
    this.#channels.delete(id);
    clearTimeout(entry.opening?.late);
    entry.opening?.reject(cause);
    if (this.#state === "connected") this.#endIfUnused();
    return entry;
  }

  #hand(take: TakeChannel, channel: RTCDataChannel, id: number, listener: string): (reason: string) => void {
    const released = () => void this.#remove(id, new Error("the channel closed"));
    return take({ channel, peer: this.peer, listener, released });
  }

  #createChannel(id: number): RTCDataChannel {
    return this.#connection().createDataChannel("kafka", { negotiated: true, id });
  }

  get #maxChannels(): number {
    return Math.min(MAX_CHANNELS, this.#peer._pc?.sctp?.maxChannels ?? MAX_CHANNELS);
  }

  #connection(): RTCPeerConnection {
    const connection = this.#peer._pc;
    if (this.#state !== "connected" || !connection) throw new Error(`the link to ${this.peer} is not connected`);
    return connection;
  }

  #send(control: LinkControl): void {
    try {
      this.#peer.send(JSON.stringify(control));
    } catch (cause) {
      this.close(new Error(`the link to ${this.peer} failed: ${describe(cause)}`));
    }
  }

  #endIfUnused(): void {
    clearTimeout(this.#timer);
    if (this.#channels.size > 0) return;
    if (this.#retired) return this.close(new Error("the link was replaced by a newer one"));
    this.#timer = setTimeout(() => this.close(new Error("the link was idle")), IDLE_TIMEOUT_MS);
  }
}

interface LinkChannel {
  readonly lost: (reason: string) => void;
  /** Set while the peer has not answered. */
  opening: (Settle<void> & { readonly late: ReturnType<typeof setTimeout> }) | undefined;
}

interface Settle<T> {
  resolve(value: T): void;
  reject(cause: Error): void;
}

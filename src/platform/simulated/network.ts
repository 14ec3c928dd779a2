import type { Chance } from "./chance.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** A tab, the server or a client, by its name. */
export type NodeName = string;

export interface EndHandlers {
  frame(frame: Uint8Array): void;
  /** The other end closed, or the connection was found to be dead. Not called for an own close. */
  closed(reason: string): void;
}

/** What a node does when another one connects: it takes the end of the connection, refuses it, or does not answer. */
export type Accept = (end: ConnectionEnd) => "accepted" | "refused" | "silent";

/** How long an end that hears nothing takes to notice: WebRTC's consent checks need 5 to 30 s (B8). */
const SILENCE_MS = [5_000, 30_000] as const;
const DIAL_TIMEOUT_MS = 3_000;
/** What sets out later does not arrive earlier, so a way that was very slow would stay so long after it is healed. */
const SLOWEST_MS = 3_000;

/**
 * Ordered, reliable connections between named nodes, as data channels and sockets are: frames are late, and then they
 * are lost together with their connection, never alone. What goes wrong is said for directed pairs of nodes.
 */
export class SimulatedNetwork {
  readonly #time: VirtualTime;
  readonly #chance: Chance;
  readonly #latencyMs: number;
  readonly #accepts = new Map<NodeName, Accept>();
  readonly #ends = new Map<NodeName, Set<ConnectionEnd>>();
  readonly #cuts = new Map<string, number>();
  readonly #slow = new Map<string, number>();
  readonly #bytesPerMs = new Map<string, number>();
  /** Nodes that others reach through the relay only, the node that runs it, and whether it does. */
  readonly #relayed = new Set<NodeName>();
  #relay: NodeName | undefined;
  #relayRuns = true;
  /** For whoever wants to know: told of every connection that the relay carries. */
  relayUsed: (() => void) | undefined;
  /** The most bytes that ever waited to be taken in at the other end of one connection. */
  mostQueuedBytes = 0;
  /** For whoever draws the network: told of every frame that sets out, with `lastDueUs` as its arrival. */
  sent: ((end: ConnectionEnd, frame: Uint8Array) => void) | undefined;

  /** `latencyMs` is what a frame takes one way on average; one in a hundred takes many times as long. */
  constructor(time: VirtualTime, chance: Chance, latencyMs = 2) {
    this.#time = time;
    this.#chance = chance;
    this.#latencyMs = latencyMs;
  }

  listen(node: NodeName, accept: Accept): void {
    this.#accepts.set(node, accept);
  }

  /** No direct way leads to or from these nodes: they and others meet at `relay`, which both reach by themselves. */
  relayThrough(relay: NodeName, nodes: Iterable<NodeName>): void {
    this.#relay = relay;
    for (const node of nodes) this.#relayed.add(node);
  }

  isRelayed(one: NodeName, two: NodeName): boolean {
    if (this.#relayed.size === 0) return false;
    return one !== this.#relay && two !== this.#relay && (this.#relayed.has(one) || this.#relayed.has(two));
  }

  /** The relay ends every connection that it carries, and takes no others until it is `startRelay`ed. */
  stopRelay(): void {
    this.#relayRuns = false;
    for (const end of this.ends()) if (this.isRelayed(end.node, end.other.node)) this.lose(end, 1);
  }

  startRelay(): void {
    this.#relayRuns = true;
  }

  /** Connects in two trips, or fails: at once when nobody listens, after a timeout when a way is cut. */
  dial(from: NodeName, to: NodeName, opened: (end: ConnectionEnd) => void, failed: (reason: string) => void): void {
    if (this.isCut(from, to) || this.isCut(to, from)) {
      return this.#time.after(DIAL_TIMEOUT_MS, () => failed(`${to} did not answer`));
    }
    if (this.isRelayed(from, to) && !this.#relayRuns) {
      return this.#time.after(this.delayMs(from, to), () => failed("there is no relay"));
    }
    this.#time.after(this.delayMs(from, to), () => {
      const near = new ConnectionEnd(this, from);
      const far = new ConnectionEnd(this, to);
      near.join(far);
      this.#endsOf(to).add(far);
      this.#endsOf(from).add(near);
      const answer = this.#accepts.get(to)?.(far) ?? "refused";
      if (answer !== "accepted") {
        for (const end of [near, far]) this.forget(end);
        const answeredMs = answer === "silent" ? DIAL_TIMEOUT_MS : this.delayMs(to, from);
        return this.#time.after(answeredMs, () => failed(`${to} is not there`));
      }
      if (this.isRelayed(from, to)) this.relayUsed?.();
      this.#time.after(this.delayMs(to, from), () => {
        if (near.isOpen) opened(near);
        else failed("the connection was lost at once");
      });
    });
  }

  /** One way of a connection. Nobody notices at once; frames wait until it is healed or the connection given up. */
  cut(from: NodeName, to: NodeName): void {
    const key = pair(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
    for (const end of this.#sendingOver(from, to)) {
      this.#noticeSilence(end, from, to);
      this.#noticeSilence(end.other, from, to);
    }
  }

  heal(from: NodeName, to: NodeName): void {
    const key = pair(from, to);
    const cuts = (this.#cuts.get(key) ?? 0) - 1;
    if (cuts > 0) return void this.#cuts.set(key, cuts);
    this.#cuts.delete(key);
    for (const end of this.#sendingOver(from, to)) if (!this.isCut(end.node, end.other.node)) end.flush();
  }

  isCut(from: NodeName, to: NodeName): boolean {
    if (this.#cuts.size === 0) return false;
    if (this.#cuts.has(pair(from, to))) return true;
    if (this.#relay === undefined || !this.isRelayed(from, to)) return false;
    return this.#cuts.has(pair(from, this.#relay)) || this.#cuts.has(pair(this.#relay, to));
  }

  /** How fast the receiving node takes in what comes this way; `Infinity` restores it. */
  throttle(from: NodeName, to: NodeName, bytesPerMs: number): void {
    if (Number.isFinite(bytesPerMs)) this.#bytesPerMs.set(pair(from, to), bytesPerMs);
    else this.#bytesPerMs.delete(pair(from, to));
  }

  /** Makes one way slower by a factor; 1 restores it. */
  slowDown(from: NodeName, to: NodeName, factor: number): void {
    if (factor === 1) this.#slow.delete(pair(from, to));
    else this.#slow.set(pair(from, to), factor);
  }

  /** By which factor a way is slower than usual; 1 for none. */
  slowness(from: NodeName, to: NodeName): number {
    if (this.#slow.size === 0) return 1;
    return this.#slow.get(pair(from, to)) ?? 1;
  }

  /** Every end that a node holds, open as far as that node knows. */
  *ends(): Generator<ConnectionEnd> {
    for (const ends of this.#ends.values()) yield* ends;
  }

  /** Ends every connection of two nodes. What was under way is lost. The second to notice may be late (half-open). */
  breakLinks(from: NodeName, to: NodeName, firstMs: number, secondMs: number): void {
    for (const end of [...this.#endsOf(from)]) {
      if (end.other.node !== to) continue;
      this.lose(end, firstMs);
      this.lose(end.other, secondMs);
    }
  }

  /** The node is gone at once, without a word. Its peers notice after about `noticedMs`. */
  vanish(node: NodeName, noticedMs: (peer: NodeName) => number): void {
    for (const end of [...this.#endsOf(node)]) {
      const { other } = end;
      this.forget(end);
      end.abandon();
      // What was sent with the last breath arrives, or does not.
      if (this.#chance.permille(500)) other.deafen();
      this.#time.after(noticedMs(other.node), () => other.drop("the other end is gone"));
    }
  }

  /** The end takes part in nothing any more, and is told so after a while. */
  lose(end: ConnectionEnd, noticedMs: number): void {
    end.deafen();
    this.#time.after(noticedMs, () => end.drop("the connection was lost"));
  }

  transmit(end: ConnectionEnd, frame: Uint8Array): void {
    const { node, other } = end;
    const soonestUs = Math.max(end.lastDueUs, this.#time.nowUs + Math.round(this.delayMs(node, other.node) * 1000));
    const dueUs = this.#bytesPerMs.size === 0 ? soonestUs : soonestUs + this.#takenInUs(node, other.node, frame.length);
    end.lastDueUs = dueUs;
    this.#time.at(dueUs, () => {
      end.queuedBytes -= frame.length;
      other.deliver(frame);
    });
    this.sent?.(end, frame);
  }

  closeFar(end: ConnectionEnd, reason: string): void {
    const { other, node } = end;
    this.forget(end);
    if (this.isCut(node, other.node)) return this.lose(other, this.#chance.between(...SILENCE_MS));
    const dueUs = Math.max(end.lastDueUs, this.#time.nowUs + Math.round(this.delayMs(node, other.node) * 1000));
    this.#time.at(dueUs, () => other.drop(reason));
  }

  forget(end: ConnectionEnd): void {
    this.#ends.get(end.node)?.delete(end);
  }

  delayMs(from: NodeName, to: NodeName): number {
    const usualMs = (this.#chance.between(1, 40) * this.#latencyMs * (this.isRelayed(from, to) ? 2 : 1)) / 20;
    const delayMs = (this.#chance.permille(10) ? usualMs * 20 : usualMs) * this.slowness(from, to);
    return Math.min(delayMs, SLOWEST_MS);
  }

  #takenInUs(from: NodeName, to: NodeName, bytes: number): number {
    const bytesPerMs = this.#bytesPerMs.get(pair(from, to));
    return bytesPerMs === undefined ? 0 : Math.round((bytes / bytesPerMs) * 1000);
  }

  #noticeSilence(end: ConnectionEnd, from: NodeName, to: NodeName): void {
    this.#time.after(this.#chance.between(...SILENCE_MS), () => {
      if (!end.isOpen || !this.#cuts.has(pair(from, to))) return;
      end.other.deafen();
      end.drop("nothing was heard for too long");
      this.lose(end.other, this.#chance.between(100, SILENCE_MS[0]));
    });
  }

  /** The ends whose frames take this way, on which the relay may be one of the two nodes. */
  #sendingOver(from: NodeName, to: NodeName): ConnectionEnd[] {
    if (from === this.#relay) {
      const ends = [...this.#endsOf(to)].map(({ other }) => other);
      return ends.filter(({ node }) => node === from || this.isRelayed(node, to));
    }
    const isOver = ({ other }: ConnectionEnd) =>
      other.node === to || (to === this.#relay && this.isRelayed(from, other.node));
    return [...this.#endsOf(from)].filter(isOver);
  }

  #endsOf(node: NodeName): Set<ConnectionEnd> {
    const ends = this.#ends.get(node) ?? new Set();
    this.#ends.set(node, ends);
    return ends;
  }
}

/** One node's end of a connection. Frames that come before anybody receives wait. */
export class ConnectionEnd {
  readonly node: NodeName;
  other!: ConnectionEnd;
  lastDueUs = 0;
  isOpen = true;
  /** Of frames that the other end has not taken in yet. */
  queuedBytes = 0;
  #isDeaf = false;
  #held: Uint8Array[] = [];
  #early: Uint8Array[] = [];
  #handlers: EndHandlers | undefined;
  readonly #network: SimulatedNetwork;

  constructor(network: SimulatedNetwork, node: NodeName) {
    this.#network = network;
    this.node = node;
  }

  /** Whether what is sent here is lost, without word to the owner yet. */
  get isDead(): boolean {
    return this.#isDeaf || this.other.#isDeaf;
  }

  join(other: ConnectionEnd): void {
    this.other = other;
    other.other = this;
  }

  receive(handlers: EndHandlers): void {
    this.#handlers = handlers;
    for (const frame of this.#early.splice(0)) handlers.frame(frame);
  }

  send(frame: Uint8Array): void {
    if (!this.isOpen || this.#isDeaf) return;
    this.queuedBytes += frame.length;
    if (this.queuedBytes > this.#network.mostQueuedBytes) this.#network.mostQueuedBytes = this.queuedBytes;
    if (this.#held.length > 0 || this.#network.isCut(this.node, this.other.node)) this.#held.push(frame);
    else this.#network.transmit(this, frame);
  }

  close(reason: string): void {
    if (!this.isOpen) return;
    this.abandon();
    this.#network.closeFar(this, reason);
  }

  /** Sends what waited for a cut to heal. */
  flush(): void {
    for (const frame of this.#held.splice(0)) this.#network.transmit(this, frame);
  }

  deliver(frame: Uint8Array): void {
    if (!this.isOpen || this.#isDeaf) return;
    if (this.#handlers === undefined) this.#early.push(frame);
    else this.#handlers.frame(frame);
  }

  /** The connection is dead, but this end does not know yet. */
  deafen(): void {
    this.#isDeaf = true;
    this.#held = [];
  }

  /** Ends here, with word to the owner. */
  drop(reason: string): void {
    if (!this.isOpen) return;
    this.abandon();
    this.#network.forget(this);
    this.#handlers?.closed(reason);
  }

  /** Ends here, without a word. */
  abandon(): void {
    this.isOpen = false;
    this.deafen();
  }
}

function pair(from: NodeName, to: NodeName): string {
  return `${from}>${to}`;
}

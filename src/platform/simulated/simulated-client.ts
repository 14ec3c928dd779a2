import type { ClientPlatform } from "../../runtime/client-platform.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Connection, ConnectionHandlers, Endpoint } from "../../runtime/connection.ts";
import type { ControllerLink, ControllerLinkHandlers } from "../../runtime/controller-link.ts";
import type { Chance } from "./chance.ts";
import type { ConnectionEnd, NodeName, SimulatedNetwork } from "./network.ts";
import { SERVER } from "./simulated-server.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface SimulatedClientContext {
  readonly time: VirtualTime;
  readonly network: SimulatedNetwork;
  readonly chance: Chance;
  resolve(peer: string): NodeName | undefined;
  /** Called before code of the client runs: its promises have to settle before anything else happens. */
  entered(client: NodeName, what: string, bytes: number): void;
  /** For whoever follows what one client says to brokers and is told by them. */
  exchanged?(connection: Connection, frame: Uint8Array, isSent: boolean): void;
}

/** Runs code of the client; `what` and `bytes` tell this from other entries in a trace. */
type Enter = (what: string, bytes: number, run: () => void) => void;

/** Connects the client, unless it is gone by then. */
type Dial = (to: NodeName, opened: (end: ConnectionEnd) => void, failed: (reason: string) => void) => void;

/** Where virtual time begins on the wall, as for tabs. */
const EPOCH_MS = 1_700_000_000_000;
const MAX_SKEW_MS = 5_000;

/** A page without a broker, for one SDK client: the simulated counterpart of `browserClientPlatform`. */
export class SimulatedClient implements ClientPlatform {
  readonly clock: Clock;
  readonly controller: ControllerLink;
  readonly #name: NodeName;
  readonly #context: SimulatedClientContext;
  readonly #connections = new Set<SimulatedConnection>();
  /** What is due in a frozen page, and, once it goes on, what has not had its turn yet. */
  readonly #mailbox: (() => void)[] = [];
  #frozen = false;
  #gone = false;

  constructor(name: NodeName, context: SimulatedClientContext) {
    this.#name = name;
    this.#context = context;
    const { chance, time } = context;
    const startMs = chance.below(1_000_000);
    const wallMs = EPOCH_MS + chance.between(-MAX_SKEW_MS, MAX_SKEW_MS);
    this.clock = {
      now: () => startMs + time.nowMs,
      wallNow: () => wallMs + time.nowMs,
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
    };
    this.controller = new SimulatedControllerLink(this.#dial, this.enter, context);
  }

  readonly #dial: Dial = (to, opened, failed) => {
    const arrived = (end: ConnectionEnd) => (this.#gone ? end.close("the page is gone") : opened(end));
    this.#context.network.dial(this.#name, to, arrived, failed);
  };

  /** Lets code of the client run: at once, or after what a frozen page has to catch up with. */
  readonly enter: Enter = (what, bytes, run) => {
    if (this.#gone) return;
    const entry = () => {
      this.#context.entered(this.#name, what, bytes);
      run();
    };
    if (this.#frozen || this.#mailbox.length > 0) this.#mailbox.push(entry);
    else entry();
  };

  dial({ host }: Endpoint): Promise<Connection> {
    const { resolve, time } = this.#context;
    return new Promise((opened, failed) => {
      const fail = (reason: string) => this.enter("undialled", 0, () => failed(new Error(reason)));
      const to = resolve(host);
      if (to === undefined) return time.after(1, () => fail("no such tab"));
      this.#dial(to, (end) => this.#opened(end, opened), fail);
    });
  }

  randomUuid(): string {
    return this.#context.chance.uuid();
  }

  random(): number {
    return this.#context.chance.below(2 ** 32) / 2 ** 32;
  }

  close(): void {
    for (const connection of this.#connections) connection.close("the client was closed");
    this.controller.close();
  }

  /** Whether the page is neither frozen nor gone. */
  get runs(): boolean {
    return !this.#frozen && !this.#gone;
  }

  /** Nothing runs until the page is thawed: then timers are late, and frames come in a burst. */
  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    this.#catchUp();
  }

  /** The page is gone, without a word to anybody. */
  vanish(): void {
    if (this.#gone) return;
    const { chance, network } = this.#context;
    this.#gone = true;
    network.vanish(this.#name, () => chance.between(1, 50));
  }

  /** One entry after the other, each with time for its promises, as a browser runs tasks. */
  #catchUp(): void {
    this.#context.time.after(0, () => {
      if (this.#frozen || this.#gone) return;
      this.#mailbox.shift()?.();
      if (this.#mailbox.length > 0) this.#catchUp();
    });
  }

  #setTimer(delayMs: number, callback: () => void): () => void {
    let isCalledOff = false;
    const run = () => {
      if (!isCalledOff) callback();
    };
    const { time } = this.#context;
    // Never early, not even by a fraction of a microsecond: whoever compares clocks would set it again, for ever.
    time.at(time.nowUs + Math.ceil(delayMs * 1000), () => {
      if (!isCalledOff) this.enter("timer", 0, run);
    });
    return () => {
      isCalledOff = true;
    };
  }

  #opened(end: ConnectionEnd, opened: (connection: Connection) => void): void {
    const ended = () => this.#connections.delete(connection);
    const connection = new SimulatedConnection(end, this.enter, ended, this.#context);
    this.#connections.add(connection);
    this.enter("dialled", 0, () => opened(connection));
  }
}

/** One end of a simulated connection, with the promises of `Connection`. What comes before a receiver does waits. */
class SimulatedConnection implements Connection {
  readonly kind = "simulated";
  readonly #end: ConnectionEnd;
  readonly #ended: () => void;
  readonly #context: SimulatedClientContext;
  readonly #early: Uint8Array[] = [];
  #handlers: ConnectionHandlers | undefined;
  #closedBecause: string | undefined;

  constructor(end: ConnectionEnd, enter: Enter, ended: () => void, context: SimulatedClientContext) {
    this.#end = end;
    this.#ended = ended;
    this.#context = context;
    end.receive({
      frame: (frame) => enter("frame", frame.length, () => this.#onFrame(frame)),
      closed: (reason) => enter("closed", 0, () => this.#finish(reason)),
    });
  }

  get queuedBytes(): number {
    return this.#end.queuedBytes;
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    for (const frame of this.#early.splice(0)) handlers.frame(frame);
    if (this.#closedBecause !== undefined) handlers.closed(this.#closedBecause);
  }

  send(frame: Uint8Array): void {
    this.#context.exchanged?.(this, frame, true);
    this.#end.send(frame);
  }

  close(reason: string): void {
    this.#end.close(reason);
    this.#finish(reason);
  }

  #onFrame(frame: Uint8Array): void {
    if (this.#closedBecause !== undefined) return;
    this.#context.exchanged?.(this, frame, false);
    if (this.#handlers === undefined) this.#early.push(frame);
    else this.#handlers.frame(frame);
  }

  #finish(reason: string): void {
    if (this.#closedBecause !== undefined) return;
    this.#closedBecause = reason;
    this.#ended();
    this.#handlers?.closed(reason);
  }
}

/** The socket to the server, dialled again for as long as the client lives. */
class SimulatedControllerLink implements ControllerLink {
  readonly #dial: Dial;
  readonly #enter: Enter;
  readonly #pauseMs: () => number;
  readonly #time: VirtualTime;
  #handlers: ControllerLinkHandlers | undefined;
  #end: ConnectionEnd | undefined;
  #closed = false;

  constructor(dial: Dial, enter: Enter, { chance, time }: SimulatedClientContext) {
    this.#dial = dial;
    this.#enter = enter;
    this.#pauseMs = () => chance.between(50, 1_000);
    this.#time = time;
    this.#connect();
  }

  receive(handlers: ControllerLinkHandlers): void {
    this.#handlers = handlers;
    if (this.#end !== undefined) handlers.opened();
  }

  send(frame: Uint8Array): void {
    this.#end?.send(frame);
  }

  close(): void {
    this.#closed = true;
    const end = this.#end;
    if (end === undefined) return;
    this.#end = undefined;
    end.close("the client was closed");
    this.#handlers?.closed("closed by this client");
  }

  #connect(): void {
    if (this.#closed) return;
    const again = () => this.#time.after(this.#pauseMs(), () => this.#enter("redial", 0, () => this.#connect()));
    this.#dial(
      SERVER,
      (end) => {
        this.#enter("opened", 0, () => {
          if (this.#closed) return end.close("the client was closed");
          this.#end = end;
          this.#handlers?.opened();
        });
        end.receive({
          frame: (frame) => this.#enter("metadata", frame.length, () => this.#handlers?.frame(frame)),
          closed: (reason) => {
            this.#enter("closed", 0, () => {
              if (this.#end !== end) return;
              this.#end = undefined;
              this.#handlers?.closed(reason);
              again();
            });
          },
        });
      },
      again,
    );
  }
}

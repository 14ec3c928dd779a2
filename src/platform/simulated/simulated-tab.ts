import { Broker } from "../../broker/broker.ts";
import type { BrokerConfig } from "../../broker/broker-config.ts";
import type { BrokerEffect } from "../../broker/effects.ts";
import type { BrokerEvent } from "../../broker/events.ts";
import { coalesceAppends } from "../../log/coalesce-appends.ts";
import { TAB_LISTENER } from "../../metadata/listener-names.ts";
import type { Chance } from "./chance.ts";
import type { ConnectionEnd, NodeName, SimulatedNetwork } from "./network.ts";
import { SERVER, WALL_OFFSET_MS } from "./simulated-server.ts";
import { SkewedClock } from "./skewed-clock.ts";
import type { SimulatedStorage } from "./storage.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface TabContext {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly network: SimulatedNetwork;
  readonly config: BrokerConfig;
  /** How far the machine's clock is ahead. */
  readonly clockAheadMs: number;
  /** The tab whose page has this address at present. */
  resolve(peer: string): NodeName | undefined;
  log(message: string): void;
  /** After every event that the broker has dealt with, with what it does about it. */
  handled(tab: SimulatedTab, event: BrokerEvent, effects: readonly BrokerEffect[]): void;
  /** The broker ended by itself: it stopped, failed or was refused. */
  ended(tab: SimulatedTab): void;
}

type Write = Extract<BrokerEffect, { readonly type: "write" }>;

/** Longer than topics keep records that have no other time. */
const DAYS_MS = 8 * 24 * 3600 * 1000;

/** What the time of day says of a sleep in which the clock stood still: nothing, how long it was, or days. */
export type TimeOfDay = "stood" | "went on" | "days passed";

/**
 * One tab: the broker core with what `runBroker` does around it, without promises, so that a run is fast and the same
 * in every engine. Group commits, dialling and the single timer follow that loop step by step.
 */
export class SimulatedTab {
  readonly name: NodeName;
  /** Tabs of one profile share a disk and sleep together. */
  readonly profile: string;
  readonly storage: SimulatedStorage;
  readonly clockAheadMs: number;
  /** Set while the page lives, frozen or not. */
  core: Broker | undefined;
  /** The page's address, anew with every load. */
  peer = "";
  frozen = false;
  starts = 0;
  /** How the last broker here ended by itself, and why. */
  endedAs: "stopped" | "failed" | "refused" = "stopped";
  endedBecause = "";
  readonly #context: TabContext;
  /** Every machine has a clock of its own, which may stand still or run at another rate. */
  readonly #clock: SkewedClock;
  /** What to add to the clock for the time of day. */
  #wallOffsetMs = WALL_OFFSET_MS;
  #frozenSinceMs = 0;
  /** Timers fire at whole multiples of this only, as a hidden page's do; 1 for timers that are not held back. */
  #timerStepUs = 1;
  #opening = 0;
  #mailbox: BrokerEvent[] = [];
  #draining = false;
  #controller: ConnectionEnd | undefined;
  readonly #connections = new Map<number, ConnectionEnd>();
  #nextConnectionId = 1;
  readonly #links = new Map<number, ConnectionEnd | "dialling">();
  #pendingWrites: Write[] = [];
  #writing = false;
  #armedForUs = Number.POSITIVE_INFINITY;

  constructor(name: NodeName, profile: string, storage: SimulatedStorage, context: TabContext) {
    this.name = name;
    this.profile = profile;
    this.storage = storage;
    this.#context = context;
    this.clockAheadMs = context.clockAheadMs;
    this.#clock = new SkewedClock(context.time, context.clockAheadMs);
    context.network.listen(name, (end) => this.#accept(end));
  }

  get nowMs(): number {
    return this.#clock.nowMs;
  }

  /** How much waits in this tab: events for the broker, and changes for the disk. */
  get queues(): { readonly mailbox: number; readonly writes: number } {
    return { mailbox: this.#mailbox.length, writes: this.#pendingWrites.length };
  }

  /** From now on the tab's clock runs at this rate. */
  setClockRate(rate: number): void {
    this.#clock.setRate(rate);
    this.#rearm();
  }

  /** From now on its timers fire at whole multiples of `stepMs` only; 0 ends that. */
  throttleTimers(stepMs: number): void {
    this.#timerStepUs = Math.max(1, stepMs * 1000);
    this.#rearm();
  }

  /** Loads the page; nothing if it is loaded. */
  start(): void {
    if (this.core !== undefined) return;
    const { chance, config } = this.#context;
    this.starts++;
    this.frozen = false;
    this.peer = `${this.name}#${this.starts}`;
    this.#opening = this.storage.open();
    const { identity, logs } = this.storage.image;
    this.core = new Broker({
      identity,
      listeners: [{ name: TAB_LISTENER, host: this.peer, port: 1 }],
      rack: this.profile,
      seed: chance.uuid(),
      config,
      nowMs: this.nowMs,
      wallOffsetMs: this.#wallOffsetMs,
    });
    for (const stored of logs.load()) this.core.restore(stored);
    this.#dialController(0);
    this.dispatch({ type: "woken" });
  }

  /** The page is gone at once. Its sockets close, which the server notices soon and other tabs perhaps late. */
  kill(): void {
    if (this.core === undefined) return;
    const { chance, network } = this.#context;
    this.#forgetEverything();
    this.storage.crash(this.#opening);
    network.vanish(this.name, (peer) => {
      return peer === SERVER || chance.permille(500) ? chance.between(1, 50) : chance.between(5_000, 30_000);
    });
  }

  /** The page is told to go, as gracefully as time allows. */
  close(): void {
    this.dispatch({ type: "closing" });
  }

  /** Nothing runs in the tab any more, but its sockets stay open and what they bring waits. */
  freeze(): void {
    if (this.core === undefined || this.frozen) return;
    this.frozen = true;
    this.#frozenSinceMs = this.#context.time.nowMs;
  }

  /** Goes on. */
  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    this.#drain();
  }

  /** Goes on after a sleep in which its clock stood still. */
  wake(timeOfDay: TimeOfDay): void {
    if (!this.frozen) return;
    const sleptMs = this.#context.time.nowMs - this.#frozenSinceMs;
    this.#clock.jump(-sleptMs);
    if (timeOfDay !== "stood") this.#wallOffsetMs += sleptMs;
    if (timeOfDay === "days passed") this.#wallOffsetMs += DAYS_MS;
    this.thaw();
  }

  dispatch(event: BrokerEvent): void {
    if (this.core === undefined) return;
    this.#mailbox.push(event);
    if (!this.#draining && !this.frozen) this.#drain();
  }

  #drain(): void {
    this.#draining = true;
    try {
      for (let event = this.#mailbox.shift(); event !== undefined; event = this.#mailbox.shift()) {
        const { core } = this;
        if (core === undefined) break;
        const effects = core.handle(event, this.nowMs, this.#wallOffsetMs);
        for (const effect of effects) this.#execute(effect);
        this.#context.handled(this, event, effects);
      }
    } finally {
      this.#draining = false;
    }
    if (this.core === undefined) return;
    this.#commit();
    this.#arm();
    if (this.core.state === "refused") this.#end("refused");
  }

  #execute(effect: BrokerEffect): void {
    switch (effect.type) {
      case "send":
        return this.#connections.get(effect.connectionId)?.send(effect.frame);
      case "close-connection": {
        const end = this.#connections.get(effect.connectionId);
        this.#connections.delete(effect.connectionId);
        return end?.close(effect.reason);
      }
      case "hold-connection":
        return;
      case "dial":
        return this.#dial(effect.linkId, effect.host);
      case "link-send": {
        const link = this.#links.get(effect.linkId);
        if (link !== undefined && link !== "dialling") link.send(effect.frame);
        return;
      }
      case "close-link": {
        const link = this.#links.get(effect.linkId);
        this.#links.delete(effect.linkId);
        if (link !== undefined && link !== "dialling") link.close(effect.reason);
        return;
      }
      case "controller-send":
        return this.#controller?.send(effect.frame);
      case "write":
        return void this.#pendingWrites.push(effect);
      case "read":
        return this.#read(effect);
      case "save-identity":
        return this.storage.saveIdentity(
          this.#opening,
          effect.identity,
          this.#whileLoaded(() => this.dispatch({ type: "identity-saved" })),
          (reason) => this.#storageFailed(reason),
        );
      case "log":
        return this.#context.log(`${this.name}: ${effect.message}`);
      case "stopped": {
        const state = this.core?.state;
        return this.#end(state === "failed" || state === "refused" ? state : "stopped");
      }
    }
  }

  #read({ readId, key, fromOffset, maxBytes }: Extract<BrokerEffect, { readonly type: "read" }>): void {
    const { time, chance } = this.#context;
    const done = this.#whileLoaded(() => {
      const chunks = this.storage.image.logs.read(key, fromOffset, maxBytes);
      this.dispatch({ type: "read", readId, chunks });
    });
    time.after(chance.between(2, 50) / 10, done);
  }

  #commit(): void {
    if (this.#writing || this.#pendingWrites.length === 0) return;
    const writes = this.#pendingWrites;
    this.#pendingWrites = [];
    this.#writing = true;
    const [first] = writes;
    const all = writes.length === 1 ? first!.operations : writes.flatMap((write) => write.operations);
    const operations = coalesceAppends(all);
    const durability = writes.some((write) => write.durability === "strict") ? "strict" : "relaxed";
    this.storage.write(
      this.#opening,
      operations,
      durability,
      this.#whileLoaded(() => {
        this.#writing = false;
        this.dispatch({ type: "written", writeIds: writes.map(({ writeId }) => writeId), operations });
      }),
      (reason) => this.#storageFailed(reason),
    );
  }

  #storageFailed(reason: string): void {
    this.dispatch({ type: "storage-failed", reason });
  }

  #accept(end: ConnectionEnd): "accepted" | "refused" | "silent" {
    if (this.core === undefined) return "refused";
    if (this.frozen) return "silent";
    const connectionId = this.#nextConnectionId++;
    this.#connections.set(connectionId, end);
    this.dispatch({ type: "connection-opened", connectionId, listener: TAB_LISTENER });
    end.receive({
      frame: (frame) => this.dispatch({ type: "connection-frame", connectionId, frame }),
      closed: () => {
        this.#connections.delete(connectionId);
        this.dispatch({ type: "connection-closed", connectionId });
      },
    });
    return "accepted";
  }

  #dial(linkId: number, host: string): void {
    const { network, resolve } = this.#context;
    this.#links.set(linkId, "dialling");
    const { starts } = this;
    const failed = (reason: string) => {
      if (starts === this.starts && this.#links.delete(linkId)) this.dispatch({ type: "link-closed", linkId, reason });
    };
    const to = resolve(host);
    if (to === undefined) return this.#context.time.after(1, () => failed("no such tab"));
    network.dial(
      this.name,
      to,
      (end) => {
        // The broker may have given the link up while it was dialled, or be another one by now.
        if (starts !== this.starts || !this.#links.has(linkId)) return end.close("no longer needed");
        this.#links.set(linkId, end);
        this.dispatch({ type: "link-opened", linkId });
        end.receive({ frame: (frame) => this.dispatch({ type: "link-frame", linkId, frame }), closed: failed });
      },
      failed,
    );
  }

  #dialController(afterMs: number): void {
    const { time, network, chance } = this.#context;
    const again = this.#whileLoaded(() => this.#dialController(chance.between(50, 1_000)));
    const dial = this.#whileLoaded(() => {
      const { starts } = this;
      network.dial(
        this.name,
        SERVER,
        (end) => {
          if (starts !== this.starts || this.core === undefined) return end.close("the page is gone");
          this.#controller = end;
          this.dispatch({ type: "controller-opened" });
          end.receive({
            frame: (frame) => this.dispatch({ type: "controller-frame", frame }),
            closed: () => {
              this.#controller = undefined;
              this.dispatch({ type: "controller-closed" });
              again();
            },
          });
        },
        again,
      );
    });
    time.after(afterMs, dial);
  }

  #arm(): void {
    const { time } = this.#context;
    const wakeAtMs = this.core?.wakeAtMs ?? Number.POSITIVE_INFINITY;
    if (!Number.isFinite(wakeAtMs) || this.frozen) return;
    const dueUs = Math.max(Math.ceil(this.#clock.virtualMs(wakeAtMs) * 1000), time.nowUs + 1);
    const wakeAtUs = Math.ceil(dueUs / this.#timerStepUs) * this.#timerStepUs;
    if (wakeAtUs >= this.#armedForUs) return;
    this.#armedForUs = wakeAtUs;
    const { starts } = this;
    time.at(wakeAtUs, () => {
      if (starts !== this.starts || this.#armedForUs !== wakeAtUs || this.core === undefined) return;
      this.#armedForUs = Number.POSITIVE_INFINITY;
      // A frozen tab finds its timer due when it goes on.
      if (this.frozen) return void this.#mailbox.push({ type: "woken" });
      if (this.core.wakeAtMs <= this.nowMs) this.dispatch({ type: "woken" });
      else this.#arm();
    });
  }

  #rearm(): void {
    this.#armedForUs = Number.POSITIVE_INFINITY;
    this.#arm();
  }

  /** What comes back to a page that was reloaded meanwhile is nobody's. */
  #whileLoaded(run: () => void): () => void {
    const { starts } = this;
    return () => {
      if (starts === this.starts && this.core !== undefined) run();
    };
  }

  /** The broker is over, while the page may live on. */
  #end(endedAs: typeof this.endedAs): void {
    this.endedAs = endedAs;
    this.endedBecause = this.core?.status().reason ?? "";
    const connections = [...this.#connections.values(), ...this.#links.values(), this.#controller];
    this.#forgetEverything();
    this.storage.crash(this.#opening);
    for (const end of connections) if (end !== undefined && end !== "dialling") end.close("the broker stopped");
    this.#context.ended(this);
  }

  #forgetEverything(): void {
    this.core = undefined;
    this.frozen = false;
    this.#mailbox = [];
    this.#controller = undefined;
    this.#connections.clear();
    this.#links.clear();
    this.#pendingWrites = [];
    this.#writing = false;
    this.#armedForUs = Number.POSITIVE_INFINITY;
  }
}

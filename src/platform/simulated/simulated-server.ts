import { Controller } from "../../metadata/controller.ts";
import type { ControllerConfig } from "../../metadata/controller-config.ts";
import type { ControllerEffect, ControllerEvent } from "../../metadata/controller.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { MetadataSnapshot } from "../../metadata/metadata-batch.ts";
import type { Chance } from "./chance.ts";
import type { ConnectionEnd, NodeName, SimulatedNetwork } from "./network.ts";
import { SkewedClock } from "./skewed-clock.ts";
import type { VirtualTime } from "./virtual-time.ts";

export const SERVER: NodeName = "server";

/** What to add to the virtual time for the time of day. */
export const WALL_OFFSET_MS = 1_700_000_000_000;

interface Append {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly batch: Uint8Array;
}

/** What the server's disk holds. */
interface StoredMetadata {
  controllerEpoch: number;
  snapshot: MetadataSnapshot | undefined;
  log: Append[];
}

export interface ServerContext {
  readonly time: VirtualTime;
  readonly chance: Chance;
  readonly network: SimulatedNetwork;
  readonly clusterId: string;
  readonly config: Partial<ControllerConfig>;
  log(message: string): void;
  /** After every event that the controller has dealt with, with what it does about it. */
  changed(event: ControllerEvent, effects: readonly ControllerEffect[]): void;
  /** A controller starts with what is on the disk. */
  started(image: ClusterImage): void;
  /** Everything that was decided before `endOffset` is on the disk. */
  stored(endOffset: number): void;
}

/**
 * The metadata server: the real controller on a simulated disk and network. Appends share writes as they do in
 * `ControllerHost`, and a kill leaves a prefix of those that were under way.
 */
export class SimulatedServer {
  readonly #context: ServerContext;
  readonly #disk: StoredMetadata = { controllerEpoch: 0, snapshot: undefined, log: [] };
  #controller: Controller | undefined;
  #starts = 0;
  readonly #connections = new Map<number, ConnectionEnd>();
  #nextConnectionId = 1;
  #mailbox: ControllerEvent[] = [];
  #draining = false;
  #paused = false;
  #unwritten: Append[] = [];
  #writing: Append[] = [];
  #armedForUs = Number.POSITIVE_INFINITY;
  #slowUntilUs = 0;
  #failing = false;
  readonly #clock: SkewedClock;

  constructor(context: ServerContext) {
    this.#context = context;
    this.#clock = new SkewedClock(context.time, 0);
    context.network.listen(SERVER, (end) => this.#accept(end));
  }

  get running(): boolean {
    return this.#controller !== undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether everything decided is on the disk. */
  get settled(): boolean {
    return this.running && this.#writing.length === 0 && this.#unwritten.length === 0;
  }

  /** The cluster as decided; of the last controller while none runs. */
  image: ClusterImage | undefined;
  /** Whether the last start found a snapshot on the disk. */
  startedFromSnapshot = false;

  /** The server's clock jumps ahead; timers that it passes are due at once. */
  jumpClock(ms: number): void {
    this.#clock.jump(ms);
    this.#rearm();
  }

  /** From now on the server's clock runs at this rate; at 0 it stands still. */
  setClockRate(rate: number): void {
    this.#clock.setRate(rate);
    this.#rearm();
  }

  start(): void {
    if (this.running) return;
    const { clusterId, config, chance, network } = this.#context;
    network.startRelay();
    this.startedFromSnapshot = this.#disk.snapshot !== undefined;
    this.#starts++;
    this.#disk.controllerEpoch++;
    this.#controller = new Controller({
      clusterId,
      controllerEpoch: this.#disk.controllerEpoch,
      seed: chance.uuid(),
      snapshot: this.#disk.snapshot,
      log: [...this.#disk.log],
      config,
      nowMs: this.#clock.nowMs,
    });
    this.image = this.#controller.image;
    this.#context.started(this.image);
    this.#armedForUs = Number.POSITIVE_INFINITY;
    this.dispatch({ type: "woken" });
  }

  kill(): void {
    if (!this.running) return;
    const { chance, network } = this.#context;
    const kept = chance.below(this.#writing.length + 1);
    this.#store(this.#writing.slice(0, kept));
    this.#writing = [];
    this.#unwritten = [];
    this.#mailbox = [];
    this.#controller = undefined;
    this.#paused = false;
    this.#failing = false;
    this.#connections.clear();
    network.vanish(SERVER, () => chance.between(1, 50));
    network.stopRelay();
  }

  /** The process stops running for a while, and then finds everything that came meanwhile. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#drain();
    this.#arm();
  }

  slowDisk(ms: number): void {
    this.#slowUntilUs = this.#context.time.nowUs + ms * 1000;
  }

  failNextWrite(): void {
    this.#failing = true;
  }

  dispatch(event: ControllerEvent): void {
    this.#mailbox.push(event);
    if (!this.#draining && !this.#paused) this.#drain();
  }

  #accept(end: ConnectionEnd): "accepted" | "refused" | "silent" {
    if (!this.running) return "refused";
    if (this.#paused) return "silent";
    const connectionId = this.#nextConnectionId++;
    this.#connections.set(connectionId, end);
    this.dispatch({ type: "connection-opened", connectionId });
    end.receive({
      frame: (frame) => this.dispatch({ type: "request", connectionId, frame }),
      closed: () => {
        if (this.#connections.delete(connectionId)) this.dispatch({ type: "connection-closed", connectionId });
      },
    });
    return "accepted";
  }

  #drain(): void {
    this.#draining = true;
    for (let event = this.#mailbox.shift(); event !== undefined; event = this.#mailbox.shift()) {
      if (this.#controller === undefined) break;
      const effects = this.#controller.handle(event, this.#clock.nowMs, WALL_OFFSET_MS + this.#context.time.nowMs);
      for (const effect of effects) this.#execute(effect);
      this.image = this.#controller.image;
      this.#context.changed(event, effects);
    }
    this.#draining = false;
    this.#arm();
    // A controller that cannot store stops, and the process with it; whoever runs the server starts it again.
    if (this.#controller?.failure !== undefined) {
      this.kill();
      this.#context.time.after(1_000, () => this.start());
    }
  }

  #execute(effect: ControllerEffect): void {
    switch (effect.type) {
      case "send":
        return this.#connections.get(effect.connectionId)?.send(effect.frame);
      case "close-connection": {
        const end = this.#connections.get(effect.connectionId);
        this.#connections.delete(effect.connectionId);
        return end?.close(effect.reason);
      }
      case "append": {
        const { baseOffset, endOffset, batch } = effect;
        this.#unwritten.push({ baseOffset, endOffset, batch });
        if (this.#writing.length === 0) this.#write();
        return;
      }
      case "save-snapshot": {
        const { endOffset, epoch, records } = effect;
        this.#disk.snapshot = { endOffset, epoch, records };
        this.#disk.log = this.#disk.log.filter((append) => append.endOffset > endOffset);
        return;
      }
      case "log":
        return this.#context.log(`server: ${effect.message}`);
    }
  }

  #write(): void {
    const { time, chance } = this.#context;
    this.#writing = this.#unwritten;
    this.#unwritten = [];
    const starts = this.#starts;
    const slowMs = Math.max(0, (this.#slowUntilUs - time.nowUs) / 1000);
    time.after(slowMs + chance.between(2, 60) / 10, () => {
      if (starts !== this.#starts || !this.running) return;
      if (this.#failing) return this.dispatch({ type: "append-failed", error: "the disk is full" });
      const { endOffset } = this.#writing.at(-1)!;
      this.#store(this.#writing);
      this.#writing = [];
      if (this.#unwritten.length > 0) this.#write();
      this.dispatch({ type: "appended", endOffset });
    });
  }

  #store(appends: readonly Append[]): void {
    this.#disk.log.push(...appends);
    const last = appends.at(-1);
    if (last !== undefined) this.#context.stored(last.endOffset);
  }

  #rearm(): void {
    this.#armedForUs = Number.POSITIVE_INFINITY;
    this.#arm();
  }

  #arm(): void {
    const { time } = this.#context;
    const wakeAtMs = this.#controller?.wakeAtMs;
    if (wakeAtMs === undefined || this.#paused) return;
    const wakeAtUs = Math.max(Math.ceil(this.#clock.virtualMs(wakeAtMs) * 1000), time.nowUs + 1);
    if (!Number.isFinite(wakeAtUs)) return;
    if (wakeAtUs >= this.#armedForUs) return;
    this.#armedForUs = wakeAtUs;
    const starts = this.#starts;
    time.at(wakeAtUs, () => {
      if (starts !== this.#starts || this.#armedForUs !== wakeAtUs) return;
      this.#armedForUs = Number.POSITIVE_INFINITY;
      if (this.#paused) return;
      if ((this.#controller?.wakeAtMs ?? Number.POSITIVE_INFINITY) <= this.#clock.nowMs) this.dispatch({ type: "woken" });
      else this.#arm();
    });
  }
}

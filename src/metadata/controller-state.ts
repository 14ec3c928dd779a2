import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { BrokerSessions } from "./broker-sessions.ts";
import type { ControllerConfig } from "./controller-config.ts";
import { beginControlledShutdown, fenceBroker, unfenceBroker } from "./fencing.ts";
import type { BrokerRegistration, ClusterImage } from "./image.ts";
import type { MetadataLog } from "./metadata-log.ts";
import type { Random } from "./random.ts";

export type LogLevel = "info" | "warn" | "error";

/** What the parts of the controller share while one event is handled. */
export interface ControllerState {
  /** Follows each decision at once, ahead of what is durable. Nobody is told of it before it is. */
  readonly image: ClusterImage;
  readonly sessions: BrokerSessions;
  readonly log: MetadataLog;
  readonly random: Random;
  readonly config: ControllerConfig;
  readonly controllerEpoch: number;
  readonly nowMs: number;
  /** The time of day, in milliseconds since 1970, for brokers to go by. No decision does. */
  readonly wallMs: number;
  /** Makes records part of the decision at hand: applied right away, durable all together or not at all. */
  commit(records: readonly MetadataRecordInit[]): void;
  note(level: LogLevel, message: string): void;
}

export function fence(state: ControllerState, broker: BrokerRegistration, reason: string): void {
  state.commit(fenceBroker(state.image, broker));
  state.sessions.fenced(broker.brokerId, state.nowMs);
  state.note("info", `broker ${broker.brokerId} is fenced: ${reason}`);
}

export function unfence(state: ControllerState, broker: BrokerRegistration): void {
  state.commit(unfenceBroker(state.image, broker));
  state.sessions.unfenced(broker.brokerId, state.nowMs);
  state.note("info", `broker ${broker.brokerId} is unfenced`);
}

/** For a broker that holds nothing; if it comes back, it is a new one. */
export function forget(state: ControllerState, { brokerId, brokerEpoch }: BrokerRegistration, reason: string): void {
  state.commit([{ type: "UnregisterBrokerRecord", brokerId, brokerEpoch }]);
  state.sessions.forget(brokerId);
  state.note("info", `broker ${brokerId} is forgotten: ${reason}`);
}

export function shutDown(state: ControllerState, broker: BrokerRegistration): void {
  state.commit(beginControlledShutdown(state.image, broker));
  state.note("info", `broker ${broker.brokerId} is shutting down`);
}

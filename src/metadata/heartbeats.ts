import type { BrokerHeartbeatRequest, BrokerHeartbeatResponseInit } from "../protocol/apis/63-broker-heartbeat.ts";
import { errorCode } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { ConnectionId } from "./broker-sessions.ts";
import { fence, shutDown, unfence } from "./controller-state.ts";
import type { ControllerState } from "./controller-state.ts";
import { disqualifyBroker, isSpare } from "./fencing.ts";
import type { BrokerRegistration, ClusterImage } from "./image.ts";
import { confirmRegistration, isConfirmed } from "./registration.ts";

/**
 * A heartbeat keeps a broker's session alive, and moves it through its life (KIP-631):
 *
 *     registered, fenced ──confirmed and caught up──▶ unfenced ──wants to shut down──▶ leaving ──others know──▶ fenced
 *            ▲                                           │ wants to be fenced, is silent, or its connection closes
 *            └───────────────────────────────────────────┘
 *
 * It counts on whichever connection it comes, for the epoch alone says who speaks.
 */
export function heartbeat(
  state: ControllerState,
  connectionId: ConnectionId,
  request: BrokerHeartbeatRequest,
): BrokerHeartbeatResponseInit {
  const { image, sessions } = state;
  const broker = image.brokers.get(request.brokerId);
  if (broker === undefined) return refused("BROKER_ID_NOT_REGISTERED");
  if (broker.brokerEpoch !== request.brokerEpoch) return refused("STALE_BROKER_EPOCH");
  sessions.heard(broker.brokerId, connectionId, request.currentMetadataOffset, state.nowMs);
  if (request.offlineLogDirs.includes(broker.directoryId)) return reportDamage(state, broker);
  state.commit(confirmRegistration(image, broker, request.confirmedGeneration));
  const isCaughtUp = request.currentMetadataOffset >= broker.brokerEpoch;
  const shouldShutDown = advance(state, broker, request, isCaughtUp);
  const { fenced } = image.brokers.get(broker.brokerId)!;
  return { errorCode: errorCode("NONE"), isCaughtUp, isFenced: fenced, shouldShutDown, wallMs: state.wallMs };
}

/** Brings the broker into the state that it asks for and may have. Returns whether it may shut down. */
function advance(
  state: ControllerState,
  broker: BrokerRegistration,
  { wantFence, wantShutDown }: BrokerHeartbeatRequest,
  isCaughtUp: boolean,
): boolean {
  if (broker.fenced) {
    if (!wantFence && !wantShutDown && isCaughtUp && isConfirmed(state.image, broker)) unfence(state, broker);
    return wantShutDown;
  }
  if (wantShutDown || broker.inControlledShutdown) return leave(state, broker);
  if (wantFence) fence(state, broker, "it asked to be");
  return false;
}

/**
 * A broker has found its storage damaged, serves nothing of it any more, and hears whether to give it up (R20). What it
 * held is written off before that, so that of several who ask, one that has something which nobody else has is told to
 * keep it; and who keeps a damaged one is nobody for others to rely on.
 */
function reportDamage(state: ControllerState, broker: BrokerRegistration): BrokerHeartbeatResponseInit {
  const { image } = state;
  const { brokerId, fenced } = broker;
  const isGivenUp = isSpare(image, brokerId);
  if (isGivenUp) state.commit(disqualifyBroker(image, brokerId, () => true));
  if (!fenced) fence(state, broker, "its storage is damaged");
  return isGivenUp ? refused("KAFKA_STORAGE_ERROR") : { errorCode: errorCode("NONE"), shouldShutDown: false };
}

/** A broker may go once every other one knows who leads in its stead. */
function leave(state: ControllerState, broker: BrokerRegistration): boolean {
  if (!broker.inControlledShutdown) shutDown(state, broker);
  const leftAtOffset = state.sessions.leaving(broker.brokerId, state.image.endOffset - 1);
  const isKnown = [...activeBrokers(state.image)].every(
    ({ brokerId }) => state.sessions.metadataOffset(brokerId) >= leftAtOffset,
  );
  if (isKnown) fence(state, broker, "it has shut down");
  return isKnown;
}

export function* activeBrokers(image: ClusterImage): Generator<BrokerRegistration> {
  for (const broker of image.brokers.values()) if (image.isActive(broker.brokerId)) yield broker;
}

function refused(error: ErrorName): BrokerHeartbeatResponseInit {
  return { errorCode: errorCode(error), isCaughtUp: false, isFenced: true, shouldShutDown: false };
}

import type { BrokerRegistrationRequest } from "../protocol/apis/62-broker-registration.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { disqualifyBroker } from "./fencing.ts";
import { registerBrokerRecord } from "./image.ts";
import type { BrokerRegistration, ClusterImage, Listener, StorageDirectory, Topic } from "./image.ts";
import { topicConfig } from "./topic-config.ts";

/**
 * Admits brokers by the identity of their storage (reliability rules R11, R12).
 *
 * A directory presents (generation, nonce), as its last registration left it, and a pending nonce that it has stored
 * already. Storage that was copied or restored presents an older pair, for every registration replaces it:
 *
 *     broker                                      controller
 *     store a pending nonce, register          ─▶ record := (generation + 1, pending, unconfirmed)
 *     store generation + 1, nonce := pending   ◀─
 *     heartbeat with the new generation        ─▶ record := (…, confirmed); the broker may be unfenced
 *
 * While a record is unconfirmed the broker may have crashed before its second step, so the previous pair with the right
 * pending nonce is as good. Unknown storage becomes a new broker; known storage in any other state is refused for good,
 * and has to start over empty, under a directory id of its own. Storage that knows more than the controller is none of
 * these: it is the controller that is a copy (R19), and has no verdict to give.
 */
export type Identity =
  | { readonly kind: "new" }
  | { readonly kind: "known"; readonly directory: StorageDirectory }
  | { readonly kind: "refused"; readonly error: ErrorName; readonly reason: string };

const MAX_LISTENERS = 8;
const MAX_LISTENER_NAME = 64;
const MAX_HOST = 255;
const MAX_RACK = 255;
const MAX_NONCE = 64;
const MAX_GENERATION = 1e12;

export function identify(
  image: ClusterImage,
  controllerEpoch: number,
  request: BrokerRegistrationRequest,
): Identity {
  const { clusterId, generation, nonce, pendingNonce, metadataEpoch, metadataOffset } = request;
  if (clusterId !== "" && clusterId !== image.clusterId) {
    return refused("INCONSISTENT_CLUSTER_ID", `cluster ${clusterId.slice(0, 64)} is not ${image.clusterId}`);
  }
  const flaw = flawOf(request);
  if (flaw !== undefined) return refused("INVALID_REQUEST", flaw);
  const directory = image.directories.get(request.logDirs[0]!);
  const isOvertaken = directory !== undefined && generation > directory.generation;
  if (isOvertaken || metadataEpoch > controllerEpoch || metadataOffset > image.endOffset) {
    return refused(
      "OFFSET_OUT_OF_RANGE",
      `directory ${request.logDirs[0]} has seen epoch ${metadataEpoch} and offset ${metadataOffset} of the metadata, ` +
        `which is at epoch ${controllerEpoch} and offset ${image.endOffset}: was it restored from an old disk?`,
    );
  }
  if (directory === undefined) return { kind: "new" };
  const isAsLeft = generation === directory.generation && nonce === directory.nonce;
  const wasCutShort =
    !directory.confirmed && generation === directory.generation - 1 && pendingNonce === directory.nonce;
  if (isAsLeft || wasCutShort) return { kind: "known", directory };
  return refused(
    "INVALID_REGISTRATION",
    `directory ${directory.directoryId} of broker ${directory.brokerId} presents generation ${generation}, ` +
      `where generation ${directory.generation} is due: it was copied or restored, and must start over empty`,
  );
}

/** Grants a broker epoch. A known broker must have been fenced before (R12). It stays fenced until it confirms. */
export function registerBroker(
  image: ClusterImage,
  request: BrokerRegistrationRequest,
  identity: Exclude<Identity, { kind: "refused" }>,
  listenersFor: (brokerId: number) => readonly Listener[],
): { readonly records: readonly MetadataRecordInit[]; readonly broker: BrokerRegistration } {
  const isKnown = identity.kind === "known";
  const brokerId = isKnown ? identity.directory.brokerId : nextBrokerId(image);
  // What was written before this start counts by the durability that was in force then, of the storage or the topic.
  const mayHaveLost = (topic: Topic) =>
    isKnown && (identity.directory.durability !== "strict" || topicConfig(image, topic.name).durability !== "strict");
  const directoryId = request.logDirs[0]!;
  const before: MetadataRecordInit[] = [
    ...disqualifyBroker(image, brokerId, mayHaveLost),
    {
      type: "StorageIdentityRecord",
      directoryId,
      brokerId,
      generation: request.generation + 1,
      nonce: request.pendingNonce!,
      confirmed: false,
      durability: request.durability,
    },
  ];
  const broker: BrokerRegistration = {
    brokerId,
    directoryId,
    incarnationId: request.incarnationId,
    brokerEpoch: image.endOffset + before.length,
    fenced: true,
    inControlledShutdown: false,
    rack: request.rack,
    listeners: listenersFor(brokerId),
  };
  return { records: [...before, registerBrokerRecord(broker)], broker };
}

/** Node ids count up. The broker with the highest one is not forgotten before there is a higher: none comes twice. */
function nextBrokerId(image: ClusterImage): number {
  return newestBrokerId(image) + 1;
}

export function newestBrokerId(image: ClusterImage): number {
  let highest = 0;
  for (const brokerId of image.brokers.keys()) highest = Math.max(highest, brokerId);
  return highest;
}

/** The heartbeat of a broker that has stored its new generation makes its registration final. */
export function confirmRegistration(
  image: ClusterImage,
  broker: BrokerRegistration,
  confirmedGeneration: number,
): MetadataRecordInit[] {
  const directory = image.directories.get(broker.directoryId);
  if (directory === undefined || directory.confirmed || directory.generation !== confirmedGeneration) return [];
  return [{ type: "StorageIdentityRecord", ...directory, confirmed: true }];
}

export function isConfirmed(image: ClusterImage, broker: BrokerRegistration): boolean {
  return image.directories.get(broker.directoryId)?.confirmed === true;
}

/** Of the brokers that are gone, those that hold nothing. */
export function emptyBrokers(image: ClusterImage, isGone: (brokerId: number) => boolean): BrokerRegistration[] {
  const candidates = [...image.brokers.values()].filter(({ brokerId, fenced }) => fenced && isGone(brokerId));
  if (candidates.length === 0) return [];
  const holders = new Set<number>();
  for (const { replicas } of image.partitions()) for (const node of replicas) holders.add(node);
  return candidates.filter(({ brokerId }) => !holders.has(brokerId));
}

/** What is wrong with the request itself, if anything. */
function flawOf(request: BrokerRegistrationRequest): string | undefined {
  const { logDirs, listeners, rack, generation, nonce, pendingNonce, durability } = request;
  if (logDirs.length !== 1) return `a broker has one storage directory, not ${logDirs.length}`;
  if (generation < 0 || generation > MAX_GENERATION) return `generation ${generation} is out of range`;
  if (pendingNonce === null || pendingNonce === "" || pendingNonce.length > MAX_NONCE) {
    return `a pending nonce has 1 to ${MAX_NONCE} characters`;
  }
  if (pendingNonce === nonce) return "a pending nonce differs from the last one";
  if (durability !== "strict" && durability !== "relaxed") return "durability is strict or relaxed";
  if (rack !== null && rack.length > MAX_RACK) return `a rack has at most ${MAX_RACK} characters`;
  if (listeners.length > MAX_LISTENERS) return `a broker has at most ${MAX_LISTENERS} listeners`;
  const names = new Set(listeners.map(({ name }) => name));
  if (names.size !== listeners.length) return "two listeners have the same name";
  const isTooLong = listeners.some(({ name, host }) => name.length > MAX_LISTENER_NAME || host.length > MAX_HOST);
  return isTooLong ? "a listener's name or host is too long" : undefined;
}

function refused(error: ErrorName, reason: string): Identity {
  return { kind: "refused", error, reason };
}

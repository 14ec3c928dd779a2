import {
  api,
  array,
  boolean,
  int16,
  int32,
  int64,
  nullableString,
  optional,
  string,
  tagged,
  uint16,
  uuid,
} from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * A broker introduces itself to the controller and is granted an epoch (KIP-631).
 *
 * Only v4 is spoken, since both ends are of this project. The tags from 10000 on are extensions for brokers whose
 * storage may be copied, restored or wiped behind their back: the request shows what the storage directory remembers
 * of its last registration, the response what it has to remember next. A broker id of -1 asks the controller for one.
 */
export const brokerRegistration = api({
  key: 62,
  name: "BrokerRegistration",
  versions: [4, 4],
  flexibleFrom: 0,
  request: {
    brokerId: int32,
    clusterId: string,
    incarnationId: uuid,
    listeners: array({ name: string, host: string, port: uint16, securityProtocol: int16 }),
    features: optional(array({ name: string, minSupportedVersion: int16, maxSupportedVersion: int16 }), []),
    rack: nullableString,
    isMigratingZkBroker: optional(boolean, false),
    /** The storage directories; a tab has exactly one. */
    logDirs: array(uuid),
    /** The epoch before a clean shutdown, -1 after any other end (KIP-966). */
    previousBrokerEpoch: optional(int64, -1),
    /** How often this directory was registered; 0 for a new one. */
    generation: tagged(10000, int64, 0),
    /** The nonce of the last confirmed registration, null for none. */
    nonce: tagged(10001, nullableString, null),
    /** The nonce that becomes `nonce` once this registration is confirmed. */
    pendingNonce: tagged(10002, nullableString, null),
    /** Whether an append survives a power cut: "strict", or "relaxed" if the disk may lose its last writes. */
    durability: tagged(10003, string, "strict"),
    /** The newest metadata that this directory has seen: the controller's epoch, and where the log ended. */
    metadataEpoch: tagged(10004, int32, -1),
    metadataOffset: tagged(10005, int64, 0),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    brokerEpoch: optional(int64, -1),
    /** The node id that the controller granted; -1 with an error. */
    brokerId: tagged(10000, int32, -1),
    /** The generation to store, together with the pending nonce. */
    generation: tagged(10001, int64, 0),
  },
});

export type BrokerRegistrationRequest = Request<typeof brokerRegistration>;
export type BrokerRegistrationRequestInit = RequestInit<typeof brokerRegistration>;
export type BrokerRegistrationResponse = Response<typeof brokerRegistration>;
export type BrokerRegistrationResponseInit = ResponseInit<typeof brokerRegistration>;

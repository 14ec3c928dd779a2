import { api, array, boolean, int16, int32, int64, optional, tagged, uuid } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Keeps a broker's registration alive, and carries its wish to be unfenced or to shut down (KIP-631).
 *
 * Only v1 is spoken, which reports failed storage directories (KIP-858). Tag 10000 is an extension: the generation
 * that the broker has stored, which confirms its registration; and, of the response, the server's time of day.
 */
export const brokerHeartbeat = api({
  key: 63,
  name: "BrokerHeartbeat",
  versions: [1, 1],
  flexibleFrom: 0,
  request: {
    brokerId: int32,
    brokerEpoch: optional(int64, -1),
    /** The last offset of the metadata log that the broker has applied. */
    currentMetadataOffset: int64,
    wantFence: boolean,
    wantShutDown: boolean,
    offlineLogDirs: tagged(0, array(uuid), []),
    confirmedGeneration: tagged(10000, int64, -1),
  },
  response: {
    throttleTimeMs: optional(int32, 0),
    errorCode: int16,
    isCaughtUp: optional(boolean, false),
    isFenced: optional(boolean, true),
    shouldShutDown: boolean,
    /** Milliseconds since 1970. Brokers go by it, for a tab's own clock may be days ahead. */
    wallMs: tagged(10000, int64, -1),
  },
});

export type BrokerHeartbeatRequest = Request<typeof brokerHeartbeat>;
export type BrokerHeartbeatRequestInit = RequestInit<typeof brokerHeartbeat>;
export type BrokerHeartbeatResponse = Response<typeof brokerHeartbeat>;
export type BrokerHeartbeatResponseInit = ResponseInit<typeof brokerHeartbeat>;

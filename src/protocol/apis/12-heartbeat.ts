import { api, int16, int32, nullableString, since, string } from "../schema.ts";
import type { Request, RequestInit, Response, ResponseInit } from "../schema.ts";

/**
 * Says that a member of a classic group is alive, and hears whether the group rebalances.
 *
 * v3 has static members (KIP-345); v4 is flexible.
 */
export const heartbeat = api({
  key: 12,
  name: "Heartbeat",
  versions: [0, 4],
  flexibleFrom: 4,
  request: { groupId: string, generationId: int32, memberId: string, groupInstanceId: since(3, nullableString, null) },
  response: { throttleTimeMs: since(1, int32, 0), errorCode: int16 },
});

export type HeartbeatRequest = Request<typeof heartbeat>;
export type HeartbeatRequestInit = RequestInit<typeof heartbeat>;
export type HeartbeatResponse = Response<typeof heartbeat>;
export type HeartbeatResponseInit = ResponseInit<typeof heartbeat>;

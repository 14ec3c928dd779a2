import { endpointOf } from "../../metadata/metadata-response.ts";
import {
  GROUP_COORDINATOR,
  TRANSACTION_COORDINATOR,
  findCoordinator,
} from "../../protocol/apis/10-find-coordinator.ts";
import type { FindCoordinatorResponseInit } from "../../protocol/apis/10-find-coordinator.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Broker } from "../broker.ts";
import type { Handler } from "../handle-request.ts";

type Coordinator = NonNullable<FindCoordinatorResponseInit["coordinators"]>[number];

const KEYS_SINCE = 4;

/**
 * Serves v0 to v5 from the metadata that this broker has followed, with the endpoint of the listener asked: a group's
 * coordinator is the leader of its partition of `__consumer_offsets`. The first to ask has that topic made.
 * Transactions do not exist here yet.
 */
export const findCoordinatorHandler: Handler<typeof findCoordinator> = {
  api: findCoordinator,
  handle(broker, { key, keyType, coordinatorKeys }, { version, listener }, respond) {
    const find = (wanted: string) => coordinatorOf(broker, wanted, keyType, listener);
    if (version >= KEYS_SINCE) return respond({ coordinators: coordinatorKeys.map(find) });
    const { key: _, ...coordinator } = find(key);
    respond(coordinator);
  },
};

function coordinatorOf(broker: Broker, key: string, keyType: number, listener: string): Coordinator {
  const refuse = (error: ErrorName, errorMessage: string): Coordinator => ({
    key,
    nodeId: -1,
    host: "",
    port: -1,
    errorCode: errorCode(error),
    errorMessage,
  });
  if (keyType === TRANSACTION_COORDINATOR) {
    return refuse("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "there are no transactions here yet");
  }
  if (keyType !== GROUP_COORDINATOR) return refuse("INVALID_REQUEST", `there are no coordinators of type ${keyType}`);
  const nodeId = broker.groups.coordinatorOf(key);
  const registered = nodeId === undefined ? undefined : broker.image.brokers.get(nodeId);
  const endpoint = registered === undefined || registered.fenced ? undefined : endpointOf(registered, listener);
  if (nodeId === undefined || endpoint === undefined) {
    return refuse("COORDINATOR_NOT_AVAILABLE", "nobody coordinates that group at the moment");
  }
  return { key, nodeId, host: endpoint.host, port: endpoint.port, errorCode: 0 };
}

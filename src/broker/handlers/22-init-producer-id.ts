import { initProducerId } from "../../protocol/apis/22-init-producer-id.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/**
 * Serves v0 to v5 for idempotent producers: always a fresh producer id, with epoch 0. Transactional ids are refused, as
 * transactions do not exist here yet.
 */
export const initProducerIdHandler: Handler<typeof initProducerId> = {
  api: initProducerId,
  handle(broker, request, _context, respond) {
    const refuse = (error: ErrorName) => respond({ errorCode: errorCode(error), producerEpoch: -1 });
    const self = broker.self();
    // A producer goes on from an id and its epoch, or from neither.
    const isHalf = (request.producerId < 0) !== (request.producerEpoch < 0);
    if (request.transactionalId === "" || isHalf) return refuse("INVALID_REQUEST");
    if (request.transactionalId !== null) return refuse("TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
    if (self === undefined) return refuse("COORDINATOR_NOT_AVAILABLE");
    broker.producerIds.take(self.nodeId, self.brokerEpoch, (producerId) => {
      if (typeof producerId !== "number") return refuse(producerId);
      respond({ errorCode: 0, producerId, producerEpoch: 0 });
    });
  },
};

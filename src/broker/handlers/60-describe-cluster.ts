import { describeCluster } from "../../protocol/apis/60-describe-cluster.ts";
import { describeClusterResponse } from "../../metadata/metadata-response.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 and v1 from the metadata that this broker has followed, with the endpoints of the listener asked. */
export const describeClusterHandler: Handler<typeof describeCluster> = {
  api: describeCluster,
  handle(broker, request, { listener }, respond) {
    respond(describeClusterResponse(broker.image, request, listener, broker.nodeId));
  },
};

import type { IncomingMessage } from "node:http";
import type { ServerLog } from "./server-log.ts";
import type { ServerMetrics } from "./server-metrics.ts";

/** Counts and logs a request that is refused. `kind` is for the metrics, `reason` for people. */
export type RefusalReport = (kind: string, reason: string, request: IncomingMessage) => void;

export function refusalReport(metrics: ServerMetrics, log: ServerLog): RefusalReport {
  return (kind, reason, request) => {
    metrics.refused(kind);
    log("warn", "refused", { reason, address: request.socket.remoteAddress });
  };
}

import type { ServerLog } from "./server-log.ts";
import type { ServerMetrics } from "./server-metrics.ts";

/** A request, or a connection that did not get so far. */
export interface Refused {
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Counts and logs what is refused. `kind` is for the metrics, `reason` for people. */
export type RefusalReport = (kind: string, reason: string, refused: Refused) => void;

export function refusalReport(metrics: ServerMetrics, log: ServerLog): RefusalReport {
  return (kind, reason, { socket }) => {
    metrics.refused(kind);
    log("warn", "refused", { reason, address: socket.remoteAddress });
  };
}

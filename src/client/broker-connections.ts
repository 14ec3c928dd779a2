import { BrokerConnection } from "./broker-connection.ts";
import type { Cluster } from "./cluster.ts";
import { KafkaJSBrokerNotFound } from "./errors.ts";
import type { NetworkEvents } from "./events.ts";
import type { BrokerRegistration } from "../metadata/image.ts";
import { TAB_LISTENER } from "../metadata/listener-names.ts";

/**
 * What a connection is for. Responses come in the order of requests, so whatever must not wait for a long poll has a
 * connection of its own. A member of a group joins and sends heartbeats, one at a time, on one that waits for none of
 * the offsets that it commits.
 */
export type Purpose = "produce" | "fetch" | "query" | "offsets" | "member";

interface Pooled {
  readonly connection: BrokerConnection;
  readonly brokerEpoch: number;
}

/** The connections of one client. A broker that is gone, or has started anew, loses them as soon as that is known. */
export class BrokerConnections {
  readonly #cluster: Cluster;
  readonly #events: NetworkEvents;
  readonly #pool = new Map<string, Pooled>();
  readonly #stopWatching: () => void;

  constructor(cluster: Cluster, events: NetworkEvents) {
    this.#cluster = cluster;
    this.#events = events;
    this.#stopWatching = cluster.watch(() => this.#closeStale());
  }

  /** The connection to a broker, dialled on first use; throws KafkaJSBrokerNotFound for a broker that is not there. */
  to(nodeId: number, purpose: Purpose): BrokerConnection {
    const broker = this.#cluster.image.brokers.get(nodeId);
    const endpoint = broker?.listeners.find(({ name }) => name === TAB_LISTENER);
    if (broker === undefined || endpoint === undefined) {
      throw new KafkaJSBrokerNotFound(`Broker ${nodeId} is not in the cluster`);
    }
    const key = `${purpose}/${nodeId}`;
    const pooled = this.#pool.get(key);
    if (pooled !== undefined) return pooled.connection;
    const connection = new BrokerConnection({
      nodeId,
      dial: () => this.#cluster.dial(endpoint),
      clock: this.#cluster.clock,
      clientId: this.#cluster.clientId,
      connectionTimeoutMs: this.#cluster.connectionTimeoutMs,
      events: this.#events,
    });
    this.#pool.set(key, { connection, brokerEpoch: broker.brokerEpoch });
    return connection;
  }

  close(): void {
    this.#stopWatching();
    for (const { connection } of this.#pool.values()) connection.close("the client was closed");
    this.#pool.clear();
  }

  /**
   * The controller notices a dead tab in milliseconds, its connections perhaps after seconds. Closing them makes what
   * was in flight go to the new leader at once.
   */
  #closeStale(): void {
    for (const [key, { connection, brokerEpoch }] of this.#pool) {
      const broker = this.#cluster.image.brokers.get(connection.nodeId);
      if (broker !== undefined && !broker.fenced && broker.brokerEpoch === brokerEpoch) continue;
      this.#pool.delete(key);
      connection.close(whyStale(connection.nodeId, broker));
    }
  }
}

function whyStale(nodeId: number, broker: BrokerRegistration | undefined): string {
  if (broker === undefined) return `broker ${nodeId} has left the cluster`;
  return broker.fenced ? `broker ${nodeId} is fenced` : `broker ${nodeId} has started anew`;
}

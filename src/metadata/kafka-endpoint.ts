import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import type { ControllerConfig } from "./controller-config.ts";
import { registerBrokerRecord } from "./image.ts";
import type { ClusterImage, Listener } from "./image.ts";
import { KAFKA_LISTENER } from "./listener-names.ts";

/** A broker's own listeners, and its port of the Kafka listener if the server has one and the port exists. */
export function withKafkaEndpoint(
  listeners: readonly Listener[],
  kafka: ControllerConfig["kafkaListener"],
  brokerId: number,
): Listener[] {
  const own = listeners
    .filter(({ name }) => name !== KAFKA_LISTENER)
    .map(({ name, host, port }) => ({ name, host, port }));
  const port = kafka === undefined ? Number.POSITIVE_INFINITY : kafka.basePort + 1 + brokerId;
  return kafka === undefined || port > 65_535 ? own : [...own, { name: KAFKA_LISTENER, host: kafka.host, port }];
}

/**
 * Brokers stay registered while the server restarts, with or without a Kafka listener, or with another one. These
 * records put their endpoints right, and change nothing else.
 */
export function correctKafkaEndpoints(
  image: ClusterImage,
  kafka: ControllerConfig["kafkaListener"],
): MetadataRecordInit[] {
  return [...image.brokers.values()].flatMap((broker) => {
    const listeners = withKafkaEndpoint(broker.listeners, kafka, broker.brokerId);
    return sameKafkaEndpoint(broker.listeners, listeners) ? [] : [registerBrokerRecord({ ...broker, listeners })];
  });
}

function sameKafkaEndpoint(left: readonly Listener[], right: readonly Listener[]): boolean {
  const [one, other] = [left, right].map((listeners) => listeners.find(({ name }) => name === KAFKA_LISTENER));
  return one?.host === other?.host && one?.port === other?.port;
}

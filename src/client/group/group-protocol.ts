import { assignerCluster } from "./assigner-cluster.ts";
import { ConsumerMembership } from "./consumer-membership.ts";
import type { GroupMembership, MembershipOptions } from "./group-membership.ts";
import { ClassicMembership } from "./membership.ts";
import { roundRobin } from "../assigners/round-robin.ts";
import type { Cluster } from "../cluster.ts";
import type { ConsumerConfig } from "../consumer-types.ts";
import { KafkaJSNonRetriableError } from "../errors.ts";
import type { Logger } from "../logger.ts";

export interface GroupEnvironment {
  readonly groupId: string;
  readonly cluster: Cluster;
  readonly logger: Logger;
}

const DEFAULT_SESSION_TIMEOUT_MS = 30_000;
/**
 * Much shorter than KafkaJS's 3,000: only by heartbeats do members hear of a rebalance, and while they do not, nobody
 * reads what a member has left behind.
 */
const DEFAULT_HEARTBEAT_INTERVAL_MS = 100;

/** How to become a member by the protocol that `config` names. Throws for settings that do not go with it. */
export function groupProtocol(
  config: ConsumerConfig,
  environment: GroupEnvironment,
): (options: MembershipOptions) => GroupMembership {
  const { groupProtocol: protocol = "classic", groupRemoteAssignor: remoteAssignor } = config;
  switch (protocol) {
    case "classic":
      refuse(config, ["groupRemoteAssignor"], 'is for groupProtocol "consumer"; name partitionAssigners instead');
      return classic(config, environment);
    case "consumer":
      refuse(config, ["partitionAssigners"], 'is for groupProtocol "classic"; name a groupRemoteAssignor instead');
      refuse(config, ["sessionTimeout", "heartbeatInterval"], 'is for groupProtocol "classic"; leave it out');
      return (options) => new ConsumerMembership({ ...options, remoteAssignor: remoteAssignor ?? null });
    default:
      throw new KafkaJSNonRetriableError(`groupProtocol is "${String(protocol)}"; there are "classic" and "consumer"`);
  }
}

function refuse(config: ConsumerConfig, names: readonly (keyof ConsumerConfig)[], reason: string): void {
  const name = names.find((one) => config[one] !== undefined);
  if (name !== undefined) throw new KafkaJSNonRetriableError(`${name} ${reason}`);
}

function classic(
  config: ConsumerConfig,
  { cluster, groupId, logger }: GroupEnvironment,
): (options: MembershipOptions) => GroupMembership {
  const sessionTimeoutMs = config.sessionTimeout ?? DEFAULT_SESSION_TIMEOUT_MS;
  const heartbeatIntervalMs = config.heartbeatInterval ?? Math.min(DEFAULT_HEARTBEAT_INTERVAL_MS, sessionTimeoutMs / 3);
  if (heartbeatIntervalMs >= sessionTimeoutMs) {
    throw new KafkaJSNonRetriableError(
      `heartbeatInterval (${heartbeatIntervalMs}) must be less than sessionTimeout ` +
        `(${sessionTimeoutMs}), and is best a third of it or less`,
    );
  }
  const makers = config.partitionAssigners ?? [roundRobin];
  const assigners = makers.map((make) => make({ cluster: assignerCluster(cluster), groupId, logger }));
  if (assigners.length === 0) throw new KafkaJSNonRetriableError("partitionAssigners is empty");
  return (options) => new ClassicMembership({ ...options, sessionTimeoutMs, heartbeatIntervalMs, assigners });
}

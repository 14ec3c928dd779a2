import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";
import { TOPIC } from "../../../tests/simulation/topics.ts";
import { partitionKey } from "../../log/stored-log.ts";
import type { Partition } from "../../metadata/partition.ts";
import type { SimulatedTab } from "../../platform/simulated/simulated-tab.ts";

/** What a tab is at present. `unaware`: the controller has fenced its broker, which does not know it yet. */
export type TabState = "running" | "starting" | "fenced" | "unaware" | "frozen" | "stopping" | "dead";

/** `stale`: the tab still leads in an epoch that is over. */
export type CopyRole = "leader" | "in-sync" | "behind" | "stale" | "none";

export interface CopyView {
  readonly role: CopyRole;
  readonly leaderEpoch: number;
}

export interface TabView {
  readonly name: string;
  readonly profile: string;
  /** -1 before the first registration. */
  readonly brokerId: number;
  readonly state: TabState;
  /** One per partition. */
  readonly copies: readonly CopyView[];
}

export const STATE_WORDS: Readonly<Record<TabState, string>> = {
  running: "running",
  starting: "starting",
  fenced: "fenced",
  unaware: "unaware",
  frozen: "frozen",
  stopping: "leaving",
  dead: "dead",
};

export function tabViews({ tabs, server }: SimulatedCluster): readonly TabView[] {
  const partitions = server.image?.topicNamed(TOPIC)?.partitions ?? [];
  return tabs.map((tab) => ({
    name: tab.name,
    profile: tab.profile,
    brokerId: tab.storage.image.identity.brokerId,
    state: stateOf(tab, (brokerId) => server.image?.isActive(brokerId) === true),
    copies: partitions.map((partition) => copyOf(tab, partition)),
  }));
}

function stateOf({ core, frozen }: SimulatedTab, isActive: (brokerId: number) => boolean): TabState {
  if (core === undefined) return "dead";
  if (frozen) return "frozen";
  switch (core.state) {
    case "running":
      return isActive(core.nodeId) ? "running" : "unaware";
    case "starting":
    case "fenced":
    case "stopping":
      return core.state;
    default:
      return "dead";
  }
}

export function copyOf({ core, storage }: SimulatedTab, partition: Partition): CopyView {
  const { topicId, partitionIndex, leader, leaderEpoch, isr, replicas, addingReplicas } = partition;
  const brokerId = storage.image.identity.brokerId;
  const role = core?.replica(partitionKey(topicId, partitionIndex))?.role;
  if (role?.kind === "leader" && role.state.leaderEpoch < leaderEpoch) {
    return { role: "stale", leaderEpoch: role.state.leaderEpoch };
  }
  if (brokerId === leader) return { role: "leader", leaderEpoch };
  if (isr.includes(brokerId)) return { role: "in-sync", leaderEpoch };
  const isAssigned = replicas.includes(brokerId) || addingReplicas.includes(brokerId);
  return { role: isAssigned ? "behind" : "none", leaderEpoch };
}

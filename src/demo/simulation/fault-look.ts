import { clientAimedAt, placeAimedAt } from "../../../tests/simulation/faults.ts";
import type { Fault } from "../../../tests/simulation/schedule.ts";
import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";

/** What part of the world a fault is about; each has a colour. */
export type FaultArea = "tab" | "disk" | "network" | "server" | "client" | "topic";

export const FAULT_AREAS: readonly FaultArea[] = ["tab", "disk", "network", "server", "client", "topic"];

export function faultArea(kind: string): FaultArea {
  if (/-(producer|consumer|client|client-links|member)$/.test(kind)) return "client";
  if (/^(kill|pause|fill|slow)-server|^server-/.test(kind)) return "server";
  if (/storage|power/.test(kind)) return "disk";
  if (/topic|partition|records|^alter-/.test(kind)) return "topic";
  return /cut|isolate|deaf|mute|link|relay|slow/.test(kind) ? "network" : "tab";
}

/** Whom a fault that comes now befalls: its target is counted among whatever there is. */
export function faultTarget(fault: Fault, cluster: SimulatedCluster): string {
  const { kind, aim, target } = fault;
  switch (faultArea(kind)) {
    case "server":
      return "server";
    case "topic":
      return "the topic";
    case "client":
      return clientTarget(fault, cluster) ?? "nobody";
    default: {
      const tab = cluster.tabs[target % cluster.tabs.length];
      const name = aim === "any" ? `${tab?.name}` : `a ${aim}`;
      return /profile|power/.test(kind) ? `the profile of ${name}` : name;
    }
  }
}

/** Undefined if there is none of the sort. */
function clientTarget(fault: Fault, cluster: SimulatedCluster): string | undefined {
  const { kind, target } = fault;
  const { schedule, sdkClients } = cluster;
  const numbered = (role: string, count: number) => (count === 0 ? undefined : `${role}-${target % count}`);
  switch (kind) {
    case "crash-producer":
      return numbered("producer", schedule.producers);
    case "crash-consumer":
      return numbered("consumer", schedule.consumers);
    case "freeze-client":
      return sdkClients[target % Math.max(1, sdkClients.length)]?.node;
    case "isolate-client":
    case "break-client-links":
      return clientAimedAt(cluster, fault);
    default: {
      const place = placeAimedAt(cluster, fault);
      // Who joins does so beside those who are always there.
      return place?.group.nodes[kind === "join-member" ? place.group.size : place.index];
    }
  }
}

/** "freeze tab: tab-3 for 1.20 s"; the kind alone before it has a target. */
export function describeFault({ kind, durationMs }: Fault, target: string | undefined): string {
  const lasting = durationMs > 0 ? ` for ${(durationMs / 1000).toFixed(2)} s` : "";
  return `${kind.replaceAll("-", " ")}${target === undefined ? "" : `: ${target}`}${lasting}`;
}

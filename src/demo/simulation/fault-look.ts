import type { Fault } from "../../../tests/simulation/schedule.ts";
import type { SimulatedCluster } from "../../../tests/simulation/simulated-cluster.ts";

/** What part of the world a fault is about; each has a colour. */
export type FaultArea = "tab" | "disk" | "network" | "server" | "client" | "topic";

export const FAULT_AREAS: readonly FaultArea[] = ["tab", "disk", "network", "server", "client", "topic"];

export function faultArea(kind: string): FaultArea {
  if (kind.startsWith("crash-")) return "client";
  if (/^(kill|pause|fill|slow)-server|^server-/.test(kind)) return "server";
  if (/storage|power/.test(kind)) return "disk";
  if (/topic|partitions|^alter-/.test(kind)) return "topic";
  return /cut|isolate|deaf|mute|link|relay|slow/.test(kind) ? "network" : "tab";
}

/** Whom a fault that comes now befalls: its target is counted among whatever there is. */
export function faultTarget({ kind, aim, target }: Fault, { tabs, schedule }: SimulatedCluster): string {
  switch (faultArea(kind)) {
    case "server":
      return "server";
    case "topic":
      return "the topic";
    case "client": {
      const role = kind.replace("crash-", "");
      const count = role === "producer" ? schedule.producers : schedule.consumers;
      return `${role}-${count === 0 ? 0 : target % count}`;
    }
    default: {
      const tab = tabs[target % tabs.length];
      const name = aim === "any" ? `${tab?.name}` : `a ${aim}`;
      return /profile|power/.test(kind) ? `the profile of ${name}` : name;
    }
  }
}

/** "freeze tab: tab-3 for 1.20 s"; the kind alone before it has a target. */
export function describeFault({ kind, durationMs }: Fault, target: string | undefined): string {
  const lasting = durationMs > 0 ? ` for ${(durationMs / 1000).toFixed(2)} s` : "";
  return `${kind.replaceAll("-", " ")}${target === undefined ? "" : `: ${target}`}${lasting}`;
}

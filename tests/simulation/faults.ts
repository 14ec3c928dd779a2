import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { SERVER } from "../../src/platform/simulated/simulated-server.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import type { Fault, FaultKind } from "./schedule.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";

/** Undoes what a fault left behind; called at its end, or early when everything is healed. */
type Heal = () => void;

/** Carries out the schedule's faults, each at its time, and ends them all when asked to. */
export class Faults {
  readonly #cluster: SimulatedCluster;
  readonly #heals = new Set<Heal>();
  #over = false;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  begin(faults: readonly Fault[], startUs: number): void {
    for (const fault of faults) {
      this.#cluster.time.at(startUs + fault.atMs * 1000, () => {
        if (!this.#over) this.#happen(fault);
      });
    }
  }

  healAll(): void {
    this.#over = true;
    for (const heal of [...this.#heals]) heal();
    this.#cluster.server.start();
    for (const tab of this.#cluster.tabs) this.#cluster.startTab(tab);
  }

  #happen(fault: Fault): void {
    const { time } = this.#cluster;
    this.#cluster.note(`fault: ${fault.kind} ${fault.target}/${fault.other} for ${fault.durationMs} ms`);
    const undo = effects[fault.kind](this.#cluster, fault);
    if (undo === undefined) return this.#cluster.note("fault: has no target at present");
    this.#cluster.mark(`fault ${fault.kind}`);
    const heal = () => {
      if (this.#heals.delete(heal)) undo();
    };
    this.#heals.add(heal);
    time.after(fault.durationMs, heal);
  }
}

type Effect = (cluster: SimulatedCluster, fault: Fault) => Heal | undefined;

const nothing: Heal = () => {};

const effects: Record<FaultKind, Effect> = {
  "kill-tab": onTab((cluster, tab) => {
    tab.kill();
    return () => cluster.startTab(tab);
  }),
  "reload-tab": onTab((cluster, tab) => {
    tab.kill();
    cluster.time.after(20, () => cluster.startTab(tab));
    return nothing;
  }),
  "close-tab": onTab((cluster, tab) => {
    tab.close();
    return () => {
      tab.kill();
      cluster.startTab(tab);
    };
  }),
  "freeze-tab": onTab((_, tab) => {
    tab.freeze();
    return () => tab.thaw();
  }),
  "sleep-tab": onTab((_, tab) => {
    tab.freeze();
    return () => tab.thaw(true);
  }),
  "kill-profile": onProfile((cluster, tabs) => {
    for (const tab of tabs) tab.kill();
    return () => {
      for (const tab of tabs) cluster.startTab(tab);
    };
  }),
  "sleep-profile": onProfile((_, tabs) => {
    for (const tab of tabs) tab.freeze();
    return () => {
      for (const tab of tabs) tab.thaw(true);
    };
  }),
  "lose-power": onProfile((cluster, tabs) => {
    const { relaxedTopic } = cluster.schedule;
    const mayForget = tabs.filter(({ storage }) => relaxedTopic || storage.image.identity.durability === "relaxed");
    if (mayForget.length > 0 && !cluster.isSpare(mayForget)) return undefined;
    for (const tab of tabs) {
      tab.kill();
      if (mayForget.includes(tab)) cluster.noteDamage(tab);
      tab.storage.losePower();
    }
    return () => {
      for (const tab of tabs) cluster.startTab(tab);
    };
  }),
  "wipe-storage": onSpare((cluster, tab) => {
    const { durability } = tab.storage.image.identity;
    tab.kill();
    cluster.damage(tab, { identity: cluster.newIdentity(durability), logs: StoredLogs.empty });
    return () => cluster.startTab(tab);
  }),
  "restore-storage": onSpare((cluster, tab) => {
    const backup = cluster.backups.get(tab);
    // The newest backup is of before the present registration, so that the controller can tell.
    if (backup === undefined || backup.identity.generation >= tab.storage.image.identity.generation) return undefined;
    tab.kill();
    cluster.damage(tab, backup);
    return () => cluster.startTab(tab);
  }),
  "clone-storage": (cluster, { target }) => {
    if (cluster.tabs.length > 6) return undefined;
    const tab = cluster.tabs[target % cluster.tabs.length]!;
    const backup = cluster.backups.get(tab);
    if (tab.core === undefined || backup === undefined) return undefined;
    if (backup.identity.generation >= tab.storage.image.identity.generation) return undefined;
    const clone = cluster.addTab(`profile-clone-${cluster.tabs.length}`, backup);
    cluster.noteDamage(clone);
    return () => clone.kill();
  },
  "damage-storage": onSpare((cluster, tab, { other }) => {
    const { identity, logs } = tab.storage.image;
    const key = logs.keys[other % Math.max(1, logs.keys.length)];
    if (key === undefined || logs.endOffset(key) === 0) return undefined;
    tab.kill();
    cluster.damage(tab, {
      identity,
      logs: logs.withChunks(key, (chunks) =>
        chunks.map((chunk, at) => {
          if (at !== chunks.length - 1) return chunk;
          const bytes = chunk.bytes.slice();
          bytes[bytes.length - 1]! ^= 0x10;
          return { ...chunk, bytes };
        }),
      ),
    });
    return () => cluster.startTab(tab);
  }),
  "fill-storage": onTab((_, tab) => {
    tab.storage.failFromNowOn("QuotaExceededError");
    return nothing;
  }),
  "stall-storage": onTab((_, tab, { durationMs }) => {
    tab.storage.stall(durationMs);
    return nothing;
  }),
  "close-storage": onTab((_, tab) => {
    tab.dispatch({ type: "storage-failed", reason: "the database was closed" });
    return nothing;
  }),
  cut: betweenTabs((cluster, one, two) => cutWays(cluster, [[one, two], [two, one]])),
  "cut-one-way": betweenTabs((cluster, one, two) => cutWays(cluster, [[one, two]])),
  "isolate-tab": onTab((cluster, tab) => {
    return cutWays(cluster, waysBetween(tab.name, [...otherTabs(cluster, tab), ...clients(cluster), SERVER]));
  }),
  "isolate-from-server": onTab((cluster, tab) => cutWays(cluster, waysBetween(tab.name, [SERVER]))),
  "isolate-from-tabs": onTab((cluster, tab) => cutWays(cluster, waysBetween(tab.name, otherTabs(cluster, tab)))),
  "deaf-to-server": onTab((cluster, tab) => cutWays(cluster, [[SERVER, tab.name]])),
  "mute-to-server": onTab((cluster, tab) => cutWays(cluster, [[tab.name, SERVER]])),
  "deaf-to-tab": onTab((cluster, tab) => cutWays(cluster, otherTabs(cluster, tab).map((other) => [tab.name, other]))),
  "break-link": betweenTabs((cluster, one, two) => {
    cluster.network.breakLinks(one, two, 1, 1);
    return nothing;
  }),
  "half-open-link": betweenTabs((cluster, one, two, { durationMs }) => {
    cluster.network.breakLinks(one, two, 1, durationMs);
    return nothing;
  }),
  "slow-link": betweenTabs((cluster, one, two, { other }) => {
    cluster.network.slowDown(one, two, 2 + (other % 100));
    return () => cluster.network.slowDown(one, two, 1);
  }),
  "kill-server": ({ server }) => {
    server.kill();
    return () => server.start();
  },
  "pause-server": ({ server }) => {
    server.pause();
    return () => server.resume();
  },
  "slow-server-disk": ({ server }, { durationMs }) => {
    server.slowDisk(durationMs);
    return nothing;
  },
  "fill-server-disk": ({ server }) => {
    server.failNextWrite();
    return nothing;
  },
  "crash-producer": ({ producers }, { target }) => {
    producers[target % producers.length]?.crash();
    return nothing;
  },
  "crash-consumer": (cluster, { target }) => {
    const index = target % cluster.consumers.length;
    cluster.consumers[index]?.crash();
    cluster.consumers[index] = cluster.newConsumer(`consumer-${index}`);
    return nothing;
  },
};

function onTab(effect: (cluster: SimulatedCluster, tab: SimulatedTab, fault: Fault) => Heal | undefined): Effect {
  return (cluster, fault) => {
    const tab = cluster.tabs[fault.target % cluster.tabs.length]!;
    return tab.core === undefined || tab.frozen ? undefined : effect(cluster, tab, fault);
  };
}

/** For faults that destroy a copy: never the last one. */
function onSpare(effect: (cluster: SimulatedCluster, tab: SimulatedTab, fault: Fault) => Heal | undefined): Effect {
  return onTab((cluster, tab, fault) => (cluster.isSpare([tab]) ? effect(cluster, tab, fault) : undefined));
}

function onProfile(effect: (cluster: SimulatedCluster, tabs: readonly SimulatedTab[]) => Heal | undefined): Effect {
  return onTab((cluster, { profile }) => effect(cluster, cluster.tabs.filter((tab) => tab.profile === profile)));
}

function betweenTabs(
  effect: (cluster: SimulatedCluster, one: NodeName, two: NodeName, fault: Fault) => Heal | undefined,
): Effect {
  return (cluster, fault) => {
    const names = [...cluster.tabs.map(({ name }) => name), ...clients(cluster), SERVER];
    const one = cluster.tabs[fault.target % cluster.tabs.length]!.name;
    const others = names.filter((name) => name !== one);
    return effect(cluster, one, others[fault.other % others.length]!, fault);
  };
}

function cutWays({ network }: SimulatedCluster, ways: readonly (readonly [NodeName, NodeName])[]): Heal {
  for (const [from, to] of ways) network.cut(from, to);
  return () => {
    for (const [from, to] of ways) network.heal(from, to);
  };
}

function waysBetween(one: NodeName, others: readonly NodeName[]): (readonly [NodeName, NodeName])[] {
  return others.flatMap((other) => [[one, other] as const, [other, one] as const]);
}

function otherTabs({ tabs }: SimulatedCluster, { name }: SimulatedTab): NodeName[] {
  return tabs.filter((tab) => tab.name !== name).map((tab) => tab.name);
}

function clients({ schedule }: SimulatedCluster): NodeName[] {
  const named = (kind: string, count: number) => Array.from({ length: count }, (_, index) => `${kind}-${index}`);
  return [...named("producer", schedule.producers), ...named("consumer", schedule.consumers)];
}

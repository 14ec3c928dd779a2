import { OFFSETS_TOPIC } from "../../src/coordinator/group-partition.ts";
import type { Topic } from "../../src/metadata/image.ts";
import type { Partition } from "../../src/metadata/partition.ts";
import { StoredLogs } from "../../src/platform/simulated/stored-logs.ts";
import type { NodeName } from "../../src/platform/simulated/network.ts";
import { SERVER } from "../../src/platform/simulated/simulated-server.ts";
import type { SimulatedTab, TimeOfDay } from "../../src/platform/simulated/simulated-tab.ts";
import type { GroupUse } from "./group-use.ts";
import { COORDINATOR } from "./schedule.ts";
import type { Fault, FaultKind, Occasion } from "./schedule.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { PASSING_TOPIC, TOPIC } from "./topics.ts";

/** Undoes what a fault left behind; called at its end, or early when everything is healed. */
type Heal = () => void;

/** Carries out the schedule's faults, each at its time or the first occasion after, and ends them all when asked to. */
export class Faults {
  readonly #cluster: SimulatedCluster;
  readonly #heals = new Set<Heal>();
  /** Faults whose time has come, and whose occasion has not. */
  #armed: Fault[] = [];
  #over = false;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  begin(faults: readonly Fault[], startUs: number): void {
    const { time, controllerWatch, oracle } = this.#cluster;
    for (const fault of faults) {
      time.at(startUs + fault.atMs * 1000, () => {
        if (this.#over) return;
        if (fault.on === "time") this.#happen(fault);
        else this.#armed.push(fault);
      });
    }
    controllerWatch.onOccasion((occasion) => this.#occur(occasion));
    oracle.groups?.onOccasion((occasion) => this.#occur(occasion));
  }

  healAll(): void {
    this.#over = true;
    for (const heal of [...this.#heals]) heal();
    this.#cluster.server.start();
    // A page whose directory is another one's by now is no tab any more.
    for (const tab of [...this.#cluster.tabs]) this.#cluster.startTab(tab);
  }

  /** The decision is made and not yet on the disk. */
  #occur(occasion: Occasion): void {
    const due = this.#armed.filter(({ on }) => on === occasion);
    if (due.length === 0) return;
    this.#armed = this.#armed.filter(({ on }) => on !== occasion);
    this.#cluster.time.after(0, () => {
      for (const fault of due) if (!this.#over) this.#happen(fault);
    });
  }

  #happen(fault: Fault): void {
    const { time } = this.#cluster;
    this.#cluster.note(`fault: ${fault.kind} ${fault.target}/${fault.other} for ${fault.durationMs} ms`);
    const undo = effects[fault.kind](this.#cluster, fault);
    this.#cluster.faultCame?.(fault, undo !== undefined);
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
  "reload-storm": onTab((cluster, tab) => {
    let isOver = false;
    const reload = () => {
      if (isOver) return;
      tab.kill();
      cluster.time.after(20, () => cluster.startTab(tab));
      cluster.time.after(cluster.faultChance.between(40, 600), reload);
    };
    reload();
    return () => {
      isOver = true;
      cluster.startTab(tab);
    };
  }),
  // A browser freezes a tab before it takes its memory back, and loads it again when somebody looks at it.
  "discard-tab": onTab((cluster, tab) => {
    const { starts } = tab;
    tab.freeze();
    cluster.time.after(500, () => {
      if (tab.starts === starts) tab.kill();
    });
    return () => {
      tab.kill();
      cluster.startTab(tab);
    };
  }),
  // Somebody stole the lock: two tabs have one directory, and the first does not know until its next write.
  "duplicate-tab": onTab((cluster, tab) => {
    if (cluster.tabs.length > 6) return undefined;
    cluster.duplicateTab(tab);
    return () => tab.dispatch({ type: "storage-failed", reason: "another tab has the lock of this directory" });
  }),
  "throttle-timers": onTab((_, tab) => {
    tab.throttleTimers(1_000);
    return () => tab.throttleTimers(0);
  }),
  "tab-clock-rate": onTab((_, tab, { other }) => {
    tab.setClockRate(rateOf(other));
    return () => tab.setClockRate(1);
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
  "sleep-tab": onTab((_, tab, fault) => {
    tab.freeze();
    return () => tab.wake(timeOfDay(fault));
  }),
  "kill-profile": onProfile((cluster, tabs) => {
    for (const tab of tabs) tab.kill();
    return () => {
      for (const tab of tabs) cluster.startTab(tab);
    };
  }),
  "sleep-profile": onProfile((_, tabs, fault) => {
    for (const tab of tabs) tab.freeze();
    return () => {
      for (const tab of tabs) tab.wake(timeOfDay(fault));
    };
  }),
  "lose-power": onProfile((cluster, tabs) => {
    for (const tab of tabs) tab.kill();
    return () => {
      for (const tab of tabs) losePower(cluster, tab);
      for (const tab of tabs) cluster.startTab(tab);
    };
  }),
  "wipe-storage": onCopy((cluster, tab) => {
    const { durability } = tab.storage.image.identity;
    cluster.damage(tab, { identity: cluster.newIdentity(durability), logs: StoredLogs.empty });
  }),
  "restore-storage": onCopy((cluster, tab) => {
    const backup = cluster.backups.get(tab);
    // The newest backup is of before the last registration, so that the controller can tell.
    if (backup === undefined || backup.identity.generation >= tab.storage.image.identity.generation) return;
    cluster.damage(tab, backup);
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
  "damage-storage": onCopy((cluster, tab, { other }) => {
    // Damage far from the log's end may go unseen until its copy is in sync again; where restarts take all others out
    // of the ISR, that copy may then be the last (R11).
    if (cluster.schedule.relaxedTopic) return;
    const { identity, logs } = tab.storage.image;
    const key = logs.keys[other % Math.max(1, logs.keys.length)];
    if (key === undefined || logs.endOffset(key) === 0) return;
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
  }),
  "fill-storage": onTab((_, tab) => {
    tab.storage.failFromNowOn("QuotaExceededError");
    return nothing;
  }),
  "stall-storage": onTab((_, tab, { durationMs }) => {
    tab.storage.stall(durationMs);
    return nothing;
  }),
  "slow-storage": onTab((_, tab, { other }) => {
    tab.storage.slowDown(20 + (other % 30) * 10);
    return () => tab.storage.slowDown(0);
  }),
  "close-storage": onTab((_, tab) => {
    tab.dispatch({ type: "storage-failed", reason: "the database was closed" });
    return nothing;
  }),
  cut: betweenTabs((cluster, one, two) => cutWays(cluster, [[one, two], [two, one]])),
  "cut-one-way": betweenTabs((cluster, one, two) => cutWays(cluster, [[one, two]])),
  "flap-link": betweenTabs((cluster, one, two) => {
    let heal: Heal | undefined;
    let isOver = false;
    const flap = () => {
      if (isOver) return;
      if (heal === undefined) heal = cutWays(cluster, [[one, two], [two, one]]);
      else {
        heal();
        heal = undefined;
      }
      cluster.time.after(cluster.faultChance.between(100, 2_000), flap);
    };
    flap();
    return () => {
      isOver = true;
      heal?.();
    };
  }),
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
  "slow-from-server": onTab(({ network }, { name }, { other }) => {
    network.slowDown(SERVER, name, 50 + (other % 40) * 10);
    return () => network.slowDown(SERVER, name, 1);
  }),
  "slow-to-server": onTab(({ network }, { name }, { other }) => {
    network.slowDown(name, SERVER, 50 + (other % 40) * 10);
    return () => network.slowDown(name, SERVER, 1);
  }),
  "slow-reader": betweenTabs(({ network }, one, two, { target }) => {
    network.throttle(one, two, 1 + (target % 20));
    return () => network.throttle(one, two, Number.POSITIVE_INFINITY);
  }),
  "relay-outage": ({ network, server, schedule }) => {
    if (schedule.relayedTabs === 0) return undefined;
    network.stopRelay();
    return () => {
      if (server.running) network.startRelay();
    };
  },
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
  "server-clock-jump": ({ server }, { durationMs }) => {
    server.jumpClock(durationMs);
    return nothing;
  },
  "server-clock-stop": ({ server }) => {
    server.setClockRate(0);
    return () => server.setClockRate(1);
  },
  "server-clock-rate": ({ server }, { other }) => {
    server.setClockRate(rateOf(other));
    return () => server.setClockRate(1);
  },
  "crash-producer": ({ producers }, { target }) => {
    producers[target % Math.max(1, producers.length)]?.crash();
    return nothing;
  },
  "freeze-client": ({ sdkClients }, { target }) => {
    const page = sdkClients[target % sdkClients.length];
    page?.freeze();
    return page === undefined ? undefined : () => page.thaw();
  },
  "isolate-client": onClient((cluster, client) => {
    return cutWays(cluster, waysBetween(client, [...cluster.tabs.map(({ name }) => name), SERVER]));
  }),
  "break-client-links": onClient((cluster, client) => {
    for (const { name } of cluster.tabs) cluster.network.breakLinks(client, name, 1, 1);
    return nothing;
  }),
  "crash-consumer": (cluster, { target }) => {
    if (cluster.consumers.length === 0) return undefined;
    const index = target % cluster.consumers.length;
    cluster.consumers[index]?.crash();
    cluster.startConsumer(index);
    return nothing;
  },
  "crash-member": onMember((group, index) => {
    group.crash(index);
    return () => group.beginAgain(index);
  }),
  "close-member": onMember((group, index) => {
    group.members[index]?.close();
    return () => group.beginAgain(index);
  }),
  "freeze-member": onMember((group, index) => {
    const member = group.members[index];
    member?.freeze();
    return () => member?.thaw();
  }),
  "pause-member": onMember((group, index) => {
    const member = group.members[index];
    member?.pause();
    return () => member?.resume();
  }),
  "isolate-member": onMember((group, index, cluster) => {
    return cutWays(cluster, waysBetween(group.nodes[index]!, [...cluster.tabs.map(({ name }) => name), SERVER]));
  }),
  // One more for a while, which sometimes goes without a word.
  "join-member": onMember((group, _, __, { other }) => {
    const index = group.size;
    if (group.members[index]?.isOver === false) return undefined;
    group.begin(index);
    return () => (other % 3 === 0 ? group.crash(index) : group.members[index]?.close());
  }),
  // Whoever has a name of its own takes its place back while another process has it.
  "replace-member": onMember((group, index) => {
    group.replace(index);
    return nothing;
  }),
  "remake-topic": ({ admin, schedule }) => {
    if (schedule.passingPartitions === 0) return undefined;
    admin.deleteTopic(PASSING_TOPIC);
    return () => admin.createTopic(PASSING_TOPIC, schedule.passingPartitions);
  },
  "add-partitions": ({ admin, server, schedule }) => {
    // Consumers of the SDK are assigned what there is when they start.
    if (schedule.sdkConsumers > 0) return undefined;
    const count = (server.image?.topicNamed(TOPIC)?.partitions.length ?? MOST_PARTITIONS) + 1;
    if (count > MOST_PARTITIONS) return undefined;
    admin.createPartitions(TOPIC, count);
    return nothing;
  },
  "alter-min-isr": ({ admin, schedule }, { other }) => {
    admin.alterConfigs(TOPIC, { "min.insync.replicas": String(1 + (other % 3)) });
    return () => admin.alterConfigs(TOPIC, { "min.insync.replicas": String(schedule.minInsyncReplicas) });
  },
  "alter-retention": ({ admin, schedule }, { other }) => {
    admin.alterConfigs(TOPIC, retentions[other % retentions.length]!);
    const { retentionBytes } = schedule;
    return () => admin.alterConfigs(TOPIC, { "retention.ms": "-1", "retention.bytes": String(retentionBytes) });
  },
  // Kafka's tools move partitions so; the wish lasts until somebody says how many copies there are to be.
  "reassign-partition": (cluster, fault) => {
    const { admin, server } = cluster;
    const partition = partitionAimedAt(cluster, fault);
    const topic = server.image?.topics.get(partition?.topicId ?? "")?.name;
    const brokers = [...(server.image?.brokers.keys() ?? [])].filter((node) => server.image!.isActive(node));
    const size = 2 + (fault.other % 2);
    if (partition === undefined || topic === undefined || brokers.length < size) return undefined;
    const first = Math.floor(fault.other / 2);
    const target = Array.from({ length: size }, (_, index) => brokers[(first + index) % brokers.length]!);
    admin.reassign(topic, partition.partitionIndex, target);
    return () => {
      // A broker that it waits for may have gone for good; a move that is over already cannot be taken back.
      admin.reassign(topic, partition.partitionIndex, null);
      admin.alterConfigs(topic, { "replication.factor": "3" });
    };
  },
  "delete-records": (cluster, fault) => {
    const { admin, tabs } = cluster;
    const topic = cluster.server.image?.topicNamed(TOPIC);
    const partition = topic?.partitions[fault.target % topic.partitions.length];
    const leader = tabs.find(({ core, storage }) => core !== undefined && storage.image.identity.brokerId === partition?.leader);
    if (partition === undefined || leader === undefined) return undefined;
    admin.deleteRecords(leader.name, TOPIC, partition.partitionIndex);
    return nothing;
  },
};

const MOST_PARTITIONS = 6;
const retentions = [{ "retention.bytes": "1000" }, { "retention.bytes": "10000" }, { "retention.ms": "3000" }];

/** From half to twice the usual. */
function rateOf(drawn: number): number {
  return 0.5 + (drawn % 16) / 10;
}

/** What the time of day says of a sleep. */
function timeOfDay({ other }: Fault): TimeOfDay {
  return (["stood", "went on", "days passed"] as const)[other % 3]!;
}

/** The partition that the fault is after; those of the main topic are counted first. */
function partitionAimedAt({ server }: SimulatedCluster, { target, aim }: Fault): Partition | undefined {
  if (aim === COORDINATOR) {
    const partitions = server.image?.topicNamed(OFFSETS_TOPIC)?.partitions ?? [];
    return partitions[target % Math.max(1, partitions.length)];
  }
  const topics = [...(server.image?.topics.values() ?? [])];
  const isMain = ({ name }: Topic) => name === TOPIC;
  const inOrder = [...topics.filter(isMain), ...topics.filter((topic) => !isMain(topic))];
  const partitions = inOrder.flatMap((topic) => topic.partitions);
  return partitions[target % Math.max(1, partitions.length)];
}

/** The tab that the fault is after, if there is such a one. */
function aimedAt(cluster: SimulatedCluster, fault: Fault): SimulatedTab | undefined {
  const { tabs } = cluster;
  const { aim, target, other } = fault;
  if (aim === "any") return tabs[target % tabs.length];
  const partition = partitionAimedAt(cluster, fault);
  if (partition === undefined) return undefined;
  const { leader, replicas } = partition;
  const followers = replicas.filter((node) => node !== leader);
  const node = aim !== "follower" ? leader : followers[other % Math.max(1, followers.length)];
  return tabs.find(({ storage }) => storage.image.identity.brokerId === node);
}

function onTab(effect: (cluster: SimulatedCluster, tab: SimulatedTab, fault: Fault) => Heal | undefined): Effect {
  return (cluster, fault) => {
    const tab = aimedAt(cluster, fault);
    return tab?.core === undefined || tab.frozen ? undefined : effect(cluster, tab, fault);
  };
}

/**
 * For faults that destroy a copy. The page goes first: only once the controller knows that it is gone is it certain
 * whether others can go on without it. If not, the copy stays.
 */
function onCopy(destroy: (cluster: SimulatedCluster, tab: SimulatedTab, fault: Fault) => void): Effect {
  return onTab((cluster, tab, fault) => {
    tab.kill();
    return () => {
      if (tab.core === undefined && cluster.isSpare(tab)) destroy(cluster, tab, fault);
      cluster.startTab(tab);
    };
  });
}

function losePower(cluster: SimulatedCluster, tab: SimulatedTab): void {
  if (tab.core !== undefined) return;
  const isRelaxed = cluster.schedule.relaxedTopic || tab.storage.image.identity.durability === "relaxed";
  if (isRelaxed && !cluster.isSpare(tab)) return;
  if (isRelaxed) cluster.noteDamage(tab);
  if (tab.storage.losePower()) cluster.mark("power lost with unflushed data");
}

function onProfile(
  effect: (cluster: SimulatedCluster, tabs: readonly SimulatedTab[], fault: Fault) => Heal | undefined,
): Effect {
  return onTab((cluster, { profile }, fault) => {
    return effect(cluster, cluster.tabs.filter((tab) => tab.profile === profile), fault);
  });
}

function onClient(effect: (cluster: SimulatedCluster, client: NodeName) => Heal): Effect {
  return (cluster, fault) => {
    const client = clientAimedAt(cluster, fault);
    return client === undefined ? undefined : effect(cluster, client);
  };
}

/** A client of any sort; undefined if there are none. */
export function clientAimedAt(cluster: SimulatedCluster, { target }: Fault): NodeName | undefined {
  const names = clients(cluster);
  return names[target % Math.max(1, names.length)];
}

function onMember(
  effect: (group: GroupUse, index: number, cluster: SimulatedCluster, fault: Fault) => Heal | undefined,
): Effect {
  return (cluster, fault) => {
    const place = placeAimedAt(cluster, fault);
    return place === undefined ? undefined : effect(place.group, place.index, cluster, fault);
  };
}

/** The place of a member; they are counted group by group. Undefined if there are none. */
export function placeAimedAt({ groups }: SimulatedCluster, { target }: Fault) {
  const places = groups.flatMap((group) => Array.from({ length: group.size }, (_, index) => ({ group, index })));
  return places[target % Math.max(1, places.length)];
}

function betweenTabs(
  effect: (cluster: SimulatedCluster, one: NodeName, two: NodeName, fault: Fault) => Heal | undefined,
): Effect {
  return (cluster, fault) => {
    const tab = aimedAt(cluster, fault);
    if (tab === undefined) return undefined;
    const others = otherEnds(cluster, tab, fault);
    return effect(cluster, tab.name, others[fault.other % others.length]!, fault);
  };
}

/** In the order in which `Fault.other` counts them. */
function otherEnds(cluster: SimulatedCluster, tab: SimulatedTab, fault: Fault): NodeName[] {
  const holders = fault.aim === "any" ? [] : (partitionAimedAt(cluster, fault)?.replicas ?? []);
  const place = ({ storage }: SimulatedTab) => {
    const index = holders.indexOf(storage.image.identity.brokerId);
    return index === -1 ? holders.length : index;
  };
  const tabs = cluster.tabs.filter((other) => other !== tab).sort((left, right) => place(left) - place(right));
  return [SERVER, ...tabs.map(({ name }) => name), ...clients(cluster)];
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

function clients({ schedule, groups }: SimulatedCluster): NodeName[] {
  const named = (kind: string, count: number) => Array.from({ length: count }, (_, index) => `${kind}-${index}`);
  const members = groups.flatMap(({ nodes }) => nodes);
  return [...named("producer", schedule.producers), ...named("consumer", schedule.consumers), ...members];
}

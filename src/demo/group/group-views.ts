import { countOf, listOf, timeOfDay } from "../../inspector/figures.ts";
import type { GroupView, PartitionLag, ReaderAction, ReaderView, TopicLag } from "../../inspector/group-view.ts";
import { partitionName } from "../../inspector/partition-name.ts";
import type { ChangeView, RebalanceView } from "../../inspector/rebalance-list.ts";
import type { GroupHistory, Moment, Rebalance } from "./group-history.ts";
import type { PartitionOffsets } from "./group-watch.ts";
import { SESSION_TIMEOUT_MS } from "./own-readers.ts";
import type { OwnReader } from "./own-readers.ts";
import type { LanesView } from "./reader-lanes.ts";
import type { Roster } from "./roster.ts";
import type { AnsweredMember, GroupAnswer, WhoReads } from "./who-reads.ts";
import { keyOf, readerNumber, whoReads } from "./who-reads.ts";

/** Everything that the page knows, as it is turned into what the components show. */
export interface GroupKnowledge {
  readonly groupId: string;
  readonly answer: GroupAnswer | undefined;
  readonly offsets: ReadonlyMap<string, PartitionOffsets>;
  readonly own: readonly OwnReader[];
  readonly roster: Roster;
  readonly topics: readonly { readonly name: string; readonly partitions: number }[];
}

/** A picture of more is none. */
export const TOPICS_SHOWN = 4;
const PARTITIONS_SHOWN = 24;
const READERS_SHOWN = 24;
const REBALANCES_SHOWN = 12;
const BROKER_SESSION_S = 45;

export function momentOf(knowledge: GroupKnowledge, atMs: number): Moment {
  const { answer, own, roster } = knowledge;
  const { leaving, readers, silent, stable } = whoReads(namesOf(knowledge), answer, own);
  const members = new Map(
    (answer?.members ?? []).map((member) => {
      const key = keyOf(member, own);
      return [key, roster.of(key)?.name ?? ""];
    }),
  );
  return { atMs, heardMs: answer?.askedMs ?? 0, stable, members, readers, silent, leaving };
}

export function groupView(knowledge: GroupKnowledge, history: GroupHistory, nowMs: number): GroupView {
  const who = whoReads(namesOf(knowledge), knowledge.answer, knowledge.own);
  return {
    groupId: knowledge.groupId,
    stable: who.stable,
    topics: shownTopics(knowledge).map((topic): TopicLag => ({
      name: topic.name,
      hidden: topic.partitions - topic.shown,
      partitions: Array.from({ length: topic.shown }, (_, partition) => {
        const name = partitionName(topic.name, partition);
        return partitionLag({ name, partition }, knowledge.offsets.get(name), who, unreadSince(history, name, nowMs));
      }),
    })),
    readers: readersOf(knowledge, who, nowMs),
  };
}

export function lanesView(knowledge: GroupKnowledge, history: GroupHistory, nowMs: number): LanesView {
  const { roster, topics } = knowledge;
  const lanes = namesOf(knowledge).map((name) => {
    return { label: shortName(name, topics.length), spans: history.lanes.get(name) ?? [] };
  });
  const unread = lanes.filter(({ spans }) => spans.at(-1)?.reader === undefined).length;
  return {
    nowMs,
    lanes,
    rebalances: history.rebalances.flatMap(({ beganMs, endedMs }) =>
      beganMs === undefined ? [] : [{ fromMs: beganMs, toMs: endedMs }],
    ),
    colours: new Map([...roster.entries].map(([key, { colour }]) => [key, colour])),
    summary:
      `Readers of ${countOf(lanes.length, "partition", "partitions")} over the last minute; ` +
      `${unread === 0 ? "all are read" : `${unread} not read`} now.`,
  };
}

export function rebalanceViews({ roster, topics }: GroupKnowledge, history: GroupHistory): readonly RebalanceView[] {
  return history.rebalances.slice(0, REBALANCES_SHOWN).map((rebalance) => ({
    id: rebalance.id,
    time: timeOfDay(rebalance.fromMs).slice(0, 8),
    cause: causeOf(rebalance),
    tookMs: rebalance.endedMs === undefined ? undefined : rebalance.endedMs - (rebalance.beganMs ?? rebalance.fromMs),
    done: rebalance.endedMs !== undefined,
    noticed: rebalance.beganMs !== undefined,
    unmoved: rebalance.unmoved,
    changes: rebalance.changes.slice(0, PARTITIONS_SHOWN).map(({ partition, from, to, unreadMs }): ChangeView => {
      const reader = to === undefined ? undefined : roster.of(to);
      return {
        partition: shortName(partition, topics.length),
        to: reader?.name ?? "",
        colour: reader?.colour,
        moved: from !== to,
        unreadMs,
      };
    }),
  }));
}

function causeOf({ joined, left, silent, endedMs }: Rebalance): string {
  const parts = [
    joined.length === 0 ? "" : `${listOf(joined)} joined`,
    left.length === 0 ? "" : `${listOf(left)} left`,
    silent.length === 0 ? "" : `${listOf(silent)} fell silent`,
  ];
  const said = parts.filter((part) => part !== "").join("; ");
  if (said !== "") return said;
  return endedMs === undefined ? "The group rebalances" : "Partitions were divided anew";
}

function shownTopics({ topics }: GroupKnowledge): readonly { name: string; partitions: number; shown: number }[] {
  let room = PARTITIONS_SHOWN;
  return topics.slice(0, TOPICS_SHOWN).flatMap(({ name, partitions }) => {
    const shown = Math.min(partitions, room);
    room -= shown;
    return shown === 0 ? [] : [{ name, partitions, shown }];
  });
}

function namesOf(knowledge: GroupKnowledge): readonly string[] {
  return shownTopics(knowledge).flatMap(({ name, shown }) =>
    Array.from({ length: shown }, (_, partition) => partitionName(name, partition)),
  );
}

/** The number alone where there is only one topic. */
function shortName(name: string, topics: number): string {
  return topics > 1 ? name : name.slice(name.lastIndexOf("-") + 1);
}

function unreadSince(history: GroupHistory, name: string, nowMs: number): number | undefined {
  const span = history.lanes.get(name)?.at(-1);
  return span === undefined || span.reader !== undefined ? undefined : Math.max(0, nowMs - span.fromMs);
}

function partitionLag(
  where: { readonly name: string; readonly partition: number },
  offsets: PartitionOffsets | undefined,
  { readers, heldBySilent }: WhoReads,
  unreadMs: number | undefined,
): PartitionLag {
  const reader = readers.get(where.name);
  const silent = heldBySilent.get(where.name);
  const { high, low = 0, committed } = offsets ?? {};
  return {
    ...where,
    head: high,
    committed,
    lag: high === undefined || committed === undefined ? undefined : Math.max(0, high - Math.max(committed, low)),
    reader: reader ?? silent,
    hold: reader !== undefined ? "read" : silent !== undefined ? "silent" : "none",
    unreadMs: reader === undefined ? unreadMs : undefined,
  };
}

function readersOf(knowledge: GroupKnowledge, who: WhoReads, nowMs: number): readonly ReaderView[] {
  const { answer, own } = knowledge;
  const known = new Map((answer?.members ?? []).map((member) => [keyOf(member, own), member]));
  const others = [...known].filter(([key]) => !own.some(({ clientId }) => clientId === key));
  const views = [
    ...own.map((reader) => ownView(knowledge, who, { reader, member: known.get(reader.clientId), nowMs })),
    ...others.map(([key, member]) => otherView(knowledge, who, key, member)),
  ];
  return views.sort((left, right) => compare(left.name, right.name)).slice(0, READERS_SHOWN);
}

function ownView(
  knowledge: GroupKnowledge,
  who: WhoReads,
  { reader, member, nowMs }: { reader: OwnReader; member: AnsweredMember | undefined; nowMs: number },
): ReaderView {
  const { clientId, report, killedMs, frozen } = reader;
  const base = {
    key: clientId,
    name: `Reader ${reader.number}`,
    colour: knowledge.roster.of(clientId)?.colour ?? 0,
    where: "this page",
    reads: readsOf(knowledge, who, clientId),
  };
  const silentFor = (sinceMs: number) => `${((nowMs - sinceMs) / 1000).toFixed(1)} s ago`;
  if (killedMs !== undefined) {
    const note = `killed ${silentFor(killedMs)}; its session ends after ${sessionOf(knowledge)} s`;
    return { ...base, state: "silent", note, rate: undefined, actions: [] };
  }
  if (frozen !== undefined) {
    const thaws = `thaws in ${Math.max(0, (frozen.untilMs - nowMs) / 1000).toFixed(0)} s`;
    const note = member === undefined ? `frozen, ${thaws}; the group goes on without it` : `frozen, ${thaws}`;
    return { ...base, state: "silent", note, rate: undefined, actions: ["kill"] };
  }
  if (report?.phase === "failed") {
    const note = `${report.reason ?? "it failed"}. Remove it, and add another.`;
    return { ...base, state: "failed", note, rate: undefined, actions: ["remove"] };
  }
  if (report?.phase === "leaving") {
    return { ...base, state: "leaving", note: "commits and leaves…", rate: undefined, actions: ["kill"] };
  }
  const actions: readonly ReaderAction[] = ["remove", "freeze", "kill"];
  if (base.reads !== "") return { ...base, state: "reading", note: "", rate: reader.rate, actions };
  return { ...base, ...idle(who, member), rate: undefined, actions };
}

function otherView(knowledge: GroupKnowledge, who: WhoReads, key: string, member: AnsweredMember): ReaderView {
  const entry = knowledge.roster.of(key);
  const reads = readsOf(knowledge, who, key);
  return {
    key,
    name: entry?.name ?? "",
    colour: entry?.colour ?? 0,
    where: readerNumber(member.clientId) === undefined ? "another client" : "another page",
    reads,
    rate: undefined,
    actions: [],
    ...(reads === "" ? idle(who, member) : { state: "reading" as const, note: "" }),
  };
}

/** In seconds. Members of the classic protocol choose; with KIP-848 the brokers do, and these have Kafka's default. */
function sessionOf({ answer }: GroupKnowledge): number {
  return answer?.type === "consumer" ? BROKER_SESSION_S : SESSION_TIMEOUT_MS / 1000;
}

function idle(who: WhoReads, member: AnsweredMember | undefined): Pick<ReaderView, "state" | "note"> {
  const isFirst = [...who.readers.values()].every((reader) => reader === undefined);
  if (isFirst && !who.stable) return { state: "joining", note: "joins; a group that was empty waits 1 s for more" };
  if (member === undefined || !who.stable) return { state: "joining", note: "joins…" };
  return { state: "waiting", note: "waits: there are more readers than partitions" };
}

function readsOf({ topics }: GroupKnowledge, { readers, heldBySilent }: WhoReads, key: string): string {
  const names = [...readers.keys()].filter((name) => (readers.get(name) ?? heldBySilent.get(name)) === key);
  return names.map((name) => shortName(name, topics.length)).join(", ");
}

function compare(left: string, right: string): number {
  return left.localeCompare(right, "en", { numeric: true });
}

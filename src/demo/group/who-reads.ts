import type { ReaderReport } from "./member-messages.ts";

/** What the coordinator says of a group. */
export interface GroupAnswer {
  /** When it was asked, on the pages' shared clock. */
  readonly askedMs: number;
  readonly state: string;
  /** `classic` or `consumer` (KIP-848). */
  readonly type: string;
  /** The last that was named: groups that are rebalancing name none. */
  readonly assignor: string;
  /** Undefined where only members know it. */
  readonly epoch: number | undefined;
  readonly members: readonly AnsweredMember[];
}

export interface AnsweredMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly topics: readonly string[];
  /** As `partitionName` writes them. */
  readonly partitions: readonly string[];
}

/** What this page knows of a reader of its own. */
export interface OwnReaderFacts {
  readonly clientId: string;
  readonly report: ReaderReport | undefined;
  readonly killedMs: number | undefined;
  readonly frozen: object | undefined;
}

export interface WhoReads {
  readonly stable: boolean;
  /** Who reads each partition; undefined where nobody does. */
  readonly readers: ReadonlyMap<string, string | undefined>;
  /** The silent member that each partition still belongs to. */
  readonly heldBySilent: ReadonlyMap<string, string>;
  readonly silent: ReadonlySet<string>;
  readonly leaving: ReadonlySet<string>;
}

export function isStable(state: string): boolean {
  return state === "Stable" || state === "Empty" || state === "Dead";
}

/** One's own readers go by their client id, which is unique; the others by their member id. */
export function keyOf(member: AnsweredMember, own: readonly OwnReaderFacts[]): string {
  return own.some(({ clientId }) => clientId === member.clientId) ? member.clientId : member.memberId;
}

/**
 * Who reads what: this page's own readers say it themselves, of the others the coordinator does. One that was killed or
 * stands still reads nothing, whatever the coordinator believes until its session ends.
 */
export function whoReads(
  partitions: readonly string[],
  answer: GroupAnswer | undefined,
  own: readonly OwnReaderFacts[],
): WhoReads {
  const readers = new Map<string, string | undefined>(partitions.map((name) => [name, undefined]));
  const heldBySilent = new Map<string, string>();
  const silent = new Set(own.filter(isSilent).map(({ clientId }) => clientId));
  const leaving = new Set(own.filter(({ report }) => report?.phase === "leaving").map(({ clientId }) => clientId));
  const claim = (names: readonly string[], key: string, into: Map<string, string | undefined>) => {
    for (const name of names) if (readers.has(name)) into.set(name, key);
  };
  for (const member of answer?.members ?? []) {
    const key = keyOf(member, own);
    if (silent.has(key)) claim(member.partitions, key, heldBySilent);
    else if (key === member.memberId) claim(member.partitions, key, readers);
  }
  for (const { clientId, report } of own) {
    if (report !== undefined && !silent.has(clientId)) claim(report.owned, clientId, readers);
  }
  for (const [name, reader] of readers) if (reader !== undefined) heldBySilent.delete(name);
  const isAgreed = answer === undefined || isStable(answer.state);
  const isHeld = own.some((reader) => !isSilent(reader) && reader.report?.rebalancing === true);
  return { stable: isAgreed && !isHeld, readers, heldBySilent, silent, leaving };
}

function isSilent({ killedMs, frozen }: OwnReaderFacts): boolean {
  return killedMs !== undefined || frozen !== undefined;
}

/**
 * Groups that are rebalancing tell no assignments. Members that an incremental protocol leaves what they have keep it
 * here meanwhile; the others have given up everything.
 */
export function withKept(answer: GroupAnswer, before: GroupAnswer | undefined): GroupAnswer {
  if (before === undefined || answer.type !== "classic" || isStable(answer.state)) return answer;
  const { assignor } = before;
  if (assignor !== COOPERATIVE) return { ...answer, assignor };
  const kept = new Map(before.members.map(({ memberId, partitions }) => [memberId, partitions]));
  const topics = new Map(before.members.map((member) => [member.memberId, member.topics]));
  const members = answer.members.map((member) => ({
    ...member,
    topics: topics.get(member.memberId) ?? member.topics,
    partitions: kept.get(member.memberId) ?? [],
  }));
  return { ...answer, assignor, members };
}

const COOPERATIVE = "cooperative-sticky";

/** "reader-3@k2f9" of any page is Reader 3; anything else has the name that it gave itself. */
export function readerNumber(clientId: string): number | undefined {
  const found = /^reader-(\d{1,4})@/.exec(clientId);
  return found === null ? undefined : Number(found[1]);
}

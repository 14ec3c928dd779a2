import type { Chance } from "../../src/platform/simulated/chance.ts";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../src/protocol/apis/09-offset-fetch.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { ClientContext } from "./broker-links.ts";
import { CoordinatorLink, errorOfAll } from "./coordinator-link.ts";
import type { GroupRecorder } from "./group-recorder.ts";
import { ScriptedConsumer } from "./scripted-consumer.ts";
import { ScriptedPage } from "./scripted-page.ts";

export interface MemberPlace {
  readonly groupId: string;
  readonly topic: string;
  readonly node: string;
  readonly life: number;
  /** The name of a static member; null for a dynamic one. */
  readonly instanceId: string | null;
  readonly context: ClientContext;
  readonly chance: Chance;
  readonly recorder: GroupRecorder;
}

/** A partition that the member believes to be its own. */
interface Owned {
  /** From where on it processes; undefined until it knows. */
  committed: number | undefined;
}

const SESSION_MS = 6_000;
const REBALANCE_MS = 4_000;

/**
 * What members of all kinds do: they read what they own from where the group has committed, process it, commit it, and
 * wait when their processing does. Which protocol tells them what they own is their own business.
 */
export abstract class GroupMember {
  readonly process: string;
  readonly groupId: string;
  readonly topic: string;
  readonly instanceId: string | null;
  readonly sessionTimeoutMs = SESSION_MS;
  readonly rebalanceTimeoutMs = REBALANCE_MS;
  memberId = "";
  isOver = false;
  /** Whether it goes as soon as it has committed. */
  isClosing = false;
  readonly owned = new Map<number, Owned>();
  protected readonly context: ClientContext;
  protected readonly chance: Chance;
  protected readonly link: CoordinatorLink;
  protected readonly reader: ScriptedConsumer;
  protected readonly recorder: GroupRecorder;
  readonly #page: ScriptedPage;
  readonly #commitMs: number;
  #isPaused = false;
  #whenProcessed: (() => void)[] = [];
  #isCommitting = false;
  #whenCommitted: (() => void)[] = [];

  constructor({ groupId, topic, node, life, instanceId, context, chance, recorder }: MemberPlace) {
    this.process = `${node}.${life}`;
    this.groupId = groupId;
    this.topic = topic;
    this.instanceId = instanceId;
    this.chance = chance;
    this.recorder = recorder;
    this.#page = new ScriptedPage(context);
    this.context = this.#page.context;
    this.#commitMs = chance.pick([300, 1_000, 3_000]);
    this.link = new CoordinatorLink(node, topic, groupId, this.context, chance, (name) => recorder.mark(name));
    this.reader = new ScriptedConsumer(node, life, topic, false, this.context, chance, recorder, false);
    recorder.began(this.process);
    this.#commitNowAndThen();
  }

  /** In what the member has to name itself by: a generation, or a member epoch. */
  abstract get generation(): number;

  /** In which it was told what it owns. */
  get ownedIn(): number {
    return this.generation;
  }

  /** Goes, as gracefully as the group's protocol lets it. */
  abstract close(): void;

  /** Whether it has the partitions that the group means it to have, and reads them. */
  abstract get isSettled(): boolean;

  freeze(): void {
    this.#page.freeze();
  }

  thaw(): void {
    this.#page.thaw();
  }

  /** The member takes long over what it has read; heartbeats go on meanwhile. */
  pause(): void {
    this.#isPaused = true;
    this.reader.isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.reader.resume();
    for (const run of this.#whenProcessed.splice(0)) run();
  }

  /** The page is gone at once. */
  crash(): void {
    if (this.isOver) return;
    this.#end();
    this.#page.end();
  }

  protected finish(): void {
    if (this.isOver) return;
    this.#end();
    this.link.close();
    this.reader.crash();
  }

  #end(): void {
    this.isOver = true;
    this.owned.clear();
  }

  /** Calls back once what was handed out for processing is processed. */
  protected whenProcessed(run: () => void): void {
    if (this.#isPaused) this.#whenProcessed.push(run);
    else run();
  }

  /** Begins to read partitions where the group has committed them. */
  protected own(partitions: readonly number[]): void {
    if (partitions.length === 0) return;
    const added = new Map(partitions.map((partition): [number, Owned] => [partition, { committed: undefined }]));
    for (const [partition, owned] of added) this.owned.set(partition, owned);
    this.recorder.owns(this, partitions);
    // They may stay its own through whatever the group does meanwhile.
    const isStillOwn = () => [...added].some(([partition, owned]) => this.owned.get(partition) === owned);
    this.#fetchOffsets(partitions, () => !this.isOver && isStillOwn());
  }

  protected disown(partitions: Iterable<number>): void {
    for (const partition of partitions) {
      this.owned.delete(partition);
      this.reader.revoke(partition);
    }
  }

  /**
   * Commits what was processed, and tells how that went; nothing to commit is a success. Commits go one after another:
   * a coordinator takes whatever offset a member of the newest generation names, so that one on its way to a former
   * coordinator would take a newer one back, if that coordinator is the present one when it arrives.
   */
  protected commit(done: (error: ErrorName) => void, matters: () => boolean = () => !this.isOver): void {
    if (this.#isCommitting) return void this.#whenCommitted.push(() => matters() && this.commit(done, matters));
    if (this.#uncommitted().size === 0) return done("NONE");
    this.#isCommitting = true;
    const { groupId, memberId, instanceId, generation, topic } = this;
    let sent: ReadonlyMap<number, number> = new Map();
    this.link.ask({
      api: offsetCommit,
      version: 9,
      body: () => {
        sent = this.#uncommitted();
        const partitions = [...sent].map(([partitionIndex, committedOffset]) => {
          const committedLeaderEpoch = this.reader.leaderEpoch(partitionIndex);
          return { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata: null };
        });
        return {
          groupId,
          generationIdOrMemberEpoch: generation,
          memberId,
          groupInstanceId: instanceId,
          topics: [{ name: topic, partitions }],
        };
      },
      errorOf: ({ topics }) => errorOfAll(topics),
      answered: ({ topics }, error) => {
        this.#isCommitting = false;
        for (const { partitionIndex, errorCode } of topics[0]?.partitions ?? []) {
          const owned = this.owned.get(partitionIndex);
          // What was given up and came back begins where the group has it, which is not known yet.
          if (errorCode !== 0 || owned?.committed === undefined) continue;
          owned.committed = sent.get(partitionIndex);
        }
        if (matters()) done(error);
        for (const run of this.#whenCommitted.splice(0)) run();
      },
      // Until it is answered no other may be asked.
      matters: () => !this.isOver,
    });
  }

  /** By partition, how far it is processed where that is not committed. */
  #uncommitted(): Map<number, number> {
    const uncommitted = new Map<number, number>();
    for (const [partition, { committed }] of this.owned) {
      const position = this.reader.position(partition);
      if (committed !== undefined && position > committed) uncommitted.set(partition, position);
    }
    return uncommitted;
  }

  /** What becomes of the member when a commit of it is refused. */
  protected abstract refused(error: ErrorName): void;

  #commitNowAndThen(): void {
    this.context.time.after(this.#commitMs, () => {
      if (this.isOver) return;
      const { generation } = this;
      const isSame = () => !this.isOver && this.generation === generation;
      if (!this.#isCommitting) this.commit((error) => error === "NONE" || this.refused(error), isSame);
      this.#commitNowAndThen();
    });
  }

  #fetchOffsets(partitions: readonly number[], matters: () => boolean): void {
    const { groupId, topic } = this;
    this.link.ask({
      api: offsetFetch,
      version: 9,
      body: () => ({
        groups: [
          { groupId, ...this.fetchingMember(), topics: [{ name: topic, partitionIndexes: [...partitions] }] },
        ],
      }),
      errorOf: ({ groups }) => groups[0]!.errorCode,
      answered: ({ groups }, error) => {
        // A member epoch may have moved on meanwhile.
        if (error !== "NONE") return this.context.time.after(100, () => this.#fetchOffsets(partitions, matters));
        const { partitions: answers = [] } = groups[0]!.topics[0] ?? {};
        for (const { partitionIndex, committedOffset, committedLeaderEpoch } of answers) {
          const owned = this.owned.get(partitionIndex);
          if (owned === undefined || owned.committed !== undefined) continue;
          owned.committed = Math.max(committedOffset, 0);
          this.recorder.begins(this.process, partitionIndex);
          this.reader.assign(partitionIndex, owned.committed, committedLeaderEpoch);
        }
      },
      matters,
    });
  }

  /** How the member names itself when it asks for offsets; classic ones do not. */
  protected fetchingMember(): { readonly memberId: string | null; readonly memberEpoch: number } {
    return { memberId: null, memberEpoch: -1 };
  }
}

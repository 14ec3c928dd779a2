import type { StoredGeneration } from "./group-truth.ts";
import { fail } from "./oracle-context.ts";

/** A generation that members were told of when they joined. */
interface Announced {
  readonly generation: number;
  /** Of the coordinator that told them, and that nobody had replaced when they asked. */
  readonly leaderEpoch: number;
  /** When the last of those asked to join that were answered with it. */
  readonly atUs: number;
}

/** Who joins next is compared with the generation before; those of a coordinator that was lost may lie in between. */
const KEPT = 8;

/**
 * A classic generation consists of members that joined for it, beside those with a name of their own, which keep their
 * place. While a generation lasts, whoever joins and changes nothing is told of it; all that is asked after that is for
 * the next one. So who has not asked since is not part of that: nobody would read what it was given.
 *
 * That is so up to the coordinator that made the generation. The next one may lack the record, and tell members of an
 * earlier generation, before another one that has it commits it.
 */
export class JoinedGenerations {
  /** By group and member, when it asked to join last. */
  readonly #asked = new Map<string, number>();
  /** By group, one generation after the other. */
  readonly #announced = new Map<string, Announced[]>();

  asked(groupId: string, memberId: string, atUs: number): void {
    this.#asked.set(`${groupId}/${memberId}`, atUs);
  }

  /** `told`: what the member was answered with, and when it asked. */
  answered(groupId: string, memberId: string, told: Announced): void {
    if (!this.#asked.has(`${groupId}/${memberId}`)) this.asked(groupId, memberId, told.atUs);
    const announced = this.#announced.get(groupId) ?? [];
    this.#announced.set(groupId, announced);
    const isSame = (one: Announced) => one.generation === told.generation && one.leaderEpoch === told.leaderEpoch;
    const at = announced.findIndex(isSame);
    if (at === -1) announced.push(told);
    else if (announced[at]!.atUs < told.atUs) announced[at] = told;
    if (announced.length > KEPT) announced.shift();
  }

  /** `leaderEpoch`: of the coordinator that made the generation. */
  expectJoined(
    where: string,
    groupId: string,
    { generation, members }: Pick<StoredGeneration, "generation" | "members">,
    leaderEpoch: number,
  ): void {
    const isEarlier = (one: Announced) => one.generation < generation && one.leaderEpoch <= leaderEpoch;
    const earlier = (this.#announced.get(groupId) ?? []).filter(isEarlier);
    for (const { memberId, groupInstanceId } of members) {
      const askedUs = this.#asked.get(`${groupId}/${memberId}`);
      const missed = earlier.find(({ atUs }) => askedUs !== undefined && askedUs < atUs);
      if (groupInstanceId !== null || missed === undefined) continue;
      const evidence = `${memberId} is of generation ${generation}, and last joined before ${missed.generation}`;
      fail("members-have-joined", `${where}: ${evidence}`);
    }
  }
}

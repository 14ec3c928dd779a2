import type { StoredGeneration } from "./group-truth.ts";
import { fail } from "./oracle-context.ts";

/** A generation that members were told of when they joined. */
interface Announced {
  readonly generation: number;
  /** When the last of those asked to join that were answered with it. */
  atUs: number;
}

/** Who joins next is compared with the generation before; those of a coordinator that was lost may lie in between. */
const KEPT = 8;

/**
 * A classic generation consists of members that joined for it, beside those with a name of their own, which keep their
 * place. While a generation lasts, whoever joins and changes nothing is told of it; all that is asked after that is for
 * the next one. So who has not asked since is not part of that: nobody would read what it was given.
 */
export class JoinedGenerations {
  /** By group and member, when it asked to join last. */
  readonly #asked = new Map<string, number>();
  /** By group, one generation after the other. */
  readonly #announced = new Map<string, Announced[]>();

  asked(groupId: string, memberId: string, atUs: number): void {
    this.#asked.set(`${groupId}/${memberId}`, atUs);
  }

  /** `askedUs`: when the member asked to join, of a coordinator that nobody had replaced. */
  answered(groupId: string, memberId: string, generation: number, askedUs: number): void {
    if (!this.#asked.has(`${groupId}/${memberId}`)) this.asked(groupId, memberId, askedUs);
    const announced = this.#announced.get(groupId) ?? [];
    this.#announced.set(groupId, announced);
    const known = announced.find((one) => one.generation === generation);
    if (known === undefined) announced.push({ generation, atUs: askedUs });
    else known.atUs = Math.max(known.atUs, askedUs);
    if (announced.length > KEPT) announced.shift();
  }

  expectJoined(where: string, groupId: string, stored: Pick<StoredGeneration, "generation" | "members">): void {
    const { generation, members } = stored;
    const earlier = (this.#announced.get(groupId) ?? []).filter((one) => one.generation < generation);
    for (const { memberId, groupInstanceId } of members) {
      const askedUs = this.#asked.get(`${groupId}/${memberId}`);
      const missed = earlier.find(({ atUs }) => askedUs !== undefined && askedUs < atUs);
      if (groupInstanceId !== null || missed === undefined) continue;
      const evidence = `${memberId} is of generation ${generation}, and last joined before ${missed.generation}`;
      fail("members-have-joined", `${where}: ${evidence}`);
    }
  }
}

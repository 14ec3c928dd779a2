import type { MemberProtocol } from "./classic-member.ts";

/** Of everything that takes part in the vote only this matters. */
export interface Voter {
  readonly protocols: readonly MemberProtocol[];
}

/** The names of the protocols that all of them support, in the first one's order. */
export function commonProtocols(voters: Iterable<Voter>): string[] {
  let common: string[] | undefined;
  for (const { protocols } of voters) {
    const names = new Set(protocols.map(({ name }) => name));
    common = common === undefined ? [...names] : common.filter((name) => names.has(name));
  }
  return common ?? [];
}

/**
 * The protocol of the next generation: each member votes for the first of its own that all support, and most votes win.
 * Undefined when they have none in common.
 */
export function votedProtocol(voters: readonly Voter[]): string | undefined {
  const votes = new Map(commonProtocols(voters).map((name) => [name, 0]));
  for (const { protocols } of voters) {
    const favourite = protocols.find(({ name }) => votes.has(name));
    if (favourite !== undefined) votes.set(favourite.name, votes.get(favourite.name)! + 1);
  }
  let winner: string | undefined;
  for (const [name, count] of votes) if (winner === undefined || count > votes.get(winner)!) winner = name;
  return winner;
}

import { decodeAssignment, decodeSubscription } from "../../src/protocol/consumer-protocol.ts";
import type { StoredGeneration } from "./group-truth.ts";
import { fail } from "./oracle-context.ts";

const COOPERATIVE = "cooperative-sticky";

/**
 * What a classic generation must be, whoever divided the partitions: none has two owners. Where members keep what they
 * have while they join (KIP-429), nobody gets what another member of the generation has not given up.
 */
export function expectDivided({ protocol, members }: StoredGeneration, groupId: string): void {
  const owners = new Map<string, string>();
  for (const { memberId, assignment } of members) {
    for (const partition of assignedIn(assignment)) {
      const other = owners.get(partition);
      if (other !== undefined) fail("one-owner", `${groupId}: ${partition} is given to ${other} and ${memberId}`);
      owners.set(partition, memberId);
    }
  }
  if (protocol !== COOPERATIVE) return;
  const newest = Math.max(...members.map(({ subscription }) => decodeSubscription(subscription).generationId));
  for (const { memberId, subscription } of members) {
    const { ownedPartitions, generationId } = decodeSubscription(subscription);
    // Whoever missed a generation has lost what it had in the one before.
    if (generationId < newest) continue;
    for (const { topic, partitions } of ownedPartitions) {
      for (const partition of partitions) {
        const owner = owners.get(`${topic}/${partition}`) ?? memberId;
        if (owner === memberId) continue;
        fail("one-owner", `${groupId}: ${owner} is given ${topic}/${partition}, which ${memberId} has kept`);
      }
    }
  }
}

/** Partitions as `topic/partition`; none for a member that was given nothing at all. */
export function assignedIn(assignment: Uint8Array): string[] {
  if (assignment.length === 0) return [];
  return decodeAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map((partition) => `${topic}/${partition}`),
  );
}

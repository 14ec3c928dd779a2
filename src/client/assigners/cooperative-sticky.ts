import { partitionsIn, topicsOf } from "./assigner-protocol.ts";
import { assignerOf, keyOf } from "./division.ts";
import type { Divide, MemberCodec } from "./division.ts";
import { divideStickily } from "./sticky.ts";
import { encodeSubscription } from "../../protocol/consumer-protocol.ts";

/**
 * The sticky division, but a partition that another member still has goes to nobody yet: its owner gives it up when it
 * sees that it is no longer assigned, and joins again, and then it is free (KIP-429).
 */
export const divideCooperatively: Divide = (candidates, topics) => {
  const owners = new Map<string, Set<string>>();
  for (const { memberId, owned } of candidates) {
    for (const partition of owned) {
      const key = keyOf(partition);
      owners.set(key, (owners.get(key) ?? new Set()).add(memberId));
    }
  }
  const division = divideStickily(candidates, topics);
  return new Map(
    [...division].map(([memberId, partitions]) => [
      memberId,
      partitions.filter((partition) => owners.get(keyOf(partition))?.has(memberId) ?? true),
    ]),
  );
};

const telling: MemberCodec = {
  encode: ({ topics, ownedPartitions, generationId, rackId }) =>
    encodeSubscription({
      topics: [...topics].sort(),
      ownedPartitions: topicsOf(ownedPartitions),
      generationId,
      rackId: rackId === "" ? null : rackId,
    }),
  owned: ({ ownedPartitions, generationId }) => ({ owned: partitionsIn(ownedPartitions), generationId }),
};

export const cooperativeSticky = assignerOf("cooperative-sticky", divideCooperatively, {
  codec: telling,
  isCooperative: true,
});

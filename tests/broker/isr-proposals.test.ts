import { expect, it } from "vitest";
import type { Broker } from "../../src/broker/broker.ts";
import { IsrProposals } from "../../src/broker/isr-proposals.ts";
import type { Replica } from "../../src/broker/replica.ts";

it("an ISR that nobody may propose at present wakes nobody", () => {
  let self: { readonly nodeId: number; readonly brokerEpoch: number } | undefined;
  const asked: unknown[] = [];
  const requests = { connected: true, ask: (...request: unknown[]) => void asked.push(request) };
  const proposals = new IsrProposals({ self: () => self, requests } as unknown as Broker);
  const replica = { key: "a/0", log: { topicId: "a", partitionIndex: 0 } } as Replica;
  proposals.add(replica, { newIsr: [{ brokerId: 1, brokerEpoch: 5 }], leaderEpoch: 0, partitionEpoch: 0 });
  proposals.send(1_000);
  expect(asked).toHaveLength(0);
  expect(proposals.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  self = { nodeId: 1, brokerEpoch: 5 };
  expect(proposals.wakeAtMs).toBeLessThan(1_000);
  proposals.send(1_000);
  expect(asked).toHaveLength(1);
  expect(proposals.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
});

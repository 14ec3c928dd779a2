import { expect, test } from "vitest";
import { KafkaJSProtocolError } from "../../src/client/errors.ts";
import { Emitter } from "../../src/client/events.ts";
import { CommittedOffsets } from "../../src/client/group/committed-offsets.ts";
import type { CoordinatorLink } from "../../src/client/group/coordinator-link.ts";
import type { Identity } from "../../src/client/group/group-membership.ts";
import { createLogger, logLevel } from "../../src/client/logger.ts";
import { browserClock } from "../../src/platform/browser/browser-clock.ts";
import type { OffsetCommitRequestInit } from "../../src/protocol/apis/08-offset-commit.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";

const OFFSETS = [{ topic: "t", partition: 0, offset: 5, leaderEpoch: -1, metadata: null }];

/** A coordinator that answers commits with these errors, in order, and then takes them. */
function committing(...errors: ErrorName[]) {
  const bodies: OffsetCommitRequestInit[] = [];
  let held: Promise<void> | undefined;
  const hold = () => {
    let release = () => {};
    held = new Promise((resolve) => (release = resolve));
    return release;
  };
  const link = {
    groupId: "g",
    clock: browserClock,
    async persist(_: unknown, body: OffsetCommitRequestInit) {
      bodies.push(body);
      await held;
      const error = errors.shift();
      if (error !== undefined) throw new KafkaJSProtocolError(error);
    },
  } as unknown as CoordinatorLink;
  const logger = createLogger({ level: logLevel.NOTHING, logCreator: () => () => {}, wallNow: browserClock.wallNow });
  return { offsets: new CommittedOffsets(link, new Emitter(browserClock.wallNow, logger)), bodies, hold };
}

const member = (generationId: number) => ({ memberId: "m", generationId, groupInstanceId: null });

test("what was committed with a stale member epoch is committed again with the newer one", async () => {
  const { offsets, bodies } = committing("STALE_MEMBER_EPOCH");
  let epoch = 3;
  // The heartbeat that tells of the next epoch arrives a little later.
  setTimeout(() => epoch++, 50);
  await offsets.commit(() => OFFSETS, () => member(epoch));
  expect(bodies.map(({ generationIdOrMemberEpoch }) => generationIdOrMemberEpoch)).toEqual([3, 4]);
});

test.each([
  ["was removed and has joined again", { ...member(5), life: 1 }],
  ["is in no group any more", { memberId: "", generationId: -1, groupInstanceId: null }],
])("what somebody else may have read by now is not committed again: the member %s", async (_, after) => {
  const { offsets, bodies } = committing("STALE_MEMBER_EPOCH");
  let identity: Identity = { ...member(3), life: 0 };
  setTimeout(() => (identity = after), 50);
  const refused = offsets.commit(() => OFFSETS, () => identity);
  await expect(refused).rejects.toMatchObject({ type: "UNKNOWN_MEMBER_ID" });
  expect(bodies.length).toBe(1);
});

test.each([
  ["joined again under the same id", { ...member(5), life: 1 }],
  ["joined again under another id", { ...member(5), memberId: "n" }],
  ["not joined again yet", { memberId: "", generationId: -1, groupInstanceId: null }],
])("what waits for its turn while the member is removed is not committed: it has %s", async (_, after) => {
  const { offsets, bodies, hold } = committing();
  const release = hold();
  let identity: Identity = { ...member(3), life: 0 };
  const first = offsets.commit(() => OFFSETS, () => identity);
  const queued = offsets.commit(() => OFFSETS, () => identity);
  await Promise.resolve();
  identity = after;
  const next = offsets.commit(() => OFFSETS, () => identity);
  release();
  await first;
  const message = expect.stringContaining("was removed from group g");
  await expect(queued).rejects.toMatchObject({ type: "UNKNOWN_MEMBER_ID", message });
  await next;
  expect(bodies.map(({ memberId, generationIdOrMemberEpoch }) => [memberId, generationIdOrMemberEpoch])).toEqual([
    ["m", 3],
    [after.memberId, after.generationId],
  ]);
});

test("other refusals are for whoever has asked, and do not keep later commits", async () => {
  const { offsets, bodies } = committing("ILLEGAL_GENERATION");
  const refused = offsets.commit(() => OFFSETS, () => member(3));
  const taken = offsets.commit(() => OFFSETS, () => member(4));
  await expect(refused).rejects.toMatchObject({ type: "ILLEGAL_GENERATION" });
  await taken;
  expect(bodies.length).toBe(2);
});

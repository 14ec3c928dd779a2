import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@playwright/test";
import { ackGapMs } from "./ack-gap.ts";
import { report, test } from "./cluster-test.ts";
import { Load } from "./load.ts";
import { expectNothingLost } from "./verdict.ts";

for (const network of ["no-udp", "no-webrtc"] as const) {
  test.describe(network, () => {
    test.use({ network });

    test("everything works through the relay", async ({ cluster }) => {
      expect(await cluster.client.evaluate(countCandidates)).toBe(0);
      const load = await Load.start(cluster);
      await sleep(2_000);
      const leader = await cluster.leaderOf(load.topic, 0);
      const closedAtMs = Date.now();
      await leader.page.close();
      await sleep(3_000);
      const gapMs = ackGapMs(await load.acks(), `${load.topic}-0`, closedAtMs);
      report(`acknowledgement gap when the leader's tab is closed, ${network}`, gapMs);
      await cluster.becomeBroker(leader);
      await cluster.untilInSync(load.topic, 3);
      expectNothingLost(await load.finish());
    });
  });
}

/** How many addresses this page could offer to another one. */
async function countCandidates(): Promise<number> {
  if (typeof RTCPeerConnection === "undefined") return 0;
  const connection = new RTCPeerConnection();
  connection.createDataChannel("probe");
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 20));
  const count = connection.localDescription?.sdp.match(/^a=candidate:/gm)?.length ?? 0;
  connection.close();
  return count;
}

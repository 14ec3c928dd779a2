import { beforeEach, describe, expect, it } from "vitest";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { advertisedApiKeys, apis } from "../../src/protocol/apis/registry.ts";
import { encodeRequest } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { forwardedApis, handlers } from "../../src/broker/handlers/table.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import { createTopic, untilInSync } from "./core-requests.ts";

/**
 * Clients choose versions, and even features, by what ApiVersions says. Which ranges they need is tested beside the
 * registry; here a running broker has to say, and to keep, what is in it.
 */
describe("what a broker offers", () => {
  let cluster: CoreCluster;
  let tab: CoreBroker;

  beforeEach(() => {
    cluster = new CoreCluster();
    tab = cluster.start("a");
    cluster.until(() => tab.core.state === "running", "a running broker");
  });

  type Range = readonly [first: number, last: number];

  const rangesOf = (broker: CoreBroker, listener = "KAFKA"): Map<number, Range> => {
    const body = { clientSoftwareName: "test", clientSoftwareVersion: "1" };
    const { apiKeys } = broker.connect(listener).ask(apiVersions, 4, body);
    return new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]));
  };

  const servedVersions = (apiKey: number) => apis.get(apiKey)!.versions;

  it("is served, but for the oldest versions of Produce, and is all but the Fetch of followers", () => {
    for (const [apiKey, [first, last]] of rangesOf(tab)) {
      expect(handlers.has(apiKey) || forwardedApis.has(apiKey), `api ${apiKey} has a handler`).toBe(true);
      expect(last, `api ${apiKey}`).toBe(apiKey === 1 ? 16 : servedVersions(apiKey)[1]);
      expect(first, `api ${apiKey}`).toBe(apiKey === 0 ? 0 : servedVersions(apiKey)[0]);
    }
  });

  it("is what the registry has, and no more", () => {
    const registered = advertisedApiKeys.map(({ apiKey, minVersion, maxVersion }) => {
      return [apiKey, [minVersion, maxVersion]];
    });
    expect([...rangesOf(tab)]).toEqual(registered);
  });

  it("is the same from every tab, by every listener, and whatever the tab leads", () => {
    const another = cluster.start("b");
    cluster.until(() => another.core.state === "running", "another running broker");
    expect(rangesOf(another)).toEqual(rangesOf(tab));
    expect(rangesOf(tab, "TAB")).toEqual(rangesOf(tab, "KAFKA"));
  });

  it("answers no Produce of the versions that it offers only to be taken for a broker that compresses", () => {
    expect(rangesOf(tab).get(0)).toEqual([0, 11]);
    expect(servedVersions(0)[0]).toBe(3);
    const client = tab.connect("KAFKA");
    const oldProduce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 255, 255);
    client.sendRaw(oldProduce);
    cluster.until(() => client.closedBecause !== undefined, "the end of the connection");
    expect(client.closedBecause).toContain("Produce");
  });

  it("comes with no feature that would switch transactions on", () => {
    const answer = tab.connect().ask(apiVersions, 3, { clientSoftwareName: "test", clientSoftwareVersion: "1" });
    expect(answer).toMatchObject({ supportedFeatures: [], finalizedFeatures: [], finalizedFeaturesEpoch: -1 });
  });

  it("declines the fetch session that some clients ask for, and knows none of another broker's", () => {
    createTopic(cluster, "quakes");
    untilInSync(cluster, "quakes", 1);
    const ask = (sessionId: number, sessionEpoch: number) => {
      const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }];
      const topics = [{ topic: "quakes", partitions }];
      const session = { sessionId, sessionEpoch };
      const answer = tab.connect("KAFKA").ask(fetch, 12, { maxWaitMs: 0, minBytes: 0, topics, ...session });
      return [errorName(answer.errorCode), answer.sessionId, answer.responses.length];
    };
    // For a new one, for none, and for the end of one. All go on with requests that name everything.
    for (const [id, epoch] of [[0, 0], [0, -1], [77, -1]] as const) expect(ask(id, epoch)).toEqual(["NONE", 0, 1]);
    // What such a request leaves out would be taken for unchanged.
    for (const [id, epoch] of [[77, 1], [0, 1], [77, -2]] as const) {
      expect(ask(id, epoch)).toEqual(["FETCH_SESSION_ID_NOT_FOUND", 0, 0]);
    }
  });

  it("fits the layout of every version of the answer", () => {
    for (const version of [0, 1, 2]) {
      const { apiKeys, errorCode } = tab.connect("KAFKA").ask(apiVersions, version, {});
      expect(errorCode).toBe(0);
      expect(apiKeys).toHaveLength(rangesOf(tab).size);
    }
  });

  it("a version that is not offered ends the connection for any api but ApiVersions", () => {
    const client = tab.connect("KAFKA");
    const frame = encodeRequest(metadata, 12, { correlationId: 1, clientId: "test" }, { topics: null }).slice();
    new DataView(frame.buffer).setInt16(2, 99);
    client.sendRaw(frame);
    cluster.until(() => client.closedBecause !== undefined, "the end of the connection");
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { apis } from "../../src/protocol/apis/registry.ts";
import { encodeRequest } from "../../src/protocol/envelope.ts";
import { forwardedApis, handlers } from "../../src/broker/handlers/table.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";

/**
 * Clients choose versions, and even features, by what ApiVersions says, and some of them in ways of their own. These
 * are the traps that are known, each with the client that would fall into it. All look at what a running broker says.
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

  const offers = (apiKey: number, ...versions: number[]) => {
    const range = rangesOf(tab).get(apiKey);
    expect(range, `api ${apiKey} is offered`).toBeDefined();
    for (const version of versions) {
      expect(version >= range![0] && version <= range![1], `api ${apiKey} in version ${version}`).toBe(true);
    }
  };

  const servedVersions = (apiKey: number) => apis.get(apiKey)!.versions;

  it("is served, but for the oldest versions of Produce, and is all but the Fetch of followers", () => {
    for (const [apiKey, [first, last]] of rangesOf(tab)) {
      expect(handlers.has(apiKey) || forwardedApis.has(apiKey), `api ${apiKey} has a handler`).toBe(true);
      expect(last, `api ${apiKey}`).toBe(apiKey === 1 ? 16 : servedVersions(apiKey)[1]);
      expect(first, `api ${apiKey}`).toBe(apiKey === 0 ? 0 : servedVersions(apiKey)[0]);
    }
  });

  it("is the set of ranges that the known clients overlap with", () => {
    const expected: Record<number, Range> = {
      0: [0, 11], 1: [4, 16], 2: [1, 8], 3: [0, 12], 8: [2, 9], 9: [1, 9], 10: [0, 5], 11: [0, 9], 12: [0, 4],
      13: [0, 5], 14: [0, 5], 15: [0, 5], 16: [0, 5], 18: [0, 4], 19: [2, 7], 20: [1, 6], 21: [0, 2], 22: [0, 5],
      23: [2, 4], 32: [1, 4], 33: [0, 2], 35: [1, 4], 37: [0, 3], 42: [0, 2], 43: [0, 2], 44: [0, 1], 45: [0, 1],
      46: [0, 0], 47: [0, 0], 60: [0, 1], 61: [0, 0], 68: [0, 1], 69: [0, 1], 74: [0, 1], 75: [0, 0],
    };
    const offered = Object.fromEntries(rangesOf(tab));
    expect(offered).toEqual(expected);
  });

  it("is the same from every tab, by every listener, and whatever the tab leads", () => {
    const another = cluster.start("b");
    cluster.until(() => another.core.state === "running", "another running broker");
    expect(rangesOf(another)).toEqual(rangesOf(tab));
    expect(rangesOf(tab, "TAB")).toEqual(rangesOf(tab, "KAFKA"));
  });

  it("librdkafka before 2.11.1 writes today's batches only for Produce v3 and Fetch v4", () => {
    offers(0, 3);
    offers(1, 4);
  });

  it("librdkafka before 2.11.1 compresses only for Produce v0, which is offered and not served", () => {
    offers(0, 0);
    expect(servedVersions(0)[0]).toBe(3);
    const client = tab.connect("KAFKA");
    const oldProduce = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 255, 255);
    client.sendRaw(oldProduce);
    cluster.until(() => client.closedBecause !== undefined, "the end of the connection");
    expect(client.closedBecause).toContain("Produce");
  });

  it("librdkafka before 2.11.1 sends zstd only for Produce v7 and Fetch v10", () => {
    offers(0, 7);
    offers(1, 10);
  });

  it("librdkafka before 2.11.1 takes LZ4 and coordinators for given by FindCoordinator v0", () => {
    offers(10, 0);
  });

  it("librdkafka before 2.11.1 looks up times by ListOffsets v1, and is idempotent by InitProducerId v0", () => {
    offers(2, 1);
    offers(22, 0);
  });

  it("librdkafka before 2.11.1 knows groups by version 0 of their APIs, OffsetCommit v2 and OffsetFetch v1", () => {
    for (const apiKey of [11, 12, 13, 14]) offers(apiKey, 0);
    offers(8, 2);
    offers(9, 1);
  });

  it.each([
    [0, 7], [1, 11], [2, 3], [3, 6], [8, 5], [9, 4], [10, 2], [11, 5], [12, 3], [13, 3], [14, 3], [15, 2], [16, 2],
    [18, 2], [19, 3], [20, 1], [21, 1], [22, 1], [32, 2], [33, 1], [37, 1], [42, 1], [45, 0], [46, 0],
  ])("KafkaJS uses api %i in version %i whatever the lowest one is, so it is served", (apiKey, version) => {
    offers(apiKey, version);
    expect(servedVersions(apiKey)[0]).toBeLessThanOrEqual(version);
  });

  it("librdkafka up to today stays with old versions, which stay offered", () => {
    offers(13, 1);
    offers(11, 5);
    offers(19, 4);
    offers(32, 1);
    offers(23, 2);
    offers(68, 1);
    offers(16, 4);
  });

  it("@platformatic/kafka before 2.12 begins at high versions, which are offered", () => {
    const floors: [apiKey: number, version: number][] = [
      [3, 9], [1, 12], [11, 6], [8, 8], [9, 8], [10, 4], [18, 3], [19, 7], [20, 6], [21, 2], [12, 4], [15, 5], [23, 4],
    ];
    for (const [apiKey, version] of floors) offers(apiKey, version);
  });

  it("Java checks positions for OffsetForLeaderEpoch v3, and Streams needs OffsetFetch v7", () => {
    offers(23, 3);
    offers(9, 7, 8);
  });

  it("topic ids are known wherever a version of Fetch or Metadata speaks of them", () => {
    offers(1, 13);
    offers(3, 10, 12);
  });

  it("nothing of transactions is offered, nor a feature that would switch them on", () => {
    const ranges = rangesOf(tab);
    for (const apiKey of [24, 25, 26, 27, 28, 65, 66]) expect(ranges.has(apiKey)).toBe(false);
    expect(ranges.get(0)![1]).toBeLessThan(12);
    const answer = tab.connect().ask(apiVersions, 3, { clientSoftwareName: "test", clientSoftwareVersion: "1" });
    expect(answer).toMatchObject({ supportedFeatures: [], finalizedFeatures: [], finalizedFeaturesEpoch: -1 });
  });

  it("nothing is offered that only brokers and the controller use, or that would start telemetry", () => {
    const ranges = rangesOf(tab);
    const others = [4, 5, 6, 7, 17, 36, 52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 71, 72, 73, 76, 77, 78, 79];
    for (const apiKey of others) expect(ranges.has(apiKey), `api ${apiKey}`).toBe(false);
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

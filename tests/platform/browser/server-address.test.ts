import { expect, test } from "vitest";
import { clusterUrl, relayUrl } from "../../../src/platform/browser/server-address.ts";

const tab = { peer: "p", key: "k" };

test("the server may be named by any of the four schemes, with or without a path", () => {
  const urls = ["http://h:1", "ws://h:1/", "https://h/base", "wss://h/base/?x=1#y"].map((serverUrl) =>
    clusterUrl({ serverUrl, cluster: "c.1" }, tab),
  );
  expect(urls).toEqual([
    "ws://h:1/clusters/c.1?peer=p&key=k",
    "ws://h:1/clusters/c.1?peer=p&key=k",
    "wss://h/base/clusters/c.1?peer=p&key=k",
    "wss://h/base/clusters/c.1?peer=p&key=k",
  ]);
  expect(relayUrl({ serverUrl: "https://h", cluster: "c" }, "id")).toBe("wss://h/relay/id");
});

test("a cluster name that the server would not take is refused at once", () => {
  for (const cluster of ["", "a/b", "a b", "x".repeat(65), "ä"]) {
    expect(() => clusterUrl({ serverUrl: "http://h", cluster }, tab)).toThrow("is no cluster name");
  }
});

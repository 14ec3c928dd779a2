import fc from "fast-check";
import { expect, test } from "vitest";
import { MalformedSignalError, parseToServer } from "../../signaling-server/signaling-messages.ts";
import { parseSocketPath } from "../../signaling-server/socket-path.ts";

const PEER = "0b1e7d3c-1111-4222-8333-444455556666";

/** JSON near to what is allowed: the right names in the wrong places, and the wrong values under the right names. */
const nearMessages = fc.dictionary(
  fc.constantFrom("type", "to", "signal", "relayId", "listener", "from", "__proto__", "constructor"),
  fc.oneof(fc.constantFrom("signal", "relay", "pong", PEER, "TAB"), fc.jsonValue()),
);

test("a text is a message of the protocol, or is refused with MalformedSignalError", () => {
  const texts = fc.oneof(fc.string(), fc.json(), nearMessages.map((message) => JSON.stringify(message)));
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { type, ...fields } = parseToServer(text);
        const names = { signal: ["signal", "to"], relay: ["listener", "relayId", "to"], pong: [] }[type];
        expect(Object.keys(fields).sort()).toEqual(names);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedSignalError);
      }
    }),
    { numRuns: 4_000 },
  );
});

test("what simple-peer sends passes as it is", () => {
  const candidate = { candidate: "candidate:1 1 udp 2113937151 x.local 54400 typ host", sdpMLineIndex: 0, sdpMid: "0" };
  for (const signal of [{ type: "offer", sdp: "v=0\r\n" }, { type: "candidate", candidate }, { renegotiate: true }]) {
    const message = { type: "signal", to: PEER, signal: { link: PEER, signal } };
    expect(parseToServer(JSON.stringify(message))).toEqual(message);
  }
});

test("an address names a cluster's socket or a relay's, or nothing", () => {
  const cluster = { kind: "cluster", cluster: "..", peer: PEER, key: PEER };
  expect(parseSocketPath(`/clusters/..?key=${PEER}&peer=${PEER}`)).toEqual(cluster);
  expect(parseSocketPath(`/relay/${PEER}`)).toEqual({ kind: "relay", relayId: PEER });
  fc.assert(
    fc.property(fc.string(), fc.string(), (path, query) => {
      expect(parseSocketPath(`/${path}?${query}`)).toBeUndefined();
    }),
  );
});

import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { apiVersions } from "../../src/protocol/apis/18-api-versions.ts";
import { offsetForLeaderEpoch } from "../../src/protocol/apis/23-offset-for-leader-epoch.ts";
import { advertisedApiKeys, apis } from "../../src/protocol/apis/registry.ts";
import {
  decodeCorrelationId,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from "../../src/protocol/envelope.ts";
import { CorruptMessageError, UnsupportedVersionError } from "../../src/protocol/errors.ts";

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
}

describe("request headers", () => {
  test("have tags in flexible versions, behind a client id of the old form", () => {
    const header = { correlationId: 7, clientId: "me" };
    const old = encodeRequest(metadata, 8, header, { topics: null });
    const flexible = encodeRequest(metadata, 9, header, { topics: null });
    expect(old).toEqual(fromHex("0003 0008 00000007 0002 6d65 ffffffff 01 00 00"));
    expect(flexible).toEqual(fromHex("0003 0009 00000007 0002 6d65 00 00 01 00 00 00"));
  });

  test("are read before the API and its version are known to exist", () => {
    const header = decodeRequestHeader(fromHex("7fff ffff ffffffff ffff"));
    expect(header).toMatchObject({ apiKey: 32767, apiVersion: -1, correlationId: -1, clientId: null });
  });

  test("have a client id that fits into an answer again", () => {
    const idOf = (length: number, byte: number) => {
      const id = Array<number>(length).fill(byte);
      return decodeRequestHeader(Uint8Array.of(0, 18, 0, 0, 0, 0, 0, 1, length >> 8, length & 0xff, ...id));
    };
    expect(idOf(10_922, 0xff).clientId).toBe("\ufffd".repeat(10_922));
    expect(() => idOf(10_923, 0xff)).toThrow("a string is no UTF-8");
    expect(idOf(32_767, 0x61).clientId).toBe("a".repeat(32_767));
  });

  test("may carry a client id of 32 KiB", () => {
    const clientId = "c".repeat(32_767);
    const bytes = encodeRequest(apiVersions, 0, { correlationId: 1, clientId }, {});
    expect(decodeRequestHeader(bytes).clientId).toBe(clientId);
  });

  test("may carry unknown tags", () => {
    const header = decodeRequestHeader(fromHex("0012 0003 00000001 ffff 01 05 02 abcd 0261 0262 00"));
    expect(decodeRequest(apiVersions, header)).toEqual({ clientSoftwareName: "a", clientSoftwareVersion: "b" });
  });

  test("are refused when they are cut short or lie", () => {
    const whole = fromHex("0012 0000 00000001 0001 61");
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeRequestHeader(whole.subarray(0, length))).toThrow(CorruptMessageError);
    }
    expect(() => decodeRequestHeader(fromHex("0012 0000 00000001 fffe"))).toThrow("a client id of -2 bytes");
    expect(() => decodeRequestHeader(fromHex("0012 0000 00000001 7fff 61"))).toThrow(CorruptMessageError);
  });

  test("with a version that the API does not have are refused", () => {
    for (const version of ["ffff", "0001", "0005"]) {
      const header = decodeRequestHeader(fromHex(`0017 ${version} 00000001 ffff`));
      expect(() => decodeRequest(offsetForLeaderEpoch, header)).toThrow(UnsupportedVersionError);
    }
  });
});

describe("response headers", () => {
  test("have tags in flexible versions", () => {
    const body = { topics: [] };
    expect(encodeResponse(offsetForLeaderEpoch, 3, 7, body)).toEqual(fromHex("00000007 00000000 00000000"));
    expect(encodeResponse(offsetForLeaderEpoch, 4, 7, body)).toEqual(fromHex("00000007 00 00000000 01 00"));
  });

  test("of ApiVersions never have tags, so that any client can read them", () => {
    const body = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] };
    const bytes = encodeResponse(apiVersions, 3, 7, body);
    expect(bytes).toEqual(fromHex("00000007 0023 02 0012 0000 0004 00 00000000 00"));
    expect(decodeResponse(apiVersions, 3, bytes)).toMatchObject({ correlationId: 7, body });
    expect(encodeResponse(apiVersions, 0, 7, body)).toEqual(fromHex("00000007 0023 00000001 0012 0000 0004"));
  });

  test("tell their correlation id alone", () => {
    expect(decodeCorrelationId(fromHex("0000002a ff"))).toBe(42);
    expect(() => decodeCorrelationId(fromHex("00002a"))).toThrow(CorruptMessageError);
  });
});

describe("the registry", () => {
  test("offers the ranges that clients rely on", () => {
    const ranges = Object.fromEntries(advertisedApiKeys.map((range) => [range.apiKey, range]));
    expect(ranges[0]).toEqual({ apiKey: 0, minVersion: 0, maxVersion: 11 });
    expect(ranges[1]).toEqual({ apiKey: 1, minVersion: 4, maxVersion: 16 });
    expect(ranges[3]).toEqual({ apiKey: 3, minVersion: 0, maxVersion: 12 });
    expect(ranges[18]).toEqual({ apiKey: 18, minVersion: 0, maxVersion: 4 });
    for (const controllerKey of [56, 59, 62, 63, 67]) expect(ranges[controllerKey]).toBeUndefined();
  });

  test("knows every API by its own key", () => {
    for (const [key, api] of apis) expect(api.key).toBe(key);
    const files = readdirSync(new URL("../../src/protocol/apis", import.meta.url)).filter((name) => /^\d/.test(name));
    expect(apis.size).toBe(files.length);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { PendingResponse } from "../../src/broker/request-channel.ts";
import { RequestChannel } from "../../src/broker/request-channel.ts";

const frame = (byte: number) => Uint8Array.of(byte);

describe("RequestChannel", () => {
  let effects: BrokerEffect[];
  let channel: RequestChannel;
  /** The place of a request that is begun at once; undefined for one that waits, or is not taken. */
  const arrive = (connectionId: number, bytes: number) => {
    let begun: PendingResponse | undefined;
    channel.arrived(connectionId, bytes, (pending) => (begun = pending));
    return begun;
  };
  const sent = () => effects.flatMap((effect) => (effect.type === "send" ? [effect.frame[0]] : []));

  beforeEach(() => {
    effects = [];
    const config = { ...defaultBrokerConfig, maxPipelinedRequests: 3, maxPipelinedBytes: 100_000 };
    channel = new RequestChannel(config, (effect) => effects.push(effect));
    channel.opened(1, "TAB");
  });

  it("sends answers in the order of the requests, whichever is ready first", () => {
    const [first, second, third] = [arrive(1, 1)!, arrive(1, 1)!, arrive(1, 1)!];
    third.respond(frame(3));
    second.respond(frame(2));
    expect(sent()).toEqual([]);
    first.respond(frame(1));
    expect(sent()).toEqual([1, 2, 3]);
  });

  it("keeps no answer for a request that gets none", () => {
    const [silent, next] = [arrive(1, 1)!, arrive(1, 1)!];
    next.respond(frame(2));
    silent.respond(undefined);
    expect(sent()).toEqual([2]);
  });

  it("counts the first answer only", () => {
    const request = arrive(1, 1)!;
    request.respond(frame(1));
    request.respond(frame(9));
    expect(sent()).toEqual([1]);
  });

  it("hurries a waiting request when another one arrives behind it", () => {
    const waiting = arrive(1, 1)!;
    waiting.hurry = () => waiting.respond(frame(1));
    arrive(1, 1)!.respond(frame(2));
    expect(sent()).toEqual([1, 2]);
  });

  it("begins no more than some at once, and the next ones in their order when there is room", () => {
    const begun: PendingResponse[] = [];
    for (let at = 0; at < 7; at++) channel.arrived(1, 1, (pending) => begun.push(pending));
    expect(begun.length).toBe(3);
    begun[0]!.respond(frame(0));
    expect(begun.length).toBe(4);
    begun[2]!.respond(frame(2));
    expect(begun.length).toBe(4);
    begun[1]!.respond(frame(1));
    expect(begun.length).toBe(6);
    for (const at of [5, 4, 3]) begun[at]!.respond(frame(at));
    begun[6]!.respond(frame(6));
    expect(sent()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(effects.some(({ type }) => type === "close-connection")).toBe(false);
  });

  it("hurries a request that is begun with others behind it already", () => {
    const [first, second, third] = [arrive(1, 1)!, arrive(1, 1)!, arrive(1, 1)!];
    channel.arrived(1, 1, (pending) => (pending.hurry = () => pending.respond(frame(4))));
    channel.arrived(1, 1, (pending) => pending.respond(frame(5)));
    for (const [at, pending] of [first, second, third].entries()) pending.respond(frame(1 + at));
    expect(sent()).toEqual([1, 2, 3, 4, 5]);
  });

  it("begins nothing of a connection that is closed meanwhile", () => {
    const begun: PendingResponse[] = [];
    for (let at = 0; at < 5; at++) channel.arrived(1, 1, (pending) => begun.push(pending));
    begun[0]!.abandoned = () => begun[1]!.respond(frame(1));
    channel.closed(1);
    expect(begun.length).toBe(3);
    expect(sent()).toEqual([]);
  });

  it("asks a connection to hold while much of it waits, and then to go on", () => {
    const held = () => effects.flatMap((effect) => (effect.type === "hold-connection" ? [effect.held] : []));
    const first = arrive(1, 1_000)!;
    expect(held()).toEqual([]);
    const second = arrive(1, 1_000)!;
    expect(held()).toEqual([true]);
    first.respond(frame(1));
    expect(held()).toEqual([true]);
    second.respond(frame(2));
    expect(held()).toEqual([true, false]);
  });

  it.each([
    ["requests", () => Array.from({ length: 25 }, () => 1)],
    ["bytes", () => [60_000, 60_000]],
  ])("closes the one connection that has too many %s waiting", (_what, sizes) => {
    channel.opened(2, "TAB");
    const other = arrive(2, 1)!;
    const arrivals = sizes().map((size) => arrive(1, size));
    expect(arrivals.at(-1)).toBeUndefined();
    expect(effects.find((effect) => effect.type === "close-connection")).toMatchObject({ connectionId: 1 });
    other.respond(frame(7));
    expect(sent()).toEqual([7]);
  });

  it("closes a connection whose answers are too many to wait for their turn", () => {
    const [first, second, third] = [arrive(1, 1)!, arrive(1, 1)!, arrive(1, 1)!];
    second.respond(new Uint8Array(80_000));
    expect(effects.some(({ type }) => type === "close-connection")).toBe(false);
    third.respond(new Uint8Array(80_000));
    expect(effects.find((effect) => effect.type === "close-connection")).toMatchObject({ connectionId: 1 });
    first.respond(frame(1));
    expect(sent()).toEqual([]);
  });

  it("sends an answer of any size whose turn it is", () => {
    arrive(1, 1)!.respond(new Uint8Array(500_000));
    arrive(1, 60_000)!.respond(frame(2));
    expect(sent()).toEqual([0, 2]);
    expect(effects.some(({ type }) => type === "close-connection")).toBe(false);
  });

  it("tells waiting requests that their connection is gone, and drops their answers", () => {
    const request = arrive(1, 1)!;
    let abandoned = 0;
    request.abandoned = () => abandoned++;
    channel.closed(1);
    request.respond(frame(1));
    expect(abandoned).toBe(1);
    expect(sent()).toEqual([]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { defaultBrokerConfig } from "../../src/broker/broker-config.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import { RequestChannel } from "../../src/broker/request-channel.ts";

const frame = (byte: number) => Uint8Array.of(byte);

describe("RequestChannel", () => {
  let effects: BrokerEffect[];
  let channel: RequestChannel;
  const sent = () => effects.flatMap((effect) => (effect.type === "send" ? [effect.frame[0]] : []));

  beforeEach(() => {
    effects = [];
    channel = new RequestChannel({ ...defaultBrokerConfig, maxPipelinedRequests: 3, maxPipelinedBytes: 100 }, (effect) =>
      effects.push(effect),
    );
    channel.opened(1, "TAB");
  });

  it("sends answers in the order of the requests, whichever is ready first", () => {
    const [first, second, third] = [channel.arrived(1, 1)!, channel.arrived(1, 1)!, channel.arrived(1, 1)!];
    third.respond(frame(3));
    second.respond(frame(2));
    expect(sent()).toEqual([]);
    first.respond(frame(1));
    expect(sent()).toEqual([1, 2, 3]);
  });

  it("keeps no answer for a request that gets none", () => {
    const [silent, next] = [channel.arrived(1, 1)!, channel.arrived(1, 1)!];
    next.respond(frame(2));
    silent.respond(undefined);
    expect(sent()).toEqual([2]);
  });

  it("counts the first answer only", () => {
    const request = channel.arrived(1, 1)!;
    request.respond(frame(1));
    request.respond(frame(9));
    expect(sent()).toEqual([1]);
  });

  it("hurries a waiting request when another one arrives behind it", () => {
    const waiting = channel.arrived(1, 1)!;
    waiting.hurry = () => waiting.respond(frame(1));
    channel.arrived(1, 1)!.respond(frame(2));
    expect(sent()).toEqual([1, 2]);
  });

  it.each([
    ["requests", () => [1, 1, 1, 1]],
    ["bytes", () => [60, 60]],
  ])("closes the one connection that has too many %s waiting", (_what, sizes) => {
    channel.opened(2, "TAB");
    const other = channel.arrived(2, 1)!;
    const arrivals = sizes().map((size) => channel.arrived(1, size));
    expect(arrivals.at(-1)).toBeUndefined();
    expect(effects.find((effect) => effect.type === "close-connection")).toMatchObject({ connectionId: 1 });
    other.respond(frame(7));
    expect(sent()).toEqual([7]);
  });

  it("closes a connection whose answers are too many to wait for their turn", () => {
    const [first, second, third] = [channel.arrived(1, 1)!, channel.arrived(1, 1)!, channel.arrived(1, 1)!];
    second.respond(new Uint8Array(90));
    expect(effects).toEqual([]);
    third.respond(new Uint8Array(90));
    expect(effects.find((effect) => effect.type === "close-connection")).toMatchObject({ connectionId: 1 });
    first.respond(frame(1));
    expect(sent()).toEqual([]);
  });

  it("sends an answer of any size whose turn it is", () => {
    channel.arrived(1, 1)!.respond(new Uint8Array(500));
    channel.arrived(1, 60)!.respond(frame(2));
    expect(effects.map(({ type }) => type)).toEqual(["send", "send"]);
  });

  it("tells waiting requests that their connection is gone, and drops their answers", () => {
    const request = channel.arrived(1, 1)!;
    let abandoned = 0;
    request.abandoned = () => abandoned++;
    channel.closed(1);
    request.respond(frame(1));
    expect(abandoned).toBe(1);
    expect(sent()).toEqual([]);
  });
});

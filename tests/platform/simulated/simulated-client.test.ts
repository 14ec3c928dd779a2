import { beforeEach, describe, expect, test } from "vitest";
import { Chance } from "../../../src/platform/simulated/chance.ts";
import { SimulatedNetwork } from "../../../src/platform/simulated/network.ts";
import type { ConnectionEnd } from "../../../src/platform/simulated/network.ts";
import { settled } from "../../../src/platform/simulated/settled.ts";
import { SimulatedClient } from "../../../src/platform/simulated/simulated-client.ts";
import { SERVER } from "../../../src/platform/simulated/simulated-server.ts";
import { VirtualTime } from "../../../src/platform/simulated/virtual-time.ts";
import type { Connection } from "../../../src/runtime/connection.ts";

const BROKER = { host: "peer-1", port: 0 };

let time: VirtualTime;
let network: SimulatedNetwork;
let client: SimulatedClient;
/** The brokers' and the server's ends. */
let far: Map<string, ConnectionEnd[]>;
let seen: string[];
let entries: number;

beforeEach(() => {
  time = new VirtualTime();
  network = new SimulatedNetwork(time, new Chance("network"));
  far = new Map();
  seen = [];
  entries = 0;
  for (const node of ["tab-1", SERVER]) accept(node);
  client = new SimulatedClient("client", {
    time,
    network,
    chance: new Chance("client"),
    resolve: (peer) => (peer === BROKER.host ? "tab-1" : undefined),
    entered: () => void entries++,
  });
});

function accept(node: string): void {
  const ends: ConnectionEnd[] = [];
  far.set(node, ends);
  network.listen(node, (end) => {
    ends.push(end);
    end.receive({ frame: ([byte]) => seen.push(`${node} got ${byte}`), closed: () => seen.push(`${node} lost it`) });
    return "accepted";
  });
}

/** Lets virtual time go by, as a run does: promises settle after each event. */
async function pass(ms: number): Promise<void> {
  const endUs = time.nowUs + ms * 1000;
  await settled();
  while (time.step(endUs)) await settled();
}

async function connected(): Promise<Connection> {
  const dialled = client.dial(BROKER);
  await pass(200);
  const connection = await dialled;
  connection.receive({
    frame: ([byte]) => seen.push(`got ${byte}`),
    closed: (reason) => seen.push(`closed: ${reason}`),
  });
  return connection;
}

describe("a connection", () => {
  test("carries frames both ways, and both ends hear of its end once", async () => {
    const connection = await connected();
    connection.send(Uint8Array.of(1));
    far.get("tab-1")![0]!.send(Uint8Array.of(2));
    await pass(200);
    connection.close("enough");
    connection.close("again");
    connection.send(Uint8Array.of(3));
    await pass(200);
    expect(seen.sort()).toEqual(["closed: enough", "got 2", "tab-1 got 1", "tab-1 lost it"]);
  });

  test("keeps frames, and its end, for a receiver that comes later", async () => {
    const dialled = client.dial(BROKER);
    await pass(200);
    far.get("tab-1")![0]!.send(Uint8Array.of(7));
    far.get("tab-1")![0]!.close("the broker stopped");
    await pass(200);
    (await dialled).receive({ frame: ([byte]) => seen.push(`got ${byte}`), closed: (reason) => seen.push(reason) });
    expect(seen).toEqual(["got 7", "the broker stopped"]);
  });

  test("to nobody is refused, later", async () => {
    const dialled = client.dial({ host: "somebody", port: 0 });
    void pass(10);
    await expect(dialled).rejects.toThrow("no such tab");
  });
});

test("the link to the server opens again for as long as the client lives", async () => {
  client.controller.receive({
    opened: () => seen.push("opened"),
    frame: ([byte]) => seen.push(`got ${byte}`),
    closed: () => seen.push("closed"),
  });
  await pass(500);
  far.get(SERVER)![0]!.send(Uint8Array.of(5));
  await pass(200);
  far.get(SERVER)![0]!.close("restarted");
  await pass(2_000);
  client.close();
  await pass(2_000);
  expect(seen).toEqual(["opened", "got 5", "closed", "opened", "closed", `${SERVER} lost it`]);
  expect(far.get(SERVER)).toHaveLength(2);
});

describe("a page", () => {
  test("that is frozen finds what came meanwhile, in its order and one by one", async () => {
    await connected();
    client.clock.setTimer(5, () => {
      seen.push("timer");
      void Promise.resolve().then(() => seen.push("after the timer"));
    });
    client.freeze();
    await pass(50);
    far.get("tab-1")![0]!.send(Uint8Array.of(1));
    far.get("tab-1")![0]!.send(Uint8Array.of(2));
    await pass(500);
    expect(seen).toEqual([]);
    client.thaw();
    await pass(0);
    expect(seen).toEqual(["timer", "after the timer", "got 1", "got 2"]);
  });

  test("that vanishes runs nothing any more, and the other ends notice", async () => {
    await connected();
    client.clock.setTimer(5, () => seen.push("timer"));
    const before = entries;
    client.vanish();
    await pass(500);
    expect(seen.sort()).toEqual(["server lost it", "tab-1 lost it"]);
    expect(entries).toBe(before);
  });

  test("that vanishes while it dials does not hold the connection", async () => {
    void client.dial(BROKER);
    client.vanish();
    await pass(500);
    expect(far.get("tab-1")!.filter(({ isOpen }) => isOpen)).toEqual([]);
  });
});

test("a timer is never early, however short it is", async () => {
  for (const delayMs of [0.0001, 0.3001, 1 / 3]) {
    const before = client.clock.now();
    let after = 0;
    client.clock.setTimer(delayMs, () => (after = client.clock.now()));
    await pass(1);
    expect(after).toBeGreaterThanOrEqual(before + delayMs);
  }
});

test("a timer that was called off does not run", async () => {
  const callOff = client.clock.setTimer(5, () => seen.push("timer"));
  callOff();
  await pass(50);
  expect(seen).toEqual([]);
});

test("random numbers and ids come from the seed", () => {
  const again = new SimulatedClient("client", {
    time: new VirtualTime(),
    network,
    chance: new Chance("client"),
    resolve: () => undefined,
    entered: () => {},
  });
  expect([again.random(), again.randomUuid()]).toEqual([client.random(), client.randomUuid()]);
  expect(client.random()).toBeLessThan(1);
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { dataChannelConnection } from "../../../src/platform/browser/data-channel-connection.ts";
import { PeerUnreachableError } from "../../../src/platform/browser/errors.ts";
import type { LinkSignal } from "../../../src/platform/browser/peer-links.ts";
import { PeerLinks, declineOffer } from "../../../src/platform/browser/peer-links.ts";
import { Peer } from "../../../src/platform/browser/simple-peer.ts";
import type { Connection } from "../../../src/runtime/connection.ts";
import { expectEcho, receiveAll } from "./received.ts";

interface Tab {
  readonly peer: string;
  readonly links: PeerLinks;
  readonly accepted: Connection[];
  dial(peer: string, listener?: string): Promise<Connection>;
}

/** In place of the server: carries signals between the tabs of a test, each a task later. */
class Signals {
  readonly #tabs = new Map<string, (from: string, payload: LinkSignal) => void>();
  readonly #links: PeerLinks[] = [];
  readonly offers: string[] = [];
  readonly drop = new Set<string>();
  /** Set while signals are kept back. */
  held: (() => void)[] | undefined;

  tab(peer: string): Tab {
    const accepted: Connection[] = [];
    const take = (channels: Connection[]) => {
      return ({ channel, released }: { channel: RTCDataChannel; released: () => void }) => {
        const end = dataChannelConnection(channel, { onClosed: released });
        channels.push(end.connection);
        return end.lost;
      };
    };
    const links = new PeerLinks({
      peer,
      iceServers: [],
      sendSignal: (to, signal) => this.#carry(peer, to, signal),
      acceptor: (listener) => (listener === "TAB" ? take(accepted) : undefined),
    });
    const dial = async (to: string, listener = "TAB") => {
      const own: Connection[] = [];
      await links.open(to, listener, take(own));
      return own.at(-1)!;
    };
    const tab = { peer, links, accepted, dial };
    this.#links.push(links);
    this.#tabs.set(peer, (from, payload) => links.onSignal(from, payload));
    return tab;
  }

  relayOnly(peer: string): void {
    this.#tabs.set(peer, (from, payload) => {
      const decline = declineOffer(payload);
      if (decline !== undefined) this.#carry(peer, from, decline);
    });
  }

  /** A tab that takes links, and then answers nothing. */
  deaf(peer: string): void {
    const ends = new Map<string, Peer>();
    this.#tabs.set(peer, (from, { link, signal }) => {
      const end = ends.get(link) ?? handMadePeer(false);
      if (!ends.has(link)) end.on("signal", (answer) => this.#carry(peer, from, { link, signal: answer }));
      ends.set(link, end);
      end.signal(signal);
    });
  }

  /** A link from `from` to `to` whose near end is simple-peer alone, to say what no `PeerLinks` would. */
  handMade(from: string, to: string) {
    const peer = handMadePeer(true);
    const link = crypto.randomUUID();
    peer.on("signal", (signal) => this.#carry(from, to, { link, signal }));
    this.#tabs.set(from, (_from, payload) => {
      if (payload.link === link) peer.signal(payload.signal);
    });
    return {
      peer,
      connected: new Promise<void>((resolve) => peer.on("connect", resolve)),
      closed: new Promise<void>((resolve) => peer.on("close", resolve)),
    };
  }

  #carry(from: string, to: string, payload: LinkSignal): void {
    if ((payload.signal as { type: string }).type === "offer") this.offers.push(from);
    if (this.drop.has(from)) return;
    const text = JSON.stringify(payload);
    const carry = () => void setTimeout(() => this.#tabs.get(to)?.(from, JSON.parse(text)));
    if (this.held === undefined) carry();
    else this.held.push(carry);
  }

  close(): void {
    for (const links of this.#links) links.close();
  }
}

function handMadePeer(initiator: boolean): Peer {
  const channelConfig = { negotiated: true, id: 0 };
  const peer = new Peer({ initiator, channelConfig, config: { iceServers: [] }, trickle: true, objectMode: true });
  return peer.on("error", () => {});
}

describe("direct links between tabs", () => {
  let signals: Signals;
  let a: Tab;
  let b: Tab;

  beforeEach(() => {
    signals = new Signals();
    a = signals.tab("a");
    b = signals.tab("b");
  });

  afterEach(() => {
    vi.useRealTimers();
    signals.close();
  });

  test("a dial opens a connection, and later dials of both sides share its link", async () => {
    const first = await a.dial("b");
    await expectEcho(first, b.accepted[0]!);
    const second = await a.dial("b");
    await expectEcho(second, b.accepted[1]!);
    const back = await b.dial("a");
    await expectEcho(back, a.accepted[0]!);
    expect(signals.offers).toEqual(["a"]);
  });

  test("connections of one link close one by one", async () => {
    const first = await a.dial("b");
    const second = await a.dial("b");
    const farEnd = receiveAll(b.accepted[0]!);
    first.close("done");
    await farEnd.closed;
    await expectEcho(second, b.accepted[1]!);
  });

  test("a listener that the other tab does not serve is refused, on a link that goes on", async () => {
    await expect(a.dial("b", "KAFKA")).rejects.toThrow(PeerUnreachableError);
    await expectEcho(await a.dial("b"), b.accepted[0]!);
    expect(signals.offers).toEqual(["a"]);
  });

  test("when both dial at once, the lower id's offer serves both", async () => {
    const held = (signals.held = []) as (() => void)[];
    const dials = [a.dial("b"), b.dial("a")] as const;
    await expect.poll(() => [...signals.offers].sort()).toEqual(["a", "b"]);
    signals.held = undefined;
    for (const carry of held) carry();
    const [fromA, fromB] = await Promise.all(dials);
    await expectEcho(fromA, b.accepted[0]!);
    await expectEcho(fromB, a.accepted[0]!);
    await a.dial("b");
    await b.dial("a");
    expect(signals.offers).toHaveLength(2);
    expect([a.accepted.length, b.accepted.length]).toEqual([2, 2]);
  });

  test("many tabs that dial each other at once all get through", async () => {
    const tabs = ["c", "d", "e", "f"].map((peer) => signals.tab(peer));
    const dials = tabs.flatMap((from) => tabs.filter((to) => to !== from).map((to) => from.dial(to.peer)));
    expect(await Promise.all(dials)).toHaveLength(12);
    expect(tabs.map(({ accepted }) => accepted.length)).toEqual([3, 3, 3, 3]);
  });

  test("a link that does not open within three seconds rejects the dial", async () => {
    signals.drop.add("b");
    const startedMs = performance.now();
    await expect(a.dial("b")).rejects.toThrow("within 3000 ms");
    expect(performance.now() - startedMs).toBeGreaterThan(2900);
    signals.drop.delete("b");
    await expectEcho(await a.dial("b"), b.accepted[0]!);
  });

  test("a tab that makes no direct links says so at once", async () => {
    signals.relayOnly("r");
    const startedMs = performance.now();
    const dial = a.dial("r");
    await expect(dial).rejects.toThrow("takes no direct link");
    await expect(dial).rejects.not.toThrow(PeerUnreachableError);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  test("a dial that a busy page does not answer is given up, and the next one makes a new link", async () => {
    signals.deaf("d");
    await expect(a.dial("d")).rejects.toThrow("did not answer within 3000 ms");
    const again = a.dial("d").catch(() => {});
    await expect.poll(() => signals.offers).toEqual(["a", "a"]);
    a.links.close();
    await again;
  });

  test("a tab that the server does not know fails the dial at once", async () => {
    const dial = a.dial("z");
    a.links.onUnreachable("z");
    await expect(dial).rejects.toThrow(PeerUnreachableError);
  });

  test("news of an unreachable tab leaves a link that is open alone", async () => {
    const near = await a.dial("b");
    a.links.onUnreachable("b");
    await expectEcho(near, b.accepted[0]!);
  });

  test("when a tab closes its links, the other's connections end, and it can dial anew", async () => {
    const near = receiveAll(await a.dial("b"));
    const far = receiveAll(b.accepted[0]!);
    b.links.close();
    await near.closed;
    await far.closed;
    b = signals.tab("b");
    await expectEcho(await a.dial("b"), b.accepted[0]!);
  });

  test("a link whose channel ids run out is replaced while its channels live on", { timeout: 120_000 }, async () => {
    const lasting = await a.dial("b");
    const lastingFar = b.accepted[0]!;
    for (let count = 0; count < 520; count++) {
      const near = await a.dial("b");
      const far = receiveAll(b.accepted.at(-1)!);
      near.close("done");
      await far.closed;
    }
    expect(signals.offers).toEqual(["a", "a"]);
    await expectEcho(lasting, lastingFar);
  });

  test("an idle link is closed after a minute, and made again when needed", async () => {
    const near = await a.dial("b");
    const far = receiveAll(b.accepted[0]!);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    near.close("done");
    await far.closed;
    vi.advanceTimersByTime(60_000);
    vi.useRealTimers();
    await expectEcho(await a.dial("b"), b.accepted[1]!);
    expect(signals.offers).toEqual(["a", "a"]);
  });

  test("malformed signals change nothing", async () => {
    const hostile: unknown[] = [
      null,
      "offer",
      {},
      { link: 7, signal: { type: "offer", sdp: "v=0" } },
      { link: "x".repeat(1000), signal: { type: "offer", sdp: "v=0" } },
      { link: "h1", signal: { type: "offer", sdp: "no sdp at all" } },
      { link: "h2", signal: { type: "offer", sdp: 5 } },
      { link: "h3", signal: { type: "answer", sdp: "v=0" } },
      { link: "h4", signal: { type: "candidate", candidate: null } },
      { link: "h5", signal: { type: "candidate", candidate: { candidate: 5 } } },
      { link: "h6", signal: { type: "transceiverRequest", transceiverRequest: { kind: "video" } } },
      { link: "h7", signal: { type: "renegotiate", renegotiate: true } },
    ];
    for (const payload of hostile) b.links.onSignal("mallory", payload);
    await expectEcho(await a.dial("b"), b.accepted[0]!);
  });

  test("link control that is none, or out of turn, ends the link", async () => {
    const hostile = ["{", "[]", '{"open":2,"listener":"TAB"}', '{"open":9000,"listener":"TAB"}', "x".repeat(5000)];
    for (const control of hostile) {
      const mallory = signals.handMade("mallory", "b");
      await mallory.connected;
      mallory.peer.send('{"open":1,"listener":"TAB"}');
      await expect.poll(() => b.accepted.length).toBeGreaterThan(0);
      const far = receiveAll(b.accepted.pop()!);
      mallory.peer.send(control);
      await far.closed;
      await mallory.closed;
    }
    await expectEcho(await a.dial("b"), b.accepted.at(-1)!);
  });

  test("a peer cannot use a channel id twice, nor hold more than 256 channels", async () => {
    const mallory = signals.handMade("mallory", "b");
    const answers: string[] = [];
    mallory.peer.on("data", (data) => answers.push(String(data)));
    await mallory.connected;
    for (let id = 1; id <= 2 * 257; id += 2) mallory.peer.send(JSON.stringify({ open: id, listener: "TAB" }));
    await expect.poll(() => answers.length).toBe(257);
    expect(answers.filter((answer) => answer.includes("opened"))).toHaveLength(256);
    expect(answers.at(-1)).toContain("too many channels");
    mallory.peer.send('{"open":1,"listener":"TAB"}');
    await mallory.closed;
    expect(b.accepted).toHaveLength(256);
  });
});

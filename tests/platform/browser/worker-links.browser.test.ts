import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WorkerLinks } from "../../../src/platform/browser/worker-links.ts";
import type { Command, Report } from "./channel-owner.worker.ts";

/** A page with a worker that owns its connections, as a broker's tab is. Signals go from worker to worker. */
class WorkerTab {
  readonly peer: string;
  readonly worker = new Worker(new URL("./channel-owner.worker.ts", import.meta.url), { type: "module" });
  readonly links: WorkerLinks;
  readonly reports: Report[] = [];

  constructor(peer: string, tabs: Map<string, WorkerTab>, transferable = true) {
    this.peer = peer;
    const { port1, port2 } = new MessageChannel();
    if (!transferable) refuseChannels(port1);
    this.links = new WorkerLinks(port1, peer, [], true);
    this.tell({ type: "start", port: port2 }, [port2]);
    this.worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "signal") tabs.get(data.to)?.tell({ type: "signal", from: peer, signal: data.signal });
      else this.reports.push(data);
    };
    tabs.set(peer, this);
  }

  tell(command: Command, ports: MessagePort[] = []): void {
    this.worker.postMessage(command, ports);
  }

  async reported<T extends Report["type"]>(
    type: T,
    matches: (report: Extract<Report, { type: T }>) => boolean = () => true,
    timeout = 5000,
  ): Promise<Extract<Report, { type: T }>> {
    const find = () =>
      this.reports.find((report): report is Extract<Report, { type: T }> => {
        return report.type === type && matches(report as Extract<Report, { type: T }>);
      });
    await expect.poll(find, { timeout, interval: 5 }).toBeDefined();
    return find()!;
  }

  close(): void {
    this.links.close();
    this.worker.terminate();
  }
}

/** What browsers do that cannot transfer data channels. */
function refuseChannels(port: MessagePort): void {
  const post = port.postMessage.bind(port) as (message: unknown, transfer: Transferable[]) => void;
  port.postMessage = (message: unknown, transfer: unknown = []) => {
    const list = transfer as Transferable[];
    if (list.some((each) => each instanceof RTCDataChannel)) throw new DOMException("no", "DataCloneError");
    post(message, list);
  };
}

for (const transferable of [true, false]) {
  describe(transferable ? "channels transferred to workers" : "channels pumped to workers through ports", () => {
    let tabs: Map<string, WorkerTab>;
    let a: WorkerTab;
    let b: WorkerTab;

    beforeEach(() => {
      tabs = new Map();
      a = new WorkerTab("a", tabs, transferable);
      b = new WorkerTab("b", tabs, transferable);
    });

    afterEach(() => {
      a.close();
      b.close();
    });

    test("a worker dials another tab's worker, and frames go both ways", async () => {
      a.tell({ type: "dial", peer: "b", listener: "TAB" });
      expect((await a.reported("dialled")).kind).toBe("data-channel");
      a.tell({ type: "send", bytes: [1, 2, 3] });
      expect((await a.reported("frame")).bytes).toEqual([1, 2, 3]);
      expect((await a.reported("paths")).paths).toEqual([{ peer: "b", path: "direct", connections: 1 }]);
      expect((await b.reported("paths")).paths).toEqual([{ peer: "a", path: "direct", connections: 1 }]);
    });

    test("a close on one side ends the other, and counts the path down", async () => {
      a.tell({ type: "dial", peer: "b", listener: "TAB" });
      await a.reported("dialled");
      a.tell({ type: "close" });
      await b.reported("closed");
      await b.reported("paths", ({ paths }) => (paths as unknown[]).length === 0);
    });

    test("a refusal names itself", async () => {
      a.tell({ type: "dial", peer: "b", listener: "KAFKA" });
      expect(await a.reported("failed")).toMatchObject({ name: "PeerUnreachableError" });
    });

    test("when the page loses its links, the worker's connections end", async () => {
      a.tell({ type: "dial", peer: "b", listener: "TAB" });
      await a.reported("dialled");
      a.links.links!.close();
      await a.reported("closed");
      await b.reported("closed");
    });

    test("16 MB arrive complete", async () => {
      a.tell({ type: "dial", peer: "b", listener: "TAB" });
      await a.reported("dialled");
      const total = 16 * 1024 * 1024;
      a.tell({ type: "flood", frames: 16, frameBytes: total / 16 });
      await b.reported("flooded", ({ bytes }) => bytes === total, 25_000);
    });
  });
}

test("transferred channels go on while the page is blocked", async () => {
  const tabs = new Map<string, WorkerTab>();
  const a = new WorkerTab("a", tabs);
  const b = new WorkerTab("b", tabs);
  a.tell({ type: "dial", peer: "b", listener: "TAB" });
  await a.reported("dialled");
  const total = 64 * 1024 * 1024;
  // On a busy machine the workers may get no turn in one second, which says nothing about the page. Were they to depend on
  // it, they would get none in any.
  const framesWhileBlocked = async () => {
    b.reports.length = 0;
    a.tell({ type: "flood", frames: 256, frameBytes: total / 256 });
    await b.reported("flooded");
    const blockedFrom = Date.now();
    while (Date.now() < blockedFrom + 1000);
    // Those that came a fifth of a second in came long after the last task that the page could have run.
    const within = ({ at }: { at: number }) => at > blockedFrom + 200 && at < blockedFrom + 1000;
    await b.reported("flooded", ({ at }) => at > blockedFrom + 200, 10_000);
    return b.reports.filter((report) => report.type === "flooded" && within(report)).length;
  };
  let frames = 0;
  for (let attempt = 0; frames === 0 && attempt < 5; attempt++) frames = await framesWhileBlocked();
  expect(frames).toBeGreaterThan(0);
  a.close();
  b.close();
}, 60_000);

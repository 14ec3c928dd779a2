import type { CDPSession, Page } from "playwright";

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A control session with a dedicated worker of a page, through the page's own. */
export class WorkerSession {
  readonly #session: CDPSession;
  readonly #sessionId: string;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  #nextId = 1;

  private constructor(session: CDPSession, sessionId: string) {
    this.#session = session;
    this.#sessionId = sessionId;
    session.on("Target.receivedMessageFromTarget", ({ sessionId: from, message }) => {
      if (from !== sessionId) return;
      const answer = JSON.parse(message) as Answer;
      const settle = this.#pending.get(answer.id ?? -1);
      this.#pending.delete(answer.id ?? -1);
      settle?.(answer);
    });
  }

  /** The session with the worker whose script's address contains `name`. */
  static async attach(page: Page, name: string): Promise<WorkerSession> {
    const session = await page.context().newCDPSession(page);
    const attached = new Promise<string>((resolve) => {
      session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
        if (targetInfo.type === "worker" && targetInfo.url.includes(name)) resolve(sessionId);
      });
    });
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return new WorkerSession(session, await attached);
  }

  async send<Result>(method: string, params: object = {}): Promise<Result> {
    const id = this.#nextId++;
    const answered = new Promise<Answer>((resolve) => this.#pending.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.#session.send("Target.sendMessageToTarget", { sessionId: this.#sessionId, message });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  /** MiB of objects and of the buffers that they hold. */
  async heapMib(): Promise<number> {
    const usage = await this.send<{ usedSize: number; backingStorageSize?: number }>("Runtime.getHeapUsage");
    return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 2 ** 20;
  }

  async collectGarbage(): Promise<void> {
    await this.send("HeapProfiler.collectGarbage");
  }
}

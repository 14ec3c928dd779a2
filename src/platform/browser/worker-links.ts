import { TAB_LISTENER } from "../../metadata/listener-names.ts";
import { PeerUnreachableError, describe } from "./errors.ts";
import type { ToPage, ToWorker } from "./link-port.ts";
import type { TakeChannel } from "./peer-link.ts";
import { PeerLinks, declineOffer } from "./peer-links.ts";
import { pumpChannel } from "./pumped-channel.ts";

/** The page's side of the links that a broker in its worker uses. */
export class WorkerLinks {
  /** Undefined where there is no WebRTC, or it is not wanted: then every dial fails at once. */
  readonly links: PeerLinks | undefined;
  readonly #port: MessagePort;
  /** What to call when the worker says that a channel has closed. */
  readonly #released = new Map<number, () => void>();
  #nextChannelId = 1;
  /** Whether signals reach the server: a worker has no socket before it has storage, nor once its broker has failed. */
  #connected = false;

  constructor(port: MessagePort, peer: string, iceServers: readonly RTCIceServer[], direct: boolean) {
    this.#port = port;
    if (direct) {
      this.links = new PeerLinks({
        peer,
        iceServers,
        sendSignal: (to, signal) => this.#post({ type: "signal", to, signal }),
        acceptor: (listener) => (listener === TAB_LISTENER ? this.#taker(undefined) : undefined),
      });
    }
    port.onmessage = ({ data }: MessageEvent<ToPage>) => this.#onMessage(data);
  }

  /** The links, if there is one to `peer` or one could be made now. */
  linksTo(peer: string): PeerLinks | undefined {
    return this.#connected || this.links?.isLinked(peer) === true ? this.links : undefined;
  }

  close(): void {
    this.links?.close();
    this.#port.close();
  }

  #onMessage(message: ToPage): void {
    switch (message.type) {
      case "dial":
        return void this.#dial(message.dialId, message.peer, message.listener);
      case "released":
        this.#released.get(message.channelId)?.();
        return void this.#released.delete(message.channelId);
      case "signal":
        return this.#onSignal(message.from, message.signal);
      case "unreachable":
        return this.links?.onUnreachable(message.to);
      case "server":
        this.#connected = message.connected;
    }
  }

  #onSignal(from: string, signal: unknown): void {
    if (this.links !== undefined) return this.links.onSignal(from, signal);
    const decline = declineOffer(signal);
    if (decline !== undefined) this.#post({ type: "signal", to: from, signal: decline });
  }

  async #dial(dialId: number, peer: string, listener: string): Promise<void> {
    try {
      if (this.links === undefined) throw new Error("this page makes no direct links");
      await this.links.open(peer, listener, this.#taker(dialId));
      this.#post({ type: "dialled", dialId });
    } catch (cause) {
      const unreachable = cause instanceof PeerUnreachableError;
      this.#post({ type: "dial-failed", dialId, reason: describe(cause), unreachable });
    }
  }

  /** Hands channels to the worker in the task that made them, as the browser demands. */
  #taker(dialId: number | undefined): TakeChannel {
    return (opened) => {
      const channelId = this.#nextChannelId++;
      this.#released.set(channelId, opened.released);
      const { peer, listener } = opened;
      const message = { type: "channel", channelId, peer, listener, dialId } as const;
      try {
        this.#post({ ...message, end: opened.channel }, [opened.channel]);
      } catch (cause) {
        if (!(cause instanceof DOMException && cause.name === "DataCloneError")) throw cause;
        const port = pumpChannel(opened.channel);
        this.#post({ ...message, end: port }, [port]);
      }
      return (reason) => {
        this.#released.delete(channelId);
        this.#post({ type: "lost", channelId, reason });
      };
    };
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

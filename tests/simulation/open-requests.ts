import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { uint32At } from "../../src/protocol/int-at.ts";

type LookAtAnswer = (answer: Uint8Array) => void;

/** Compares answers with what was true when the requests came. */
export interface RequestWatch {
  /** Called with every request, once the tab has handled it; returns who is to look at the answer, if anybody is. */
  asked(tab: SimulatedTab, frame: Uint8Array): LookAtAnswer | undefined;
}

/** Behind the key and the version of a request. */
const CORRELATION_ID_AT = 4;

/** The requests that somebody watches, until they are answered. */
export class OpenRequests {
  readonly #watches: readonly RequestWatch[];
  /** By the tab that was asked, which never gives two connections one id, then by connection and correlation id. */
  readonly #open = new WeakMap<SimulatedTab, Map<number, LookAtAnswer>>();

  constructor(watches: readonly RequestWatch[]) {
    this.#watches = watches;
  }

  asked(tab: SimulatedTab, event: BrokerEvent): void {
    if (event.type !== "connection-frame") return;
    const { connectionId, frame } = event;
    for (const watch of this.#watches) {
      const look = watch.asked(tab, frame);
      if (look === undefined) continue;
      const open = this.#open.get(tab) ?? new Map<number, LookAtAnswer>();
      this.#open.set(tab, open);
      open.set(idOf(connectionId, uint32At(frame, CORRELATION_ID_AT)), look);
    }
  }

  answered(tab: SimulatedTab, effects: readonly BrokerEffect[]): void {
    const open = this.#open.get(tab);
    if (open === undefined || open.size === 0) return;
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      const id = idOf(effect.connectionId, uint32At(effect.frame, 0));
      const look = open.get(id);
      if (look === undefined) continue;
      open.delete(id);
      look(effect.frame);
    }
  }
}

function idOf(connectionId: number, correlationId: number): number {
  return connectionId * 2 ** 32 + correlationId;
}

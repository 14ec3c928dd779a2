import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { decodeCorrelationId } from "../../src/protocol/envelope.ts";

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
  readonly #open = new Map<string, LookAtAnswer>();

  constructor(watches: readonly RequestWatch[]) {
    this.#watches = watches;
  }

  asked(tab: SimulatedTab, event: BrokerEvent): void {
    if (event.type !== "connection-frame") return;
    const { connectionId, frame } = event;
    for (const watch of this.#watches) {
      const look = watch.asked(tab, frame);
      if (look !== undefined) this.#open.set(nameOf(tab, connectionId, frame.subarray(CORRELATION_ID_AT)), look);
    }
  }

  answered(tab: SimulatedTab, effects: readonly BrokerEffect[]): void {
    if (this.#open.size === 0) return;
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      const name = nameOf(tab, effect.connectionId, effect.frame);
      const look = this.#open.get(name);
      this.#open.delete(name);
      look?.(effect.frame);
    }
  }
}

function nameOf(tab: SimulatedTab, connectionId: number, bytes: Uint8Array): string {
  return `${tab.name}#${tab.starts}/${connectionId}/${decodeCorrelationId(bytes)}`;
}

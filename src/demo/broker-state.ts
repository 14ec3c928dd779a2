import type { BrokerStatus } from "../index.ts";
import { element, setText } from "../inspector/element.ts";
import { at, byTestId } from "./this-tab.ts";

/** What is known of this tab's broker: nothing but the error if it could not even be started. */
export interface OwnBroker {
  readonly status: BrokerStatus | undefined;
  readonly startError: string | undefined;
}

export function stateOf({ status, startError }: OwnBroker): BrokerStatus["state"] {
  return startError === undefined ? (status?.state ?? "starting") : "failed";
}

/** Whether only a reload of the page starts it again. */
export function isOver(broker: OwnBroker): boolean {
  const state = stateOf(broker);
  return state === "stopped" || state === "failed";
}

/** The line beneath the name of the page. */
export function showBrokerState(broker: OwnBroker, profile?: string): void {
  const state = stateOf(broker);
  setText(byTestId("broker-state"), state);
  at("lamp").dataset["state"] = state;
  const id = broker.status?.brokerId ?? -1;
  at("identity").replaceChildren(
    ...(id < 0 ? [] : [" · broker ", element("b", { "data-testid": "broker-id" }, String(id))]),
    ...(profile === undefined ? [] : [` · profile ${profile}`]),
  );
}

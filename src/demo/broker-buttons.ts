import type { BrokerTab } from "../index.ts";
import { button, setText } from "../inspector/element.ts";
import { isOver, stateOf } from "./broker-state.ts";
import type { OwnBroker } from "./broker-state.ts";

/** Opens another tab; stops, crashes and starts the broker of this one. */
export class BrokerButtons {
  /** Once the broker has been started. */
  tab: BrokerTab | undefined;
  readonly #open = button("Open another tab", { class: "primary", "data-testid": "open-tab" }, () => {
    window.open(location.href, "_blank", "noopener");
  });
  readonly #stop = button("Stop this broker", { "data-testid": "stop-broker" }, () => this.#stopOrStart());
  readonly #crash = button(
    "Crash this tab",
    { class: "danger", "data-testid": "crash-broker", title: "Ends this tab’s broker at once; it tells nobody" },
    () => this.tab?.crash(),
  );
  #isOver = false;

  constructor(place: HTMLElement) {
    place.append(this.#open, this.#stop, this.#crash);
  }

  show(broker: OwnBroker): void {
    this.#isOver = isOver(broker);
    setText(this.#stop, this.#isOver ? "Start it again" : "Stop this broker");
    this.#stop.disabled = stateOf(broker) === "stopping" || (this.tab === undefined && !this.#isOver);
    this.#crash.hidden = this.#isOver;
    this.#crash.disabled = this.tab === undefined;
  }

  /** A stopped broker starts again with its page: from the same storage, under the same id. */
  #stopOrStart(): void {
    if (this.#isOver) location.reload();
    else void this.tab?.stop();
  }
}

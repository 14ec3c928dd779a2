import type { Admin } from "../index.ts";
import { Kafka } from "../index.ts";
import { BrokerBanner } from "../inspector/broker-banner.ts";
import { reasonOf } from "../inspector/reason.ts";

/** What a page's address says, and what its browser can do: the same for every page of the demo. */

const parameters = new URLSearchParams(location.search);
const cluster = parameters.get("cluster") ?? "tabstream";
const RETRY_MS = 1000;

/** The metadata server, as `Kafka` takes it: the one that served the page. */
export const server = `${location.protocol.replace("http", "ws")}//${location.host}/${encodeURIComponent(cluster)}`;

export const durability = parameters.get("durability") === "relaxed" ? "relaxed" : "strict";

/** An address that names no cluster leaves nothing to show but the reason. */
export function kafkaHere(): Kafka {
  try {
    return new Kafka({ clientId: "tabstream-demo", brokers: [server] });
  } catch (error) {
    const banner = new BrokerBanner();
    banner.show([{ level: "error", title: "This page's address names no cluster", text: reasonOf(error) }]);
    document.getElementById("banner")?.append(banner);
    throw error;
  }
}

/** The page waits for the server as long as it takes; the banner says so. */
export async function connected(kafka: Kafka, admin: Admin): Promise<void> {
  for (;;) {
    try {
      return await admin.connect();
    } catch (error) {
      kafka.logger().warn(`The cluster is not there yet: ${reasonOf(error)}`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** What a broker tab cannot do without; some of it a browser offers only on localhost or over https. */
export function missingFeatures(): readonly string[] {
  const features: readonly [string, boolean][] = [
    ["WebRTC", "RTCPeerConnection" in window],
    ["IndexedDB", "indexedDB" in window],
    ["Web Locks", "locks" in navigator],
    ["module workers", "Worker" in window],
  ];
  return features.filter(([, present]) => !present).map(([name]) => name);
}

/** Another page of the demo, about the same cluster. */
export function pageAddress(page: string, settings: Readonly<Record<string, string>> = {}): string {
  const kept = [...parameters].filter(([name]) => name === "cluster" || name === "durability");
  const search = new URLSearchParams([...kept, ...Object.entries(settings)]).toString();
  return search === "" ? `./${page}` : `./${page}?${search}`;
}

export function at(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no element #${id}`);
  return found;
}

export function byTestId(id: string): Element {
  const found = document.querySelector(`[data-testid="${id}"]`);
  if (found === null) throw new Error(`the page has no element for ${id}`);
  return found;
}

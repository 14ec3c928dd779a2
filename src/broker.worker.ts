import { expose } from "comlink";
import type { BrokerWorkerGreeting } from "./platform/browser/broker-control.ts";
import { BrowserBroker } from "./platform/browser/browser-broker.ts";

addEventListener(
  "message",
  ({ data }: MessageEvent<BrokerWorkerGreeting>) => expose(new BrowserBroker(), data.control),
  { once: true },
);

import { expose } from "comlink";
import type { BrokerWorkerGreeting } from "./platform/browser/broker-control.ts";
import { BrowserBroker } from "./platform/browser/browser-broker.ts";
import { loadAllCodecs } from "./protocol/compression/codecs.ts";

/**
 * When a broker loads its codecs, if it has not needed them: after what it does to join, and while the server has the
 * files of its build. They are 275 kB, zstd alone 259, which the browser keeps for the next tab of the same build.
 */
const CODECS_AFTER_MS = 5_000;

addEventListener(
  "message",
  ({ data }: MessageEvent<BrokerWorkerGreeting>) => {
    expose(new BrowserBroker(), data.control);
    setTimeout(loadAllCodecs, CODECS_AFTER_MS);
  },
  { once: true },
);

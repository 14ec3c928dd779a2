import type { Scenario } from "./figure.ts";
import { bundle } from "./scenarios/bundle.ts";
import { catchUp } from "./scenarios/catch-up.ts";
import { consume } from "./scenarios/consume.ts";
import { failover } from "./scenarios/failover.ts";
import { idle } from "./scenarios/idle.ts";
import { latency } from "./scenarios/latency.ts";
import { memory } from "./scenarios/memory.ts";
import { peers } from "./scenarios/peers.ts";
import { produce } from "./scenarios/produce.ts";
import { raw } from "./scenarios/raw.ts";
import { rebalance } from "./scenarios/rebalance.ts";
import { scale } from "./scenarios/scale.ts";
import { start } from "./scenarios/start.ts";

/** All that `npm run bench` measures, in this order. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map<string, Scenario>([
  ["bundle", bundle],
  ["scale", scale],
  ["raw", raw],
  ["produce", produce],
  ["consume", consume],
  ["latency", latency],
  ["start", start],
  ["idle", idle],
  ["catch-up", catchUp],
  ["failover", failover],
  ["rebalance", rebalance],
  ["memory", memory],
  ["peers", peers],
]);

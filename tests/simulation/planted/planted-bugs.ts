import { brokerBugs } from "./broker-bugs.ts";
import { clientBugs } from "./client-bugs.ts";
import { compactionBugs } from "./compaction-bugs.ts";
import { groupScripts } from "../scripted-groups.ts";
import { groupBugs } from "./group-bugs.ts";
import { logBugs } from "./log-bugs.ts";
import { metadataBugs } from "./metadata-bugs.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { replicationBugs } from "./replication-bugs.ts";

export const plantedBugs: readonly PlantedBug[] = [
  ...replicationBugs,
  ...brokerBugs,
  ...logBugs,
  ...compactionBugs,
  ...metadataBugs,
  ...clientBugs,
  ...groupBugs.map((bug) => ({ scripts: [...groupScripts.keys()], ...bug })),
];

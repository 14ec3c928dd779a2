import { cooperativeSticky } from "./cooperative-sticky.ts";
import { range } from "./range.ts";
import { roundRobin } from "./round-robin.ts";
import { sticky } from "./sticky.ts";

/** The ways to divide partitions among the members of a group; `roundRobin` is the default, as in KafkaJS. */
export const PartitionAssigners = { roundRobin, range, sticky, cooperativeSticky } as const;

/** The internal topic whose partitions hold groups and committed offsets. */
export const OFFSETS_TOPIC = "__consumer_offsets";

/**
 * The partition of `__consumer_offsets` that a group belongs to, by Kafka's rule: the absolute value of Java's hash
 * of the group id, modulo the number of partitions.
 */
export function partitionForGroup(groupId: string, partitionCount: number): number {
  return absolute(javaHashCode(groupId)) % partitionCount;
}

/** Java's `String.hashCode`: over UTF-16 units, in 32 bits. */
export function javaHashCode(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/** Kafka's `Utils.abs`: the smallest integer has no positive counterpart and counts as zero. */
function absolute(hash: number): number {
  return hash === -0x8000_0000 ? 0 : Math.abs(hash);
}

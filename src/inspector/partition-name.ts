/** One partition of a topic, as Kafka's own tools write it. */
export function partitionName(topic: string, partitionIndex: number): string {
  return `${topic}-${partitionIndex}`;
}

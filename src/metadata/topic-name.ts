/** The longest topic name; a log directory named after topic and partition had to fit 255 characters. */
const MAX_TOPIC_NAME_LENGTH = 249;

const LEGAL = /^[a-zA-Z0-9._-]+$/;

/**
 * Topics that brokers keep for themselves. Their records are found again by key alone, in a partition that the key tells,
 * so that they are compacted, and neither deleted nor given more partitions.
 */
const INTERNAL = new Set(["__consumer_offsets", "__transaction_state", "__share_group_state"]);

export function isInternalTopic(name: string): boolean {
  return INTERNAL.has(name);
}

/** Why a topic may not have this name, or undefined if it may. */
export function topicNameProblem(name: string): string | undefined {
  if (name === "") return "a topic name is not empty";
  if (name === "." || name === "..") return `a topic cannot be named "${name}"`;
  if (name.length > MAX_TOPIC_NAME_LENGTH) {
    return `a topic name of ${name.length} characters exceeds ${MAX_TOPIC_NAME_LENGTH}`;
  }
  if (!LEGAL.test(name)) return "a topic name has only ASCII letters, digits, '.', '_' and '-'";
  return undefined;
}

/** Metric names write '.' as '_', so names that differ in nothing else may not both exist. */
export function collisionKey(name: string): string {
  return name.replaceAll(".", "_");
}

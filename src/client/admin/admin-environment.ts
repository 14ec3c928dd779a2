import { retrying } from "../backoff.ts";
import type { RetryPolicy } from "../backoff.ts";
import type { BrokerConnections } from "../broker-connections.ts";
import type { Cluster } from "../cluster.ts";
import { KafkaJSAggregateError, KafkaJSProtocolError, KafkaJSTopicMetadataNotLoaded } from "../errors.ts";
import type { Emitter } from "../events.ts";
import type { Topic } from "../../metadata/image.ts";
import { errorName } from "../../protocol/error-codes.ts";
import type { Api } from "../../protocol/schema.ts";

/** What the calls of an admin client work with. */
export interface AdminEnvironment {
  readonly cluster: Cluster;
  readonly connections: BrokerConnections;
  readonly emitter: Emitter;
  readonly retry: RetryPolicy;
}

/** Asks the controller, again while the link to it breaks. */
export async function askController<Init, R>(
  { cluster, retry: policy }: AdminEnvironment,
  api: Api<unknown, Init, R>,
  body: NoInfer<Init>,
  timeoutMs = cluster.requestTimeoutMs,
): Promise<R> {
  const { clock, platform } = cluster;
  const deadline = clock.now() + timeoutMs;
  return retrying({ clock, random: () => platform.random() }, { what: api.name, policy, deadline }, () =>
    cluster.askController(api, body, Math.max(1, deadline - clock.now())),
  );
}

/** Throws KafkaJSTopicMetadataNotLoaded. */
export function topicNamed({ cluster }: AdminEnvironment, name: string): Topic {
  const topic = cluster.image.topicNamed(name);
  if (topic === undefined) throw new KafkaJSTopicMetadataNotLoaded(`Topic ${name} does not exist`, { topic: name });
  return topic;
}

/** Throws for what was refused: the one error, or an aggregate of all. */
export function throwRefused(
  answers: readonly { readonly what: string; readonly errorCode: number; readonly errorMessage: string | null }[],
): void {
  const failures = answers.flatMap(({ what, errorCode, errorMessage }) => {
    const error = errorName(errorCode);
    if (error === "NONE") return [];
    return [new KafkaJSProtocolError(error, errorMessage === null ? what : `${what}, ${errorMessage}`)];
  });
  const [first, second] = failures;
  if (second !== undefined)
    throw new KafkaJSAggregateError(failures.map(({ message }) => message).join("; "), failures);
  if (first !== undefined) throw first;
}

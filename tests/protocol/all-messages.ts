import { apis } from "../../src/protocol/apis/registry.ts";
import { consumerProtocolAssignment, consumerProtocolSubscription } from "../../src/protocol/consumer-protocol.ts";
import { groupRecordSchemas } from "../../src/protocol/group-records/registry.ts";
import { metadataRecordSchemas } from "../../src/protocol/metadata-records/registry.ts";
import type { Message } from "../../src/protocol/schema.ts";

/** Every message that has a schema. */
export const allMessages: readonly Message[] = [
  ...[...apis.values()].flatMap(({ request, response }) => [request, response]),
  ...metadataRecordSchemas.values(),
  ...[...groupRecordSchemas.values()].flatMap(({ key, value }) => [key, value]),
  consumerProtocolSubscription,
  consumerProtocolAssignment,
];

/** Every message in each of its versions, for `test.each`. */
export const allVersions: readonly { title: string; message: Message; version: number }[] = allMessages.flatMap(
  (message) => {
    const [first, last] = message.versions;
    return Array.from({ length: last - first + 1 }, (_, index) => ({
      title: `${message.name} v${first + index}`,
      message,
      version: first + index,
    }));
  },
);

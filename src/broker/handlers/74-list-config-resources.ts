import { CLIENT_METRICS_RESOURCE, listConfigResources } from "../../protocol/apis/74-list-config-resources.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "../../metadata/image.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { Handler } from "../handle-request.ts";

/** Types that Kafka has, and of which there are no resources here. */
const BROKER_LOGGER_RESOURCE = 8;
const GROUP_RESOURCE = 32;

const KNOWN_TYPES = [
  TOPIC_RESOURCE,
  BROKER_RESOURCE,
  BROKER_LOGGER_RESOURCE,
  CLIENT_METRICS_RESOURCE,
  GROUP_RESOURCE,
];

/** Serves v0, which asks for client metrics alone, and v1. */
export const listConfigResourcesHandler: Handler<typeof listConfigResources> = {
  api: listConfigResources,
  handle({ image }, { resourceTypes }, { version }, respond) {
    if (!resourceTypes.every((type) => KNOWN_TYPES.includes(type))) {
      return respond({ errorCode: errorCode("UNSUPPORTED_VERSION"), configResources: [] });
    }
    const isAsked = (type: number) => version > 0 && (resourceTypes.length === 0 || resourceTypes.includes(type));
    const resources = (type: number, names: Iterable<string>) =>
      isAsked(type) ? [...names].map((resourceName) => ({ resourceName, resourceType: type })) : [];
    respond({
      errorCode: 0,
      configResources: [
        ...resources(TOPIC_RESOURCE, image.topicsByName.keys()),
        ...resources(BROKER_RESOURCE, [...image.brokers.keys()].map(String)),
      ],
    });
  },
};

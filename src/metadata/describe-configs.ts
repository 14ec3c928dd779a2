import type { DescribeConfigsRequest, DescribeConfigsResponseInit } from "../protocol/apis/32-describe-configs.ts";
import { configTypes } from "./config-definition.ts";
import type { ConfigDefinition } from "./config-definition.ts";
import { configDocumentation } from "./config-documentation.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "./image.ts";
import type { ClusterImage } from "./image.ts";
import { distinct, errorFields, refuse } from "./request-error.ts";
import { brokerKeys, topicConfigs } from "./settable-configs.ts";
import { configValue } from "./topic-config.ts";
import type { ConfigSource } from "./topic-config.ts";
import { topicNameProblem } from "./topic-name.ts";

/** Where a value comes from, by the numbers in DescribeConfigs: a topic, the default of all brokers, the code. */
export const configSources: Readonly<Record<ConfigSource, number>> = { topic: 1, brokers: 3, fallback: 5 };

type Resource = DescribeConfigsRequest["resources"][number];
type Result = DescribeConfigsResponseInit["results"][number];
type Entry = Result["configs"][number];
type Details = Pick<DescribeConfigsRequest, "includeSynonyms" | "includeDocumentation">;

/** Tells the configuration of topics and brokers, as far as `image` has them. */
export function describeConfigsResponse(
  image: ClusterImage,
  request: DescribeConfigsRequest,
): DescribeConfigsResponseInit {
  const resources = distinct(request.resources, ({ resourceType, resourceName }) => `${resourceType}/${resourceName}`);
  return { results: resources.map((resource) => describeResource(image, resource, request)) };
}

function describeResource(image: ClusterImage, resource: Resource, details: Details): Result {
  const { resourceType, resourceName } = resource;
  const entries = entriesOf(image, resource, details);
  if (!Array.isArray(entries)) return { ...errorFields(entries), resourceType, resourceName, configs: [] };
  const keys = resource.configurationKeys ?? [];
  const isAsked = ({ name }: Entry) => keys.length === 0 || keys.includes(name);
  return { errorCode: 0, errorMessage: null, resourceType, resourceName, configs: entries.filter(isAsked) };
}

function entriesOf(image: ClusterImage, { resourceType, resourceName }: Resource, details: Details) {
  if (resourceType === TOPIC_RESOURCE) {
    const problem = topicNameProblem(resourceName);
    if (problem !== undefined) return refuse("INVALID_TOPIC_EXCEPTION", problem);
    if (!image.topicsByName.has(resourceName)) {
      return refuse("UNKNOWN_TOPIC_OR_PARTITION", "no topic has that name");
    }
    return [...topicConfigs.values()].map((definition) =>
      entry(image, definition.name, definition, resourceName, details),
    );
  }
  if (resourceType !== BROKER_RESOURCE) {
    return refuse("INVALID_REQUEST", `resources of type ${resourceType} have no configuration here`);
  }
  const shared = image.configOf(BROKER_RESOURCE, "");
  const isOne = isBroker(image, resourceName);
  if (resourceName !== "" && !isOne) return refuse("INVALID_REQUEST", "no broker has that id");
  // The default of all brokers is described by what was set; a broker by everything in effect.
  return [...brokerKeys]
    .filter(([key]) => isOne || shared.has(key))
    .map(([key, definition]) => entry(image, key, definition, undefined, details));
}

/** Whether a resource of the type of brokers names one. */
export function isBroker(image: ClusterImage, resourceName: string): boolean {
  return /^\d{1,10}$/.test(resourceName) && image.brokers.has(Number(resourceName));
}

function entry(
  image: ClusterImage,
  name: string,
  definition: ConfigDefinition,
  topicName: string | undefined,
  { includeSynonyms, includeDocumentation }: Details,
): Entry {
  const { value, source } = configValue(image, definition, topicName);
  return {
    name,
    value,
    readOnly: false,
    configSource: configSources[source],
    isSensitive: false,
    synonyms: includeSynonyms ? synonyms(image, definition, topicName) : [],
    configType: configTypes[definition.type],
    documentation: includeDocumentation ? (configDocumentation.get(definition.name) ?? null) : null,
  };
}

/** The values that were set, the one in effect first, and the default last. */
function synonyms(image: ClusterImage, definition: ConfigDefinition, topicName: string | undefined) {
  const { name, brokerName, fallback } = definition;
  const own = topicName === undefined ? undefined : image.configOf(TOPIC_RESOURCE, topicName).get(name);
  const shared = image.configOf(BROKER_RESOURCE, "").get(brokerName);
  return [
    ...(own === undefined ? [] : [{ name, value: own, source: configSources.topic }]),
    ...(shared === undefined ? [] : [{ name: brokerName, value: shared, source: configSources.brokers }]),
    { name: brokerName, value: fallback, source: configSources.fallback },
  ];
}

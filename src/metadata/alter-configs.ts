import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponseInit,
} from "../protocol/apis/44-incremental-alter-configs.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "./image.ts";
import type { ClusterImage } from "./image.ts";
import { duplicates, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";
import { brokerKeys, configProblem, listItems, topicConfigs } from "./topic-config.ts";
import type { ConfigDefinition } from "./topic-config.ts";
import { isInternalTopic } from "./topic-name.ts";

type Resource = IncrementalAlterConfigsRequest["resources"][number];
type Alteration = Resource["configs"][number];

/** The numbers of the operations. */
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

/** Changes single keys; each resource is changed whole or not at all. */
export function alterConfigs(
  image: ClusterImage,
  { resources, validateOnly }: IncrementalAlterConfigsRequest,
): { readonly records: readonly MetadataRecordInit[]; readonly response: IncrementalAlterConfigsResponseInit } {
  const records: MetadataRecordInit[] = [];
  const keyOf = ({ resourceType, resourceName }: Resource) => `${resourceType}/${resourceName}`;
  const twice = duplicates(resources, keyOf);
  const responses = resources.map((resource) => {
    const { resourceType, resourceName } = resource;
    const outcome = twice.has(keyOf(resource))
      ? refuse("INVALID_REQUEST", "the resource is named twice in the request")
      : alterResource(image, resource);
    if (isRefused(outcome)) return { ...errorFields(outcome), resourceType, resourceName };
    if (!validateOnly) records.push(...outcome);
    return { errorCode: 0, errorMessage: null, resourceType, resourceName };
  });
  return { records, response: { responses } };
}

function alterResource(image: ClusterImage, resource: Resource): MetadataRecordInit[] | RequestError {
  const definitions = definitionsOf(image, resource);
  if (isRefused(definitions)) return definitions;
  const { resourceType, resourceName } = resource;
  if (duplicates(resource.configs, ({ name }) => name).size > 0) {
    return refuse("INVALID_REQUEST", "a configuration is named twice in the request");
  }
  const current = image.configOf(resourceType, resourceName);
  const records: MetadataRecordInit[] = [];
  for (const alteration of resource.configs) {
    const { name } = alteration;
    const definition = definitions.get(name);
    if (definition === undefined) return refuse("INVALID_CONFIG", `there is no configuration "${name.slice(0, 100)}"`);
    if (name === "cleanup.policy" && resourceType === TOPIC_RESOURCE && isInternalTopic(resourceName)) {
      return refuse("INVALID_CONFIG", `${resourceName} is always compacted`);
    }
    const value = alteredValue(definition, current.get(name), alteration);
    if (typeof value === "object" && value !== null) return value;
    if (value !== (current.get(name) ?? null)) {
      records.push({ type: "ConfigRecord", resourceType, resourceName, name, value });
    }
  }
  return records;
}

function definitionsOf(
  image: ClusterImage,
  { resourceType, resourceName }: Resource,
): ReadonlyMap<string, ConfigDefinition> | RequestError {
  if (resourceType === TOPIC_RESOURCE) {
    if (image.topicsByName.has(resourceName)) return topicConfigs;
    return refuse("UNKNOWN_TOPIC_OR_PARTITION", "no topic has that name");
  }
  if (resourceType !== BROKER_RESOURCE) {
    return refuse("INVALID_REQUEST", `resources of type ${resourceType} have no configuration here`);
  }
  if (resourceName === "") return brokerKeys;
  return refuse("INVALID_REQUEST", "brokers are configured together: name no broker to set the default of all");
}

/** The value after the operation; null takes the key back to its default. */
function alteredValue(
  definition: ConfigDefinition,
  current: string | undefined,
  { configOperation, value }: Alteration,
): string | null | RequestError {
  if (configOperation === DELETE) return null;
  if (value === null) return refuse("INVALID_CONFIG", `${definition.name} has no value`);
  let altered = value;
  if (configOperation === APPEND || configOperation === SUBTRACT) {
    if (definition.type !== "list") return refuse("INVALID_CONFIG", `${definition.name} is not a list`);
    const before = listItems(current ?? definition.fallback);
    const named = listItems(value);
    const kept = before.filter((item) => !named.includes(item));
    altered = (configOperation === SUBTRACT ? kept : [...new Set([...before, ...named])]).join(",");
  } else if (configOperation !== SET) {
    return refuse("INVALID_REQUEST", `there is no configuration operation ${configOperation}`);
  }
  const problem = configProblem(definition, altered);
  return problem === undefined ? altered : refuse("INVALID_CONFIG", problem);
}

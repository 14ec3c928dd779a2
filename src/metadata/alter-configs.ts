import type { AlterConfigsRequest, AlterConfigsResponseInit } from "../protocol/apis/33-alter-configs.ts";
import type {
  IncrementalAlterConfigsRequest,
  IncrementalAlterConfigsResponseInit,
} from "../protocol/apis/44-incremental-alter-configs.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { configProblem, listItems } from "./config-definition.ts";
import type { ConfigDefinition } from "./config-definition.ts";
import { isBroker } from "./describe-configs.ts";
import { BROKER_RESOURCE, TOPIC_RESOURCE } from "./image.ts";
import type { ClusterImage } from "./image.ts";
import { isReassigning } from "./partition.ts";
import { duplicates, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";
import { brokerKeys, topicConfigs } from "./settable-configs.ts";
import { REPLICATION_FACTOR } from "./topic-config.ts";
import { isInternalTopic } from "./topic-name.ts";

type Resource = Pick<IncrementalAlterConfigsRequest["resources"][number], "resourceType" | "resourceName">;
type Alteration = IncrementalAlterConfigsRequest["resources"][number]["configs"][number];

interface Decision<R> {
  readonly records: readonly MetadataRecordInit[];
  readonly response: R;
}

/** The numbers of the operations. */
const SET = 0;
const DELETE = 1;
const APPEND = 2;
const SUBTRACT = 3;

/** Changes single keys; each resource is changed whole or not at all. */
export function alterConfigs(
  image: ClusterImage,
  { resources, validateOnly }: IncrementalAlterConfigsRequest,
): Decision<IncrementalAlterConfigsResponseInit> {
  return decide(resources, validateOnly, (resource) => alterResource(image, resource, resource.configs));
}

/**
 * Replaces whole configurations: what is not named goes back to its default. The replication factor stays unless it is
 * named, because Kafka has no such configuration, so that nobody who leaves it out can mean it.
 */
export function replaceConfigs(
  image: ClusterImage,
  { resources, validateOnly }: AlterConfigsRequest,
): Decision<AlterConfigsResponseInit> {
  return decide(resources, validateOnly, (resource) => {
    const { resourceType, resourceName, configs } = resource;
    const empty = configs.find(({ value }) => value === null);
    if (empty !== undefined) return refuse("INVALID_REQUEST", `${empty.name.slice(0, 100)} has no value`);
    const named = new Set(configs.map(({ name }) => name));
    const isKept = (name: string) =>
      resourceType === TOPIC_RESOURCE && (name === REPLICATION_FACTOR || isFixed(resourceName, name));
    const others = [...image.configOf(resourceType, resourceName).keys()].filter(
      (name) => !named.has(name) && !isKept(name),
    );
    return alterResource(image, resource, [
      ...configs.map((config) => ({ ...config, configOperation: SET })),
      ...others.map((name) => ({ name, configOperation: DELETE, value: null })),
    ]);
  });
}

function decide<R extends Resource>(
  resources: readonly R[],
  validateOnly: boolean,
  alter: (resource: R) => MetadataRecordInit[] | RequestError,
): Decision<{ readonly responses: AlterConfigsResponseInit["responses"] }> {
  const records: MetadataRecordInit[] = [];
  const keyOf = ({ resourceType, resourceName }: Resource) => `${resourceType}/${resourceName}`;
  const twice = duplicates(resources, keyOf);
  const responses = resources.map((resource) => {
    const { resourceType, resourceName } = resource;
    const outcome = twice.has(keyOf(resource))
      ? refuse("INVALID_REQUEST", "the resource is named twice in the request")
      : alter(resource);
    if (isRefused(outcome)) return { ...errorFields(outcome), resourceType, resourceName };
    if (!validateOnly) records.push(...outcome);
    return { errorCode: 0, errorMessage: null, resourceType, resourceName };
  });
  return { records, response: { responses } };
}

function alterResource(
  image: ClusterImage,
  resource: Resource,
  alterations: readonly Alteration[],
): MetadataRecordInit[] | RequestError {
  const definitions = definitionsOf(image, resource);
  if (isRefused(definitions)) return definitions;
  const { resourceType, resourceName } = resource;
  if (duplicates(alterations, ({ name }) => name).size > 0) {
    return refuse("INVALID_REQUEST", "a configuration is named twice in the request");
  }
  const current = image.configOf(resourceType, resourceName);
  const records: MetadataRecordInit[] = [];
  for (const alteration of alterations) {
    const { name, configOperation } = alteration;
    const definition = definitions.get(name);
    if (definition === undefined) {
      // Kafka's tools take back settings that they never made, such as throttles after a reassignment.
      if (configOperation === DELETE) continue;
      return unknownConfig(resource, name);
    }
    if (resourceType === TOPIC_RESOURCE && isFixed(resourceName, name)) {
      return refuse("INVALID_CONFIG", `${resourceName} is always compacted`);
    }
    const isFactor = resourceType === TOPIC_RESOURCE && name === REPLICATION_FACTOR;
    if (isFactor && image.topicNamed(resourceName)!.partitions.some(isReassigning)) {
      const advice = "wait until they are there, or cancel that";
      return refuse("REASSIGNMENT_IN_PROGRESS", `partitions of ${resourceName} are being moved to other replicas: ${advice}`);
    }
    const value = alteredValue(definition, current.get(name), alteration);
    if (typeof value === "object" && value !== null) return value;
    // A replication factor ends what reassignments asked for, even if it is the one that the topic had before them.
    if (value !== (current.get(name) ?? null) || (isFactor && value !== null)) {
      records.push({ type: "ConfigRecord", resourceType, resourceName, name, value });
    }
  }
  return records;
}

function isFixed(topicName: string, name: string): boolean {
  return name === "cleanup.policy" && isInternalTopic(topicName);
}

function unknownConfig({ resourceType, resourceName }: Resource, name: string): RequestError {
  const shown = `"${name.slice(0, 100)}"`;
  const advice = "; describe one to see what there is";
  if (resourceType === TOPIC_RESOURCE) {
    return refuse("INVALID_CONFIG", `topics have no configuration ${shown}${advice}`);
  }
  if (resourceName === "") return refuse("INVALID_CONFIG", `brokers have no configuration ${shown}${advice}`);
  return refuse("INVALID_REQUEST", `${shown} is not set for one broker alone: name no broker, to set it for all`);
}

/** Of a broker alone: all of them are configured together. */
const NO_DEFINITIONS: ReadonlyMap<string, ConfigDefinition> = new Map();

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
  return isBroker(image, resourceName) ? NO_DEFINITIONS : refuse("INVALID_REQUEST", "no broker has that id");
}

/** The value after the operation; null takes the key back to its default. */
function alteredValue(
  definition: ConfigDefinition,
  current: string | undefined,
  { configOperation, value }: Alteration,
): string | null | RequestError {
  if (configOperation === DELETE) return null;
  if (value === null) return refuse("INVALID_REQUEST", `${definition.name} has no value`);
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

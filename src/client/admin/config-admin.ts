import type {
  AlterConfigsOptions,
  ConfigEntry,
  DescribeConfigResponse,
  DescribeConfigsOptions,
} from "../admin-types.ts";
import { askController, throwRefused } from "./admin-environment.ts";
import type { AdminEnvironment } from "./admin-environment.ts";
import { ConfigSource } from "../config-resources.ts";
import { describeConfigs } from "../../protocol/apis/32-describe-configs.ts";
import type { DescribeConfigsResponse } from "../../protocol/apis/32-describe-configs.ts";
import { incrementalAlterConfigs } from "../../protocol/apis/44-incremental-alter-configs.ts";

/** The admin client's calls about configurations, which the controller answers. */
export class ConfigAdmin {
  readonly #environment: AdminEnvironment;

  constructor(environment: AdminEnvironment) {
    this.#environment = environment;
  }

  async describe({ resources, includeSynonyms = false }: DescribeConfigsOptions): Promise<DescribeConfigResponse> {
    const asked = resources.map(({ type, name, configNames }) => ({
      resourceType: type,
      resourceName: name,
      configurationKeys: configNames ?? null,
    }));
    const body = { resources: asked, includeSynonyms };
    const { results, throttleTimeMs } = await askController(this.#environment, describeConfigs, body);
    throwRefused(results.map(({ resourceName, ...rest }) => ({ what: whatIsSet(resourceName), ...rest })));
    return {
      resources: results.map(({ configs, errorCode, errorMessage, resourceName, resourceType }) => ({
        configEntries: configs.map(configEntry),
        errorCode,
        errorMessage,
        resourceName,
        resourceType,
      })),
      throttleTime: throttleTimeMs,
    };
  }

  async alter({ resources: changed, validateOnly = false }: AlterConfigsOptions): Promise<void> {
    const resources = changed.map(({ type, name, configEntries }) => ({
      resourceType: type,
      resourceName: name,
      configs: configEntries.map((entry) => ({
        name: entry.name,
        configOperation: entry.value === null ? 1 : 0,
        value: entry.value,
      })),
    }));
    const body = { resources, validateOnly };
    const { responses } = await askController(this.#environment, incrementalAlterConfigs, body);
    throwRefused(responses.map(({ resourceName, ...rest }) => ({ what: whatIsSet(resourceName), ...rest })));
  }
}

function whatIsSet(resourceName: string): string {
  return `The configuration of ${resourceName}`;
}

function configEntry(config: DescribeConfigsResponse["results"][number]["configs"][number]): ConfigEntry {
  return {
    configName: config.name,
    configValue: config.value,
    isDefault: config.configSource === ConfigSource.DEFAULT_CONFIG,
    configSource: config.configSource,
    isSensitive: config.isSensitive,
    readOnly: config.readOnly,
    configSynonyms: config.synonyms.map(({ name, value, source }) => ({
      configName: name,
      configValue: value,
      configSource: source,
    })),
  };
}

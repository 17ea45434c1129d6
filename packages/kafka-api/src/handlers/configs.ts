/** Settings of topics and brokers: DescribeConfigs, AlterConfigs, IncrementalAlterConfigs. */
import {
  type BrokerApi,
  type ConfigChange,
  type ConfigEntry,
  type ConfigResource,
  type Failure,
  failure,
} from '@millrace/broker';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import { resourceOf, whyNoResource, wireSource, wireType } from './config-words.ts';
import type { Handler, Handlers, Surroundings } from './handler.ts';
import { NO_ERROR, wireErrorOf } from './wire-error.ts';

type DescribeRequest = RequestOf<'describeConfigs'>;
type WireConfigs = ResponseDraftOf<'describeConfigs'>['results'][number];
interface NamedResource {
  readonly resourceType: number;
  readonly resourceName: string;
}
interface WireSetting {
  readonly name: string;
  readonly value: string | null;
  /** Undefined in an API that only sets. */
  readonly configOperation?: number;
}
interface AlteredResource extends NamedResource {
  readonly configs: readonly WireSetting[];
}

const OPERATIONS = ['set', 'delete', 'append', 'subtract'] as const;

export function configHandlers(
  around: Surroundings,
): Pick<Handlers, 'describeConfigs' | 'alterConfigs' | 'incrementalAlterConfigs'> {
  const { broker } = around;
  return {
    describeConfigs: describeHandler(around),
    alterConfigs: {
      handle: ({ resources, validateOnly }, { clientId }) =>
        altered(broker, resources, { validateOnly, clientId, replaces: true }),
      refuse: ({ resources }, fault) => ({ responses: resources.map((resource) => answer(resource, fault)) }),
    },
    incrementalAlterConfigs: {
      handle: ({ resources, validateOnly }, { clientId }) =>
        altered(broker, resources, { validateOnly, clientId, replaces: false }),
      refuse: ({ resources }, fault) => ({ responses: resources.map((resource) => answer(resource, fault)) }),
    },
  };
}

function describeHandler({ broker }: Surroundings): Handler<'describeConfigs'> {
  return {
    handle: async (request, { clientId }) => {
      const named = eachOnce(request.resources);
      const known = named.map(({ resourceType, resourceName }) => resourceOf(resourceType, resourceName));
      const resources = known.filter((resource) => resource !== undefined);
      const found = await broker.describeConfigs({ timeoutMs: 0, clientId, resources });
      let next = 0;
      return {
        results: named.map((asked, i) => {
          const resource = known[i];
          if (resource === undefined) return { ...answer(asked, noResource(asked)), configs: [] };
          const { failure: fault, entries } = found.resources[next++]!;
          return { ...answer(asked, fault), configs: shown(request, asked, resource, entries) };
        }),
      };
    },
    refuse: ({ resources }, fault) => ({
      results: resources.map((asked) => ({ ...answer(asked, fault), configs: [] })),
    }),
  };
}

/** Settings are hundreds of times as long as the name that asks for them. Of two namings the later one counts. */
function eachOnce<T extends NamedResource>(resources: readonly T[]): T[] {
  const byName = new Map(resources.map((each) => [`${each.resourceType} ${each.resourceName}`, each]));
  return [...byName.values()];
}

function shown(
  { includeSynonyms, includeDocumentation }: DescribeRequest,
  { configurationKeys }: DescribeRequest['resources'][number],
  { kind }: ConfigResource,
  entries: readonly ConfigEntry[],
): WireConfigs['configs'] {
  const keys = configurationKeys === null ? undefined : new Set(configurationKeys);
  // What holds for every broker is what was set for all of them: the rest is each broker's own.
  const isShown = ({ name, source }: ConfigEntry) =>
    keys?.has(name) !== false && (kind !== 'cluster' || source === 'cluster');
  return entries.filter(isShown).map((entry) => ({
    name: entry.name,
    value: entry.value,
    readOnly: entry.readOnly,
    configSource: wireSource(entry.source),
    isSensitive: false,
    synonyms: includeSynonyms
      ? entry.synonyms.map(({ name, value, source }) => ({ name, value, source: wireSource(source) }))
      : [],
    configType: wireType(entry.type),
    documentation: includeDocumentation ? entry.documentation : null,
  }));
}

async function altered(
  broker: BrokerApi,
  resources: readonly AlteredResource[],
  how: { readonly validateOnly: boolean; readonly clientId: string; readonly replaces: boolean },
): Promise<ResponseDraftOf<'alterConfigs'>> {
  const times = new Map<string, number>();
  for (const asked of resources) times.set(keyOf(asked), (times.get(keyOf(asked)) ?? 0) + 1);
  const changes: ConfigChange[] = [];
  const faults = resources.map((asked): Failure | undefined => {
    const resource = resourceOf(asked.resourceType, asked.resourceName);
    if (resource === undefined) return noResource(asked);
    if (times.get(keyOf(asked))! > 1) return failure('INVALID_REQUEST', 'a resource is in the request twice');
    const wrong = asked.configs.map(faultOf).find((fault) => fault !== undefined);
    if (wrong !== undefined) return wrong;
    changes.push(...changesOf(resource, asked.configs, how.replaces));
    return undefined;
  });
  const { validateOnly, clientId } = how;
  const done = await broker.alterConfigs({ timeoutMs: 0, clientId, validateOnly, changes });
  const failed = new Map(
    done.resources.map(({ resource: { kind, name }, failure: fault }) => [`${kind}:${name}`, fault]),
  );
  return {
    responses: resources.map((asked, i) => {
      const resource = resourceOf(asked.resourceType, asked.resourceName);
      return answer(asked, faults[i] ?? failed.get(`${resource?.kind}:${resource?.name}`));
    }),
  };
}

function changesOf(
  resource: ConfigResource,
  configs: readonly WireSetting[],
  replaces: boolean,
): ConfigChange[] {
  const changes = configs.map(({ name, value, configOperation = 0 }): ConfigChange => {
    const operation = OPERATIONS[configOperation];
    if (operation === 'delete') return { resource, name, value: undefined };
    return { resource, name, value: value ?? undefined, operation };
  });
  const clearing: ConfigChange = { resource, name: '', value: undefined, operation: 'clear' };
  return replaces ? [clearing, ...changes] : changes;
}

function faultOf({ name, value, configOperation = 0 }: WireSetting): Failure | undefined {
  const operation = OPERATIONS[configOperation];
  if (operation === undefined) {
    return failure('INVALID_REQUEST', `there is no operation ${configOperation} on ${name}`);
  }
  const isEmpty = value === null && operation !== 'delete';
  return isEmpty ? failure('INVALID_REQUEST', `${name} has no value`) : undefined;
}

function keyOf({ resourceType, resourceName }: NamedResource): string {
  return `${resourceType}:${resourceName}`;
}

function noResource({ resourceType }: NamedResource): Failure {
  return failure('INVALID_REQUEST', whyNoResource(resourceType));
}

function answer({ resourceType, resourceName }: NamedResource, fault: Failure | undefined) {
  const errorCode = fault === undefined ? NO_ERROR : wireErrorOf(fault);
  return { errorCode, errorMessage: fault?.message ?? null, resourceType, resourceName };
}

/**
 * `-X key=value`: options of the SDK, by Kafka's name (`linger.ms`) or the SDK's (`lingerMs`). Which there are, their
 * types and ranges come from the SDK's own tables. Pure.
 */
import {
  type ConsumerOptions,
  clientConfig,
  consumerConfig,
  type MillraceOptions,
  type ProducerOptions,
  producerConfig,
} from '@millrace/client';
import type { ConfigKeys, ConfigSchema } from '@millrace/core';
import { usageError } from './cli-error.ts';
import { closest } from './closest-name.ts';
import type { GlobalOptions } from './global-options.ts';

/** Kafka's names whose camelCase is not the SDK's name. */
const KAFKA_NAMES: Readonly<Record<string, string>> = {
  'compression.type': 'compression',
  'enable.idempotence': 'idempotence',
  'max.in.flight.requests.per.connection': 'maxInFlight',
  'fetch.max.wait.ms': 'fetchMaxWaitMs',
  'metadata.max.age.ms': 'metadataMaxAgeMs',
};

const SCHEMAS: readonly ConfigSchema<ConfigKeys>[] = [clientConfig, producerConfig, consumerConfig];

/** @throws {CliError} USAGE if there is no such property or the value is out of its range. */
export function checkProperty(name: string, value: string): void {
  const sdkName = sdkNameOf(name);
  const owners = SCHEMAS.filter((schema) => schema.has(sdkName));
  if (owners.length === 0 || sdkName === 'bootstrap') throw unknownProperty(name);
  for (const schema of owners) parseValue(schema, name, sdkName, value);
}

export function clientOptions(options: GlobalOptions): MillraceOptions {
  return {
    clientId: 'millrace-cli',
    ...select(clientConfig, options.properties),
    bootstrap: options.bootstrapServer,
  };
}

/** What `-X` says about producers; `flags` are those of the command, which win. */
export function producerOptions(options: GlobalOptions, flags: ProducerOptions): ProducerOptions {
  const { acks, ...rest } = select(producerConfig, options.properties);
  const typedAcks = acks === undefined ? {} : { acks: acks === 'all' ? 'all' : (Number(acks) as 0 | 1) };
  return { ...rest, ...typedAcks, ...flags } as ProducerOptions;
}

/** What the user wrote for the SDK's option: `group.id` for `groupId`; undefined where `-X` does not say. */
export function propertyFor(
  sdkName: string,
  { properties }: GlobalOptions,
): { readonly name: string; readonly value: string } | undefined {
  const found = Object.entries(properties).find(([name]) => sdkNameOf(name) === sdkName);
  return found && { name: found[0], value: found[1] };
}

/** What `-X` says about consumers, over the defaults of the command. */
export function consumerOptions(options: GlobalOptions, defaults: ConsumerOptions): ConsumerOptions {
  return { ...defaults, ...select(consumerConfig, options.properties) };
}

function select(
  schema: ConfigSchema<ConfigKeys>,
  properties: Readonly<Record<string, string>>,
): Record<string, unknown> {
  const chosen: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties)) {
    checkProperty(name, value);
    const sdkName = sdkNameOf(name);
    if (schema.has(sdkName)) chosen[sdkName] = parseValue(schema, name, sdkName, value);
  }
  return chosen;
}

function sdkNameOf(name: string): string {
  const camelCase = name.replace(/[.-]([a-z])/g, (_match, letter: string) => letter.toUpperCase());
  return KAFKA_NAMES[name] ?? camelCase;
}

function parseValue(schema: ConfigSchema<ConfigKeys>, name: string, sdkName: string, value: string): unknown {
  try {
    return schema.keys[sdkName]!.parse(value);
  } catch (error) {
    throw usageError(`client property ${name}=${value} must be ${(error as Error).message}`);
  }
}

function unknownProperty(name: string): Error {
  const known = SCHEMAS.flatMap((schema) => Object.keys(schema.keys)).filter((key) => key !== 'bootstrap');
  const near = closest(sdkNameOf(name), known);
  return usageError(
    `no client property is called ${JSON.stringify(name)}`,
    near === undefined ? `There are: ${[...new Set(known)].sort().join(', ')}.` : `Did you mean ${near}?`,
  );
}

/** What a configuration override belongs to. Only names; values live in the image. */

/** `name` is the topic's name, the broker's id in decimal, or empty for the cluster (the default of every broker). */
export interface ConfigResource {
  readonly kind: 'topic' | 'broker' | 'cluster';
  readonly name: string;
}

/** `topic:orders`, `broker:1`, `cluster:`: the form in which images key their overrides. */
export type ConfigResourceKey = string;

export const CLUSTER_RESOURCE: ConfigResource = { kind: 'cluster', name: '' };

export function configResourceKey(resource: ConfigResource): ConfigResourceKey {
  return `${resource.kind}:${resource.name}`;
}

/** The inverse of `configResourceKey`, for keys that it made. */
export function configResourceOf(key: ConfigResourceKey): ConfigResource {
  const colon = key.indexOf(':');
  return { kind: key.slice(0, colon) as ConfigResource['kind'], name: key.slice(colon + 1) };
}

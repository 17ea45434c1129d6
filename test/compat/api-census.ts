/** Which APIs each client has used, in which versions, as the nodes' logs tell. */
import { readFile } from 'node:fs/promises';

interface Use {
  readonly event?: string;
  readonly api: string;
  readonly version: number;
  readonly clientId: string;
}

/** `Produce 7 9, Fetch 11`: by client id. */
export async function apiCensus(logFiles: readonly string[]): Promise<Map<string, string>> {
  const uses = new Map<string, Map<string, Set<number>>>();
  for (const file of logFiles) {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (!line.includes('kafka_api_used')) continue;
      const { api, version, clientId } = JSON.parse(line) as Use;
      const apis = uses.get(clientId) ?? new Map<string, Set<number>>();
      uses.set(clientId, apis.set(api, (apis.get(api) ?? new Set()).add(version)));
    }
  }
  const told = (apis: Map<string, Set<number>>): string =>
    Array.from(apis, ([api, versions]) => `${api} ${[...versions].sort((a, b) => a - b).join('+')}`)
      .sort()
      .join(', ');
  return new Map(Array.from(uses, ([clientId, apis]) => [clientId, told(apis)]));
}

/** Tells which APIs clients use, and in which versions: one debug line for each on every connection. */
import type { Logger } from '@millrace/core';
import type { ConnectionFacts } from '../connection/kafka-connection.ts';
import { APIS, type ApiName } from '../schemas/api-table.ts';

const VERSIONS_MAX = 2 ** 16;

export class ApiCensus {
  readonly #logger: Logger;
  readonly #seen = new WeakMap<ConnectionFacts, Set<number>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Called for every request of a known API. */
  note(api: ApiName, version: number, clientId: string, connection: ConnectionFacts): void {
    let seen = this.#seen.get(connection);
    if (seen === undefined) {
      seen = new Set();
      this.#seen.set(connection, seen);
    }
    const { key, name } = APIS[api];
    const mark = key * VERSIONS_MAX + version;
    if (seen.has(mark)) return;
    seen.add(mark);
    this.#logger.debug(
      { event: 'kafka_api_used', api: name, version, clientId, connection: connection.id },
      `${clientId || 'a client'} uses ${name} ${version}`,
    );
  }
}

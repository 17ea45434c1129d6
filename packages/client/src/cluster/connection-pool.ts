/** One connection to each address in use. Never decides whom to ask. */
import { formatAddress } from './address.ts';
import type { Address, Connection, Transport } from './transport.ts';

export class ConnectionPool {
  readonly #transport: Transport;
  readonly #connections = new Map<string, Connection>();

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  to(address: Address): Connection {
    const key = formatAddress(address);
    let connection = this.#connections.get(key);
    if (connection === undefined) {
      connection = this.#transport.connect(address);
      this.#connections.set(key, connection);
    }
    return connection;
  }

  /** Closes every connection to an address that is not among these. */
  keepOnly(addresses: Iterable<Address>): void {
    const kept = new Set(Array.from(addresses, formatAddress));
    for (const [key, connection] of this.#connections) {
      if (kept.has(key)) continue;
      this.#connections.delete(key);
      connection.close();
    }
  }

  close(): void {
    this.keepOnly([]);
  }
}

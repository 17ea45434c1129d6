/** Whom to ask first when any node will do: the last one that answered; last of all, those that failed. Pure. */
import { formatAddress } from './address.ts';
import type { Address } from './transport.ts';

export class NodeOrder {
  /** By address, the number of its last failure: a later one is larger. */
  #failures = new Map<string, number>();
  #failureCount = 0;
  #answered: string | undefined;

  /** Each address once. Of those that failed, the one that failed longest ago first. */
  arrange(addresses: Iterable<Address>): Address[] {
    const byKey = new Map(Array.from(addresses, (address) => [formatAddress(address), address]));
    for (const key of this.#failures.keys()) if (!byKey.has(key)) this.#failures.delete(key);
    const rank = (key: string): number => this.#failures.get(key) ?? (key === this.#answered ? -1 : 0);
    return [...byKey].sort(([one], [other]) => rank(one) - rank(other)).map(([, address]) => address);
  }

  answered(address: Address): void {
    this.#answered = formatAddress(address);
    this.#failures.delete(this.#answered);
  }

  failed(address: Address): void {
    this.#failures.set(formatAddress(address), ++this.#failureCount);
  }
}

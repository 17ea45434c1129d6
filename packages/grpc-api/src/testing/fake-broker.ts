/** A broker whose answers a test gives by hand. Whatever a test does not set up fails loudly. */
import type { BrokerApi, GroupApi } from '@millrace/broker';

export function fakeBroker(parts: Partial<BrokerApi>, groups: Partial<GroupApi> = {}): BrokerApi {
  const broker: Partial<BrokerApi> = {
    clusterId: 'c',
    produceRoom: () => undefined,
    groups: strict<GroupApi>({ commitRoom: () => undefined, ...groups }),
    ...parts,
  };
  return strict(broker);
}

function strict<T extends object>(parts: Partial<T>): T {
  return new Proxy(parts as T, {
    get(target, name) {
      if (name in target) return target[name as keyof T];
      throw new Error(`the test did not expect ${String(name)}`);
    },
  });
}

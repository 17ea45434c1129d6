/** A broker whose answers a test gives by hand. Whatever a test does not set up fails loudly. */
import type { BrokerApi } from '@millrace/broker';

export function fakeBroker(parts: Partial<BrokerApi>): BrokerApi {
  const broker: Partial<BrokerApi> = { clusterId: 'c', produceRoom: () => undefined, ...parts };
  return new Proxy(broker as BrokerApi, {
    get(target, name) {
      if (name in target) return target[name as keyof BrokerApi];
      throw new Error(`the test did not expect ${String(name)}`);
    },
  });
}

import { MemoryRaftStore } from './memory-raft-store.ts';
import { testRaftStore } from './testing/raft-store-contract.ts';

const stores = new Map<string, MemoryRaftStore>();

testRaftStore('memory', (path) => {
  const store = stores.get(path) ?? new MemoryRaftStore();
  stores.set(path, store);
  return Promise.resolve(store);
});

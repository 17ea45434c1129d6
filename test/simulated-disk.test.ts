/** The simulated disks keep the contracts that the real ones keep. */
import { SimDisk, SimRaftDisk } from '@millrace/simulator';
import { testRaftStore } from '../packages/metadata-quorum/src/testing/raft-store-contract.js';
import { testFileSystem } from '../packages/storage/src/testing/file-system-contract.js';

testFileSystem('SimDisk', new SimDisk().mount(), '/disk/home');

const raftDisks = new Map<string, SimRaftDisk>();

testRaftStore('SimRaftDisk', (path) => {
  const disk = raftDisks.get(path) ?? new SimRaftDisk();
  raftDisks.set(path, disk);
  return Promise.resolve(disk.mount());
});

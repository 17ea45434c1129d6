/** Which kinds of fault the world of a metadata quorum alone has. Its stores write atomically and read only when they open. */
import { FAULT_CLASSES, type FaultClass } from '../world/fault-plan.ts';

/** It has messages and no streams, stores without files, and disks that are lost or rot, but never come back old. */
export const NOT_IN_A_QUORUM: readonly FaultClass[] = [
  'stream-reset',
  'torn-write',
  'lost-rename',
  'read-error',
  'write-error',
  'misdirected-write',
  'restored-disk',
];

export const QUORUM_FAULTS: readonly FaultClass[] = FAULT_CLASSES.filter(
  (fault) => !NOT_IN_A_QUORUM.includes(fault),
);

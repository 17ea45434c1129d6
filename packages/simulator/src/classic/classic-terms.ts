/** How a member of the classic protocol is set, and which versions of it the member speaks. Only data. */
import { below, type SeededRandom } from '@millrace/core';

/** Versions of requests, and of what members say to each other. */
export interface Speech {
  readonly findCoordinator: number;
  readonly joinGroup: number;
  readonly syncGroup: number;
  readonly heartbeat: number;
  readonly leaveGroup: number;
  readonly offsetCommit: number;
  readonly offsetFetch: number;
  readonly subscription: number;
}

export interface ClassicTerms {
  readonly groupId: string;
  readonly groupInstanceId: string | undefined;
  readonly topics: readonly string[];
  /** The only assignor it has. */
  readonly protocol: string;
  readonly isCooperative: boolean;
  readonly sessionTimeoutMs: number;
  /** As in Java's consumer this is how long its program may take between two polls, too. */
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly speech: Speech;
  readonly brokers: readonly string[];
  readonly partitionsOf: (topic: string) => number;
}

/** As Java's client of today. */
const NEW: Speech = {
  findCoordinator: 4,
  joinGroup: 9,
  syncGroup: 5,
  heartbeat: 4,
  leaveGroup: 5,
  offsetCommit: 8,
  offsetFetch: 8,
  subscription: 3,
};
/** As clients that know static membership and little beyond. */
const MIDDLE: Speech = {
  findCoordinator: 2,
  joinGroup: 5,
  syncGroup: 3,
  heartbeat: 3,
  leaveGroup: 3,
  offsetCommit: 7,
  offsetFetch: 5,
  subscription: 2,
};
/** Before KIP-394: nobody is sent back for a member id. */
const OLD: Speech = {
  findCoordinator: 1,
  joinGroup: 2,
  syncGroup: 1,
  heartbeat: 1,
  leaveGroup: 1,
  offsetCommit: 2,
  offsetFetch: 2,
  subscription: 0,
};

/** A static member, or one that tells what it holds, cannot be of the oldest kind. */
export function drawSpeech(random: SeededRandom, needsMore: boolean): Speech {
  const drawn = [NEW, NEW, MIDDLE, OLD][below(random, 4)]!;
  return needsMore && drawn === OLD ? MIDDLE : drawn;
}

/** The members of the world of commits, and what they share: where they are, what they were told, how often. */
import { Millrace, networkTransport } from '@millrace/client';
import type { SeededRandom } from '@millrace/core';
import { PORT } from '../cluster/cluster-layout.ts';
import type { CommitAck } from '../groups/group-observation.ts';
import type { GroupWatch } from '../groups/group-watch.ts';
import type { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import type { CommitPlan } from './commit-plan.ts';
import { SdkMember } from './sdk-member.ts';
import { WireMember } from './wire-member.ts';

export const GROUPS = ['wire', 'sdk'] as const;

const REFUSED_KINDS: ReadonlyMap<string, 'commits of an older epoch' | 'commits given up'> = new Map([
  ['STALE_MEMBER_EPOCH', 'commits of an older epoch'],
  // By the SDK itself: it let go of the partition first, or was thrown out.
  ['FENCED_MEMBER_EPOCH', 'commits given up'],
]);

export class CommitCrew {
  readonly world: World;
  readonly rpc: SimRpcNetwork;
  readonly plan: CommitPlan;
  readonly watch: GroupWatch;
  readonly wireMembers: readonly WireMember[];
  readonly counts = {
    'wire commits': 0,
    'sdk commits': 0,
    'acknowledged commits': 0,
    'commits of an older epoch': 0,
    'commits given up': 0,
    'other refused commits': 0,
  };
  /** A member by the SDK is about to let go of partitions that others wait for. */
  onRevoke: () => void = () => {};
  /** Troubles are over: who leaves does not come again. */
  isCalm = false;
  readonly #sdkMembers: readonly SdkMember[];

  constructor(world: World, rpc: SimRpcNetwork, plan: CommitPlan, watch: GroupWatch, random: SeededRandom) {
    this.world = world;
    this.rpc = rpc;
    this.plan = plan;
    this.watch = watch;
    const each = <T>(count: number, make: (number: number) => T): T[] =>
      Array.from({ length: count }, (_, i) => make(i + 1));
    this.wireMembers = each(
      plan.wireMembers,
      (n) => new WireMember(this, 'wire', `wire-${n}`, random.fork()),
    );
    this.#sdkMembers = each(plan.consumers, (n) => new SdkMember(this, 'sdk', `sdk-${n}`, random.fork()));
  }

  get brokers(): string[] {
    return this.plan.layout.nodes.filter(({ isBroker }) => isBroker).map(({ name }) => name);
  }

  start(): void {
    for (const member of [...this.wireMembers, ...this.#sdkMembers]) member.start();
  }

  stop(): void {
    for (const member of [...this.wireMembers, ...this.#sdkMembers]) member.stop();
  }

  millrace(life: SimLife): Millrace {
    return new Millrace({
      bootstrap: this.brokers.map((name) => `${name}:${PORT}`),
      clientId: life.process.name,
      retryBackoffMs: 20,
      retryBackoffMaxMs: 100,
      clock: life.clock,
      random: life.random,
      transport: networkTransport(this.rpc.of(life)),
      logger: simLogger(life),
    });
  }

  acknowledged(commit: CommitAck): void {
    this.counts['acknowledged commits'] += 1;
    this.watch.acknowledged(commit);
  }

  refused(code: string): void {
    const kind = REFUSED_KINDS.get(code) ?? 'other refused commits';
    this.counts[kind] += 1;
  }
}

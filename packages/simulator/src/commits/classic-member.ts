/**
 * A member of the classic protocol in the world of commits: it joins, takes over, commits on a connection of its own where
 * commits may be late, lets go without a look at them, leaves or falls silent. What its commits say is the coordinator's
 * to judge (rule P27).
 */
import {
  below,
  formatTopicPartition,
  type SeededRandom,
  sleep,
  type TopicPartition,
  unit,
} from '@millrace/core';
import { ClassicClient, type Membership } from '../classic/classic-client.ts';
import { ClassicHolder } from '../classic/classic-holder.ts';
import type { ClassicTerms } from '../classic/classic-terms.ts';
import { KafkaClient } from '../classic/kafka-client.ts';
import { codeOf } from '../cluster/client-crew.ts';
import { exponential } from '../world/exponential.ts';
import type { SimLife, SimProcess } from '../world/sim-process.ts';
import type { ClassicCrew } from './classic-crew.ts';
import type { ClassicPlace } from './classic-plan.ts';
import { TOPIC } from './commit-plan.ts';

const BEAT_MS = 150;
const WORK_MEAN_MS = 80;
const STAY_MEAN_MS = 3_000;
const AWAY_MEAN_MS = 400;
/** Of the two that run under one instance id, so that one is mostly there alone. */
const STATIC_AWAY_MEAN_MS = 3_000;
const SILENT_SHARE = 0.3;
/** Of looks at what it has, those that end in many commits at once. */
const BURST_SHARE = 0.01;
const BURST = 12;
const BULKY = 'x'.repeat(1_200);

/** One membership, or one after the other under the same client id. */
interface Stay {
  readonly client: ClassicClient;
  readonly holder: ClassicHolder;
  /** The next offset to read of what it has taken over. */
  readonly positions: Map<string, number>;
}

export class ClassicMember {
  readonly process: SimProcess;
  readonly commitsFrom: SimProcess;
  readonly #crew: ClassicCrew;
  readonly #place: ClassicPlace;
  readonly #name: string;
  readonly #random: SeededRandom;
  #commits: KafkaClient | undefined;

  constructor(crew: ClassicCrew, place: ClassicPlace, name: string, random: SeededRandom) {
    this.#crew = crew;
    this.#place = place;
    this.#name = name;
    this.#random = random;
    this.process = crew.crew.world.process(name);
    this.commitsFrom = crew.crew.world.process(`${name}-commits`);
  }

  start(): void {
    this.commitsFrom.start((life) => {
      this.#commits = new KafkaClient(this.#crew.crew.rpc.of(life), life.clock, this.#name);
    });
    this.begin();
  }

  /** Does nothing while it lives, or once nobody begins any more. */
  begin(): void {
    if (this.process.isAlive || this.#crew.crew.isCalm) return;
    const { groupInstanceId } = this.#place;
    const awayMs = groupInstanceId === undefined ? AWAY_MEAN_MS : STATIC_AWAY_MEAN_MS;
    this.process.start(async (life) => {
      while (!this.#crew.crew.isCalm) {
        await this.#stay(life);
        await sleep(life.clock, exponential(this.#random, awayMs));
      }
    });
  }

  stop(): void {
    this.process.kill();
    this.commitsFrom.kill();
  }

  async #stay(life: SimLife): Promise<void> {
    const crew = this.#crew;
    const clientId = crew.nextClientId(this.#name);
    const wire = new KafkaClient(crew.crew.rpc.of(life), life.clock, clientId);
    const positions = new Map<string, number>();
    const holder = new ClassicHolder(life, clientId, () => client);
    const client = new ClassicClient(life, this.#random.fork(), wire, this.#terms(), {
      beforeJoin: async () => {},
      taken: (partitions) => {
        for (const each of partitions) positions.delete(formatTopicPartition(each));
      },
      given: (partitions) => {
        crew.counts['classic assignments'] += 1;
        crew.given(holder, partitions.map(formatTopicPartition));
      },
    });
    crew.begun(holder);
    crew.counts['classic stays'] += 1;
    const stay = { client, holder, positions };
    const untilMs = life.clock.nowMs() + exponential(this.#random, STAY_MEAN_MS);
    try {
      while (life.clock.nowMs() < untilMs) {
        if (!(await client.poll())) continue;
        await this.#takeOver(stay, life);
        this.#work(stay);
        await sleep(life.clock, exponential(this.#random, WORK_MEAN_MS));
      }
    } catch (error) {
      life.note('classic stay over', codeOf(error));
    }
    await client.leave(unit(this.#random) < SILENT_SHARE);
    holder.over();
    wire.close();
  }

  #terms(): ClassicTerms {
    const { plan, crew } = this.#crew;
    const { groupId, groupInstanceId, speech } = this.#place;
    return {
      groupId,
      groupInstanceId,
      topics: [TOPIC],
      protocol: plan.isCooperative ? 'cooperative-sticky' : 'range',
      isCooperative: plan.isCooperative,
      sessionTimeoutMs: plan.sessionTimeoutMs,
      rebalanceTimeoutMs: plan.rebalanceTimeoutMs,
      heartbeatIntervalMs: BEAT_MS,
      speech,
      brokers: crew.brokers,
      partitionsOf: () => crew.plan.partitions,
    };
  }

  /** Goes on where the group is. What cannot be found out now is tried at the next look. */
  async #takeOver({ client, positions }: Stay, life: SimLife): Promise<void> {
    const fresh = [...client.held].filter(([key]) => !positions.has(key)).map(([, each]) => each);
    if (fresh.length === 0) return;
    const asked = client.membership;
    try {
      const committed = await client.committed(fresh);
      if (client.membership?.generation !== asked?.generation) return;
      for (const [key, offset] of committed)
        if (client.held.has(key)) positions.set(key, Math.max(0, offset));
    } catch (error) {
      life.note('taking over failed', codeOf(error));
    }
  }

  /** Reads on in some of its partitions, and commits that; sometimes far too often. */
  #work({ client, holder, positions }: Stay): void {
    const { plan, watch } = this.#crew.crew;
    const { membership } = client;
    if (membership === undefined) return;
    for (const [key, each] of client.held) {
      const isBurst = plan.troubles.has('crowds') && unit(this.#random) < BURST_SHARE;
      for (let i = isBurst ? BURST : below(this.#random, 2); i > 0; i--) {
        const last = positions.get(key);
        if (last === undefined) break;
        const end = watch.logEndOf(TOPIC, each.partition) ?? 0;
        const next = Math.max(last, Math.min(last + 1 + below(this.#random, 3), end));
        positions.set(key, next);
        if (isBurst || next > last)
          this.#commit(client, holder, membership, { ...each, offset: next }, isBurst);
      }
    }
  }

  /** Nobody waits for the answer, and nothing is sent twice. */
  #commit(
    client: ClassicClient,
    { clientId }: ClassicHolder,
    membership: Membership,
    offset: TopicPartition & { readonly offset: number },
    isBulky: boolean,
  ): void {
    const { groupId } = this.#place;
    const commits = this.#commits;
    if (commits === undefined) return;
    this.#crew.counts['classic commits'] += 1;
    client.commit(membership, [offset], isBulky ? BULKY : '', commits, 'never').then(
      () => {
        const partition = formatTopicPartition(offset);
        this.#crew.crew.acknowledged({ groupId, clientId, partition, offset: offset.offset });
      },
      (error: unknown) => this.#crew.refused(codeOf(error)),
    );
  }
}

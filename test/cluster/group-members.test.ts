/**
 * A group of consumers in processes of their own under steady load, while members are killed, stopped and resumed, join
 * and leave: what is handled, what is handled twice, and what the partitions notice that do not move.
 */
import { type Admin, Millrace } from '@millrace/client';
import { expect, onTestFinished, test } from 'vitest';
import { ClusterProcesses } from './cluster-processes.ts';
import { duplicates, jumps, type Loss, missing, report, type Step, type StepReport } from './group-judge.ts';
import { GroupMember } from './group-member.ts';

const TOPIC = 'orders';
const GROUP = 'workers';
const PARTITIONS = 12;
const SESSION_MS = 6_000;
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'group.consumer.heartbeat.interval.ms': '500',
  'group.consumer.session.timeout.ms': String(SESSION_MS),
};
/** A record to every partition each time. */
const SEND_INTERVAL_MS = 50;
const CALM_MS = 1_500;
const LIMIT = { timeout: 40_000, interval: 50 };

const say = (text: string): void => void process.stderr.write(`  ${text}\n`);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function committedOf(admin: Admin): Promise<Map<number, number>> {
  const offsets = await admin.groupOffsets(GROUP);
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset ?? 0)]));
}

/** Sends at a steady pace until it is stopped. */
class Load {
  readonly #millrace: Millrace;
  readonly #ended: Promise<void>;
  #isStopped = false;
  readonly ends = new Map<number, number>();

  constructor(millrace: Millrace) {
    this.#millrace = millrace;
    this.#ended = this.#run();
    this.#ended.catch(() => {});
  }

  /** Everything sent is acknowledged then. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    await using producer = this.#millrace.producer();
    while (!this.#isStopped) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        void producer.send({ topic: TOPIC, partition, value: 'order' }).then(({ offset }) => {
          this.ends.set(partition, Math.max(this.ends.get(partition) ?? 0, Number(offset) + 1));
        });
      }
      await pause(SEND_INTERVAL_MS);
    }
    await producer.flush();
  }
}

class Scene {
  readonly cluster: ClusterProcesses;
  readonly admin: Admin;
  readonly members: GroupMember[] = [];
  readonly losses: Loss[] = [];
  readonly steps: Step[] = [];
  /** Those that run and are not stopped. */
  readonly #live = new Set<GroupMember>();

  constructor(cluster: ClusterProcesses, admin: Admin) {
    this.cluster = cluster;
    this.admin = admin;
  }

  join(name: string): GroupMember {
    const { bootstrap } = this.cluster;
    const member = GroupMember.start({ bootstrap, groupId: GROUP, topic: TOPIC, name });
    onTestFinished(() => void member.end('SIGKILL'));
    this.members.push(member);
    this.#live.add(member);
    return member;
  }

  async leave(member: GroupMember): Promise<void> {
    this.#live.delete(member);
    expect(await member.end('SIGTERM')).toBe(0);
  }

  /** Killed or stopped without a word. */
  async lose(member: GroupMember, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
    const held = new Set(member.holds);
    this.#live.delete(member);
    if (signal === 'SIGKILL') await member.end(signal);
    else member.kill(signal);
    // Its session is far from over: nobody else commits for what it held.
    this.losses.push({ member, held, committed: await committedOf(this.admin) });
  }

  resume(member: GroupMember): void {
    this.#live.add(member);
    member.kill('SIGCONT');
  }

  async step(what: string, happens: () => Promise<void> | void): Promise<void> {
    await pause(CALM_MS);
    const [before, fromMs] = [this.#owners(), Date.now()];
    await happens();
    await this.settled();
    this.steps.push({ what, fromMs, toMs: Date.now(), before, after: this.#owners() });
  }

  /** Every partition has one owner, and the live members hold equally many. */
  async settled(): Promise<void> {
    const share = (): number[] => [...this.#live].map(({ holds }) => holds.size);
    const fair = PARTITIONS / this.#live.size;
    await expect.poll(share, LIMIT).toEqual([...this.#live].map(() => fair));
    expect(this.#owners().size).toBe(PARTITIONS);
  }

  async untilHandled(ends: ReadonlyMap<number, number>): Promise<void> {
    await expect.poll(() => missing(this.members, ends).length, { ...LIMIT, interval: 500 }).toBe(0);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#live].map((member) => this.leave(member)));
  }

  #owners(): Map<number, GroupMember> {
    return new Map(
      [...this.#live].flatMap((member) => [...member.holds].map((partition) => [partition, member])),
    );
  }
}

function sayStep({
  what,
  tookMs,
  untouched,
  untouchedRebalances,
  untouchedPauseMs,
  movedPauseMs,
}: StepReport): void {
  say(
    `${what}: ${tookMs} ms; ${untouched} partitions untouched, ${untouchedRebalances} rebalances of them, ` +
      `their longest pause ${untouchedPauseMs} ms; of the moved ones ${movedPauseMs} ms`,
  );
}

/** Committed offsets as they were seen while it all happened: none ever goes back. */
function watchCommitted(admin: Admin): { readonly wentBack: string[]; stop(): void } {
  const wentBack: string[] = [];
  let last = new Map<number, number>();
  let isStopped = false;
  const run = async (): Promise<void> => {
    while (!isStopped) {
      const now = await committedOf(admin);
      for (const [partition, offset] of last)
        if ((now.get(partition) ?? -1) < offset)
          wentBack.push(`${partition}: ${offset} to ${now.get(partition)}`);
      last = now;
      await pause(300);
    }
  };
  run().catch((error: unknown) => void (isStopped || wentBack.push(String(error))));
  return {
    wentBack,
    stop: () => {
      isStopped = true;
    },
  };
}

interface ExplainedEvent {
  readonly kind: string;
  readonly clientId: string;
  readonly cause: string;
}

async function expectExplained(cluster: ClusterProcesses): Promise<void> {
  const { events } = await cluster.json<{ events: ExplainedEvent[] }>('group', 'explain', GROUP);
  const causesOf = (kind: string, clientId: string): string[] =>
    events.filter((event) => event.kind === kind && event.clientId === clientId).map(({ cause }) => cause);
  for (const clientId of ['killed', 'stopped']) {
    const causes = causesOf('expired', clientId);
    expect(causes).toHaveLength(1);
    const [, seconds] = /^missed \d+ heartbeats in ([\d.]+) s of silence/.exec(causes[0]!) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(SESSION_MS / 1000);
  }
  for (const clientId of ['leaver', 'killed', 'stopped', 'second', 'third']) {
    const joins = [...causesOf('joined', clientId), ...causesOf('rejoined', clientId)];
    expect(joins.length).toBe(clientId === 'stopped' ? 2 : 1);
  }
  expect(causesOf('left', 'leaver')).toHaveLength(1);
  expect(causesOf('expired', 'leaver')).toEqual([]);
  say(`group explain:\n${(await cluster.command('group', 'explain', GROUP)).stdout}`);
}

test('members are killed, stopped, join and leave: nothing is skipped, only what was uncommitted comes twice, what does not move goes on', async () => {
  await using cluster = await ClusterProcesses.start({ properties: PROPERTIES });
  const millrace = new Millrace({ bootstrap: cluster.bootstrap });
  onTestFinished(() => millrace.close());
  const admin = millrace.admin();
  await admin.createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 });
  const scene = new Scene(cluster, admin);
  const [leaver, killed, stopped] = ['leaver', 'killed', 'stopped'].map((name) => scene.join(name));
  await scene.settled();
  const load = new Load(millrace);
  const committed = watchCommitted(admin);

  await scene.step('nothing happens', () => pause(CALM_MS));
  await scene.step('one is killed -9', () => scene.lose(killed!, 'SIGKILL'));
  await scene.step('one joins', () => void scene.join('second'));
  await scene.step('one is stopped for longer than its session', () => scene.lose(stopped!, 'SIGSTOP'));
  await scene.step('it is resumed', () => scene.resume(stopped!));
  await scene.step('another one joins', () => void scene.join('third'));
  await scene.step('one leaves', () => scene.leave(leaver!));

  await pause(CALM_MS);
  await load.stop();
  await scene.untilHandled(load.ends);
  await expectExplained(cluster);
  await scene.end();
  committed.stop();
  expect(await committedOf(admin)).toEqual(new Map([...load.ends].sort(([one], [other]) => one - other)));
  expect(committed.wentBack).toEqual([]);

  const { members, losses, steps } = scene;
  const reports = steps.map((step) => report(step, members));
  reports.forEach(sayStep);
  const twice = duplicates(members, losses);
  const records = [...load.ends.values()].reduce((sum, end) => sum + end, 0);
  say(`${records} records, ${missing(members, load.ends).length} missing, ${twice.count} handled twice:`);
  losses.forEach(({ member }, index) => {
    say(`  ${twice.byLoss[index]} were not committed when ${member.name} was lost`);
  });
  say(`  ${twice.unexplained.length} were committed`);
  expect(twice.unexplained).toEqual([]);
  expect(members.flatMap(jumps)).toEqual([]);
  expect(reports.map(({ untouched, untouchedRebalances }) => [untouched, untouchedRebalances])).toEqual(
    [12, 8, 8, 8, 8, 9, 9].map((untouched) => [untouched, 0]),
  );
  // An expiry takes a session; whatever goes on meanwhile did not wait for it.
  for (const { untouchedPauseMs } of reports) expect(untouchedPauseMs).toBeLessThan(SESSION_MS / 2);
}, 150_000);

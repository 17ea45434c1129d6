/**
 * Prints what virtual time costs: three whole nodes for 60 virtual seconds, idle and with a producer and a consumer.
 * `node packages/simulator/dist/testing/measure-speed.js [records a second] [seeds]`
 */
import { sleep } from '@millrace/core';
import { SmallCluster } from './small-cluster.ts';

const SPAN_MS = 60_000;

async function measure(name: string, seed: number, recordsPerSecond: number): Promise<void> {
  const cluster = new SmallCluster(seed);
  const { world } = cluster;
  await cluster.start();
  let [sent, read] = [0, 0];
  if (recordsPerSecond > 0) {
    await cluster.client('admin', async (millrace) => {
      await millrace.admin().createTopics([{ name: 't', partitions: 6 }]);
    });
    world.process('producer').start(async (life) => {
      const producer = cluster.millrace(life).producer({ acks: 'all' });
      for (;;) {
        await sleep(life.clock, 1_000 / recordsPerSecond);
        void producer.send({ topic: 't', value: `${sent}` }).then(() => {
          sent += 1;
        });
      }
    });
    world.process('consumer').start(async (life) => {
      const consumer = cluster.millrace(life).consumer();
      consumer.assign([0, 1, 2, 3, 4, 5].map((partition) => ({ topic: 't', partition })));
      consumer.seekToBeginning();
      for (;;) read += (await consumer.poll()).length;
    });
  }
  const { eventCount, nowMs } = world;
  const before = process.cpuUsage();
  await world.run(nowMs + SPAN_MS);
  const { user, system } = process.cpuUsage(before);
  const cpuMs = (user + system) / 1_000;
  const events = world.eventCount - eventCount;
  const perSecond = Math.round((events / cpuMs) * 1_000);
  console.log(
    `${name}: seed ${seed}, ${cpuMs.toFixed(0)} ms CPU for 60 virtual s (${(SPAN_MS / cpuMs).toFixed(0)}x), ` +
      `${events} events, ${perSecond} a second, ${sent} records sent, ${read} read`,
  );
}

const [rate = '50', seeds = '3'] = process.argv.slice(2);
for (let seed = 1; seed <= Number(seeds); seed++) await measure('idle', seed, 0);
for (let seed = 1; seed <= Number(seeds); seed++) await measure('loaded', seed, Number(rate));

/** `millrace cluster`: what the cluster is, and how it is. */
import { sleep } from '@millrace/core';
import { type Command, Option } from 'commander';
import { printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { parseDurationMs } from '../duration.ts';
import { reportOf } from '../error-report.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Shell } from '../shell.ts';
import { BROKER_COLUMNS, brokerValue, sortedBrokers } from './broker.ts';
import { type HealthReport, healthOf, unreachable } from './cluster-health.ts';

export function clusterCommand(program: Command, shell: Shell): void {
  const cluster = program.command('cluster').alias('clusters').description('Look at the cluster as a whole.');
  cluster
    .command('info')
    .description('Show cluster id, controller, counts and brokers.')
    .addHelpText('after', '\nExample:\n  millrace cluster info -o yaml')
    .action(shell.action(showInfo));
  cluster
    .command('health')
    .description('Say whether every partition is served and fully replicated; exit code 7 if not.')
    .addOption(new Option('-w, --watch [interval]', 'look again and again until interrupted (default: 2s)'))
    .option('--exit-when-healthy', 'wait until healthy, for at most --timeout')
    .addHelpText('after', '\nExample:\n  millrace cluster health --exit-when-healthy --timeout 60s')
    .action(shell.action(checkHealth));
}

async function showInfo(context: CommandContext): Promise<void> {
  const cluster = await context.admin().describeCluster(context.callOptions());
  const { controllerId } = cluster;
  const brokers = sortedBrokers(cluster);
  await context.show({
    value: {
      clusterId: cluster.clusterId,
      controllerId: controllerId === -1 ? null : controllerId,
      metadataOffset: String(cluster.metadataOffset),
      topicCount: cluster.topicCount,
      partitionCount: cluster.partitionCount,
      leaderlessPartitionCount: cluster.leaderlessPartitionCount,
      underReplicatedPartitionCount: cluster.underReplicatedPartitionCount,
      underMinIsrPartitionCount: cluster.underMinIsrPartitionCount,
      brokers: brokers.map(brokerValue),
    },
    text: (wide) =>
      `${printFields([
        ['Cluster id', cluster.clusterId],
        ['Controller', controllerId === -1 ? 'none' : controllerId],
        ['Metadata offset', cluster.metadataOffset],
        ['Topics', cluster.topicCount],
        ['Partitions', cluster.partitionCount],
        ['Without leader', cluster.leaderlessPartitionCount],
        ['Under-replicated', cluster.underReplicatedPartitionCount],
        ['Under min ISR', cluster.underMinIsrPartitionCount],
      ])}\n${printColumns(BROKER_COLUMNS, brokers, { wide })}`,
    names: () => [cluster.clusterId],
  });
}

interface HealthFlags {
  readonly watch?: string | true;
  readonly exitWhenHealthy?: boolean;
}

const WATCH_DEFAULT_MS = 2_000;
const WAIT_POLL_MS = 500;

async function checkHealth(context: CommandContext, flags: HealthFlags): Promise<ExitCode> {
  if (flags.watch === undefined && !flags.exitWhenHealthy) {
    const report = await takeHealth(context, context.options.timeoutMs);
    await showHealth(context, report);
    return report.healthy ? EXIT.ok : EXIT.unhealthy;
  }
  return watchHealth(context, flags);
}

async function watchHealth(context: CommandContext, flags: HealthFlags): Promise<ExitCode> {
  const { clock } = context.environment;
  const intervalMs =
    typeof flags.watch === 'string'
      ? parseDurationMs(flags.watch, '--watch')
      : flags.watch
        ? WATCH_DEFAULT_MS
        : WAIT_POLL_MS;
  const giveUpAtMs = clock.nowMs() + context.options.timeoutMs;
  for (;;) {
    const leftMs = flags.exitWhenHealthy ? giveUpAtMs - clock.nowMs() : context.options.timeoutMs;
    const report = await takeHealth(context, Math.max(1, Math.ceil(leftMs)));
    context.throwIfInterrupted();
    const timeIsUp = flags.exitWhenHealthy === true && clock.nowMs() >= giveUpAtMs;
    const last = (flags.exitWhenHealthy === true && report.healthy) || timeIsUp;
    // Without --watch, only how it ended is of interest.
    if (flags.watch !== undefined || last) await showHealth(context, report);
    if (last) return report.healthy ? EXIT.ok : EXIT.unhealthy;
    const waitMs = flags.exitWhenHealthy ? Math.min(intervalMs, giveUpAtMs - clock.nowMs()) : intervalMs;
    await Promise.race([sleep(clock, waitMs), aborted(context.interrupted)]);
    context.throwIfInterrupted();
  }
}

/** A cluster that does not answer is an unhealthy one, not an error: whoever asks wants to know exactly this. */
async function takeHealth(context: CommandContext, timeoutMs: number): Promise<HealthReport> {
  try {
    return healthOf(await context.admin().describeCluster({ ...context.callOptions(), timeoutMs }));
  } catch (error) {
    context.throwIfInterrupted();
    const { exitCode, message } = reportOf(error, context.options);
    if (exitCode !== EXIT.unreachable) throw error;
    return unreachable(message);
  }
}

async function showHealth(context: CommandContext, report: HealthReport): Promise<void> {
  await context.show({
    value: report,
    text: () =>
      printFields([
        ['Healthy', report.healthy ? 'yes' : 'no'],
        ['Controller', report.controllerId ?? 'none'],
        ['Brokers', report.brokerCount],
        ['Without leader', report.leaderlessPartitions],
        ['Under min ISR', report.underMinIsrPartitions],
        ['Under-replicated', report.underReplicatedPartitions],
        ...report.problems.map((problem) => ['Problem', problem] as const),
      ]),
    names: () => [report.healthy ? 'healthy' : 'unhealthy'],
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

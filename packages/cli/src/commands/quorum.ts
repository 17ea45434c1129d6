/** `millrace quorum`: the metadata quorum, in the words of Kafka's kafka-metadata-quorum. */
import type { QuorumInfo, QuorumReplicaInfo } from '@millrace/client';
import type { Command } from 'commander';
import { printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { toJson } from '../plain-value.ts';
import type { Shell } from '../shell.ts';

export function quorumCommand(program: Command, shell: Shell): void {
  const quorum = program.command('quorum').alias('quorums').description('Look at the metadata quorum.');
  quorum
    .command('status')
    .description('Show leader, epoch, high watermark, voters and observers.')
    .addHelpText('after', '\nExample:\n  millrace quorum status')
    .action(shell.action(showStatus));
  quorum
    .command('replication')
    .description('Show how far each voter and observer has come.')
    .addHelpText('after', '\nExample:\n  millrace quorum replication')
    .action(shell.action(showReplication));
}

async function showStatus(context: CommandContext): Promise<void> {
  const [cluster, quorum] = await Promise.all([
    context.admin().describeCluster(context.callOptions()),
    context.admin().describeQuorum(context.callOptions()),
  ]);
  const followers = replicasOf(quorum).filter(({ status }) => status !== 'Leader');
  const value = {
    clusterId: cluster.clusterId,
    leaderId: quorum.leaderId === -1 ? null : quorum.leaderId,
    leaderEpoch: String(quorum.leaderEpoch),
    highWatermark: String(quorum.highWatermark),
    maxFollowerLag: String(Math.max(0, ...followers.map(({ lag }) => lag))),
    maxFollowerLagTimeMs: String(Math.max(0, ...followers.map(({ lastCaughtUpMs }) => lastCaughtUpMs))),
    currentVoters: quorum.voters.map(voterValue),
    currentObservers: quorum.observers.map(voterValue),
  };
  await context.show({
    value,
    text: () =>
      printFields([
        ['ClusterId', value.clusterId],
        ['LeaderId', value.leaderId ?? 'none'],
        ['LeaderEpoch', value.leaderEpoch],
        ['HighWatermark', value.highWatermark],
        ['MaxFollowerLag', value.maxFollowerLag],
        ['MaxFollowerLagTimeMs', value.maxFollowerLagTimeMs],
        ['CurrentVoters', toJson(value.currentVoters)],
        ['CurrentObservers', toJson(value.currentObservers)],
      ]),
    names: () => (value.leaderId === null ? [] : [String(value.leaderId)]),
  });
}

async function showReplication(context: CommandContext): Promise<void> {
  const rows = replicasOf(await context.admin().describeQuorum(context.callOptions()));
  await context.show({
    value: {
      replicas: rows.map((row) => ({
        nodeId: row.nodeId,
        directoryId: row.directoryId,
        logEndOffset: String(row.logEndOffset),
        lag: String(row.lag),
        lastContactMs: String(row.lastContactMs),
        lastCaughtUpMs: String(row.lastCaughtUpMs),
        status: row.status,
      })),
    },
    text: () =>
      printColumns(
        [
          { heading: 'NodeId', align: 'right', cell: (row) => row.nodeId },
          { heading: 'DirectoryId', cell: (row) => row.directoryId },
          { heading: 'LogEndOffset', align: 'right', cell: (row) => row.logEndOffset },
          { heading: 'Lag', align: 'right', cell: (row) => row.lag },
          { heading: 'LastContactMs', align: 'right', cell: (row) => ago(row.lastContactMs) },
          { heading: 'LastCaughtUpMs', align: 'right', cell: (row) => ago(row.lastCaughtUpMs) },
          { heading: 'Status', cell: (row) => row.status },
        ],
        rows,
      ),
    names: () => rows.map(({ nodeId }) => String(nodeId)),
  });
}

interface QuorumRow extends QuorumReplicaInfo {
  readonly lag: number;
  readonly status: 'Leader' | 'Follower' | 'Observer';
}

function replicasOf({ leaderId, voters, observers }: QuorumInfo): QuorumRow[] {
  const end = Math.max(0, ...voters.map(({ logEndOffset }) => logEndOffset));
  const leaderEnd = voters.find(({ nodeId }) => nodeId === leaderId)?.logEndOffset ?? end;
  const row = (replica: QuorumReplicaInfo, status: QuorumRow['status']): QuorumRow => ({
    ...replica,
    lag: Math.max(0, leaderEnd - Math.max(0, replica.logEndOffset)),
    status,
  });
  return [
    ...voters.map((voter) => row(voter, voter.nodeId === leaderId ? 'Leader' : 'Follower')),
    ...observers.map((observer) => row(observer, 'Observer')),
  ];
}

function voterValue({ nodeId, directoryId }: QuorumReplicaInfo): object {
  return { id: nodeId, directoryId };
}

function ago(elapsedMs: number): number | undefined {
  return elapsedMs < 0 ? undefined : elapsedMs;
}

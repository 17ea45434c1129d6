/** `millrace quorum`: the metadata quorum, in the words of Kafka's kafka-metadata-quorum. */
import type { QuorumInfo, QuorumReplicaInfo, VoterOptions } from '@millrace/client';
import type { Command } from 'commander';
import { usageError } from '../cli-error.ts';
import { printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { toJson } from '../plain-value.ts';
import type { Shell } from '../shell.ts';
import { isWithoutLeader, leaderWaitOptions, showWithoutLeader } from './quorum-without-leader.ts';

export function quorumCommand(program: Command, shell: Shell): void {
  const quorum = program.command('quorum').alias('quorums').description('Look at the metadata quorum.');
  quorum
    .command('status')
    .description('Show leader, epoch, high watermark, voters and observers.')
    .addHelpText(
      'after',
      `
While no controller leads, it says so after --timeout (default: 4s), and which nodes answer.

Example:
  millrace quorum status`,
    )
    .action(shell.action(showStatus));
  quorum
    .command('replication')
    .description('Show how far each voter and observer has come.')
    .addHelpText('after', '\nExample:\n  millrace quorum replication')
    .action(shell.action(showReplication));
  quorum
    .command('add-voter')
    .argument('<node-id>', 'a controller that observes the quorum', nodeIdOf)
    .option('--directory <id>', 'its directory, where the node has several')
    .description('Make a voter of a controller that observes. Changes go one voter at a time.')
    .addHelpText('after', '\nExample:\n  millrace quorum add-voter 4')
    .action(shell.action(addVoter));
  quorum
    .command('remove-voter')
    .argument('<node-id>', 'a controller that votes', nodeIdOf)
    .option('--directory <id>', 'its directory, where the node has several')
    .description('Take the vote from a controller. It may be down; if it runs, it observes from then on.')
    .addHelpText('after', '\nExample:\n  millrace quorum remove-voter 3 --directory Zm9vYmFyYmF6cXV4MDAwMQ')
    .action(shell.action(removeVoter));
}

interface VoterFlags {
  readonly directory?: string;
}

async function addVoter(context: CommandContext, flags: VoterFlags, nodeId: number): Promise<void> {
  const { directoryId } = await context.admin().addVoter(nodeId, voterOptions(context, flags));
  await showChange(context, { nodeId, directoryId }, 'votes now');
}

async function removeVoter(context: CommandContext, flags: VoterFlags, nodeId: number): Promise<void> {
  const { directoryId } = await context.admin().removeVoter(nodeId, voterOptions(context, flags));
  await showChange(context, { nodeId, directoryId }, 'votes no longer');
}

function voterOptions(context: CommandContext, { directory }: VoterFlags): VoterOptions {
  return { ...context.callOptions(), ...(directory === undefined ? {} : { directoryId: directory }) };
}

async function showChange(
  context: CommandContext,
  { nodeId, directoryId }: { readonly nodeId: number; readonly directoryId: string },
  what: string,
): Promise<void> {
  await context.show({
    value: { nodeId, directoryId },
    text: () => `Node ${nodeId} with directory ${directoryId} ${what}.\n`,
    names: () => [String(nodeId)],
  });
}

/** @throws a usage error. */
function nodeIdOf(text: string): number {
  const id = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(id)) throw usageError(`"${text}" is no node id`);
  return id;
}

/** @throws {CliError} QUORUM_UNAVAILABLE after a short while, who answers having been shown. */
async function leadersView(context: CommandContext): Promise<QuorumInfo> {
  try {
    return await context.admin().describeQuorum(leaderWaitOptions(context));
  } catch (error) {
    context.throwIfInterrupted();
    if (!isWithoutLeader(error)) throw error;
    return await showWithoutLeader(context, error);
  }
}

async function showStatus(context: CommandContext): Promise<void> {
  const quorum = await leadersView(context);
  const cluster = await context.admin().describeCluster(context.callOptions());
  const followers = replicasOf(quorum).filter(({ status }) => status !== 'Leader');
  const value = {
    clusterId: cluster.clusterId,
    leaderId: quorum.leaderId === -1 ? null : quorum.leaderId,
    leaderEpoch: String(quorum.leaderEpoch),
    highWatermark: String(quorum.highWatermark),
    maxFollowerLag: String(Math.max(0, ...followers.map(({ lag }) => lag))),
    maxFollowerLagTimeMs: String(Math.max(0, ...followers.map(({ lastCaughtUpMs }) => lastCaughtUpMs))),
    currentVoters: quorum.voters.map((voter) => voterValue(quorum, voter)),
    currentObservers: quorum.observers.map((observer) => voterValue(quorum, observer)),
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
  const rows = replicasOf(await leadersView(context));
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

/** Records behind the leader; behind the furthest voter while the leader is none of them. */
function lagIn({ leaderId, voters }: QuorumInfo, { logEndOffset }: QuorumReplicaInfo): number {
  const end = Math.max(0, ...voters.map((voter) => voter.logEndOffset));
  const leaderEnd = voters.find(({ nodeId }) => nodeId === leaderId)?.logEndOffset ?? end;
  return Math.max(0, leaderEnd - Math.max(0, logEndOffset));
}

function replicasOf(quorum: QuorumInfo): QuorumRow[] {
  const { leaderId, voters, observers } = quorum;
  const row = (replica: QuorumReplicaInfo, status: QuorumRow['status']): QuorumRow => ({
    ...replica,
    lag: lagIn(quorum, replica),
    status,
  });
  return [
    ...voters.map((voter) => row(voter, voter.nodeId === leaderId ? 'Leader' : 'Follower')),
    ...observers.map((observer) => row(observer, 'Observer')),
  ];
}

function voterValue(quorum: QuorumInfo, replica: QuorumReplicaInfo): object {
  const { nodeId, directoryId, address } = replica;
  return { id: nodeId, directoryId, address, lag: String(lagIn(quorum, replica)) };
}

function ago(elapsedMs: number): number | undefined {
  return elapsedMs < 0 ? undefined : elapsedMs;
}

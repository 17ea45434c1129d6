/**
 * What `quorum status` tells while no controller leads: only a leader knows the quorum, so what is left is which nodes
 * answer. Soon, because whoever asks then has no time.
 */
import type { AdminOptions, ClusterInfo, NodeHealth } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { CliError } from '../cli-error.ts';
import { printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT, exitCodeOf } from '../exit-code.ts';

/** Longer than an election takes that works. */
const LEADER_WAIT_MS = 4_000;
const NODE_WAIT_MS = 2_000;

/** The limit of the user, or one that is short. */
export function leaderWaitOptions(context: CommandContext): AdminOptions & { readonly timeoutMs: number } {
  const isChosen = context.effective.some(({ name, source }) => name === 'timeout' && source !== 'default');
  const options = context.callOptions();
  return isChosen ? options : { ...options, timeoutMs: Math.min(options.timeoutMs, LEADER_WAIT_MS) };
}

/** True for what nodes and clients say while nobody leads. */
export function isWithoutLeader(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false;
  return error.code === 'NOT_CONTROLLER' || exitCodeOf(error.code) === EXIT.unreachable;
}

/** Shows who answers. @throws {CliError} QUORUM_UNAVAILABLE in the end; the refusal itself if nobody does. */
export async function showWithoutLeader(context: CommandContext, refusal: unknown): Promise<never> {
  const options = { ...context.callOptions(), timeoutMs: NODE_WAIT_MS };
  const admin = context.admin();
  const [named, cluster] = await Promise.all([
    admin.nodesHealth(options),
    admin.describeCluster(options).catch(() => undefined),
  ]);
  context.throwIfInterrupted();
  const others = addressesOf(cluster).filter((address) => named.every((node) => node.address !== address));
  const nodes =
    others.length === 0 ? named : [...named, ...(await admin.nodesHealth({ ...options, addresses: others }))];
  const answering = nodes.filter(({ status }) => status !== 'UNREACHABLE').length;
  if (answering === 0) throw refusal;
  await show(context, nodes, cluster);
  const isSilence = refusal instanceof MillraceError && refusal.code === 'REQUEST_TIMED_OUT';
  const reason = isSilence ? '' : ` (${refusal instanceof Error ? refusal.message : String(refusal)})`;
  throw new CliError(
    'QUORUM_UNAVAILABLE',
    EXIT.unreachable,
    `no controller leads${reason}; of ${nodes.length} addresses known here ${answering} ${answering === 1 ? 'answers' : 'answer'}`,
    'A majority of the voters must be up: start the nodes that are down.',
  );
}

function addressesOf(cluster: ClusterInfo | undefined): string[] {
  return (cluster?.brokers ?? []).map(
    ({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`,
  );
}

async function show(
  context: CommandContext,
  nodes: readonly NodeHealth[],
  cluster: ClusterInfo | undefined,
): Promise<void> {
  await context.show({
    value: {
      clusterId: cluster?.clusterId ?? null,
      leaderId: null,
      nodes: nodes.map(({ address, status, error }) => ({ address, status, reason: error?.message ?? null })),
    },
    text: () =>
      `${printFields([
        ['ClusterId', cluster?.clusterId],
        ['LeaderId', 'none'],
      ])}\n${printColumns(
        [
          { heading: 'NODE', isName: true, cell: (node) => node.address },
          { heading: 'STATUS', cell: (node) => node.status },
        ],
        nodes,
      )}`,
    names: () => [],
  });
}

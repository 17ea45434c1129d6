/**
 * `millrace health`: the probe of a container. It asks the nodes named by --bootstrap-server about themselves, by
 * grpc.health.v1, and through them the cluster, not whether all others are well: a probe that fails because a
 * neighbour is down would restart the whole cluster.
 */
import type { NodeHealth } from '@millrace/client';
import type { Command } from 'commander';
import { CliError } from '../cli-error.ts';
import { printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { reportOf } from '../error-report.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Shell } from '../shell.ts';

const PROBE_TIMEOUT_MS = 2_000;

export function healthCommand(program: Command, shell: Shell): void {
  program
    .command('health')
    .description(
      'Ask nodes whether they serve, as containers do: exit code 0, or 7 after --timeout (default: 2s).',
    )
    .option('--all', 'every node of the cluster, not only those named by --bootstrap-server')
    .addHelpText('after', '\nExample:\n  millrace health --bootstrap-server localhost:9191')
    .action(shell.action(probe));
}

async function probe(context: CommandContext, flags: { readonly all?: boolean }): Promise<ExitCode> {
  const chosen = context.effective.some(({ name, source }) => name === 'timeout' && source !== 'default');
  const timeoutMs = chosen ? context.options.timeoutMs : PROBE_TIMEOUT_MS;
  const options = { ...context.callOptions(), timeoutMs };
  const admin = context.admin();
  const asked = admin.describeCluster(options).then(
    ({ brokers }) => brokers.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`),
    (error: unknown) => problemOf(context, error),
  );
  const named = flags.all ? undefined : admin.nodesHealth(options);
  const answer = await asked;
  const nodes =
    (await named) ??
    (Array.isArray(answer) ? await admin.nodesHealth({ ...options, addresses: answer }) : []);
  const silence = Array.isArray(answer) ? undefined : answer;
  const reason = nodes.map(faultOf).find((fault) => fault !== undefined) ?? silence;
  await show(context, nodes, reason);
  return reason === undefined ? EXIT.ok : EXIT.unhealthy;
}

/** A cluster that does not answer is unhealthy; a command that was called wrongly is not. */
function problemOf(context: CommandContext, error: unknown): string {
  context.throwIfInterrupted();
  if (error instanceof CliError) throw error;
  return reportOf(error, context.options).message;
}

function faultOf({ address, status, error }: NodeHealth): string | undefined {
  if (status === 'SERVING') return undefined;
  return status === 'NOT_SERVING'
    ? `${address} answers, but does not serve: it is starting or stopping`
    : `${address} does not answer: ${error?.message ?? 'no reason is known'}`;
}

async function show(
  context: CommandContext,
  nodes: readonly NodeHealth[],
  reason: string | undefined,
): Promise<void> {
  const healthy = reason === undefined;
  await context.show({
    value: {
      healthy,
      reason: reason ?? null,
      nodes: nodes.map((node) => ({
        node: node.address,
        status: node.status,
        reason: faultOf(node) ?? null,
      })),
    },
    text: () =>
      `${healthy ? 'healthy' : `unhealthy: ${reason}`}\n${printColumns(
        [
          { heading: 'NODE', cell: (node) => node.address },
          { heading: 'STATUS', cell: (node) => node.status },
        ],
        nodes,
      )}`,
    names: () => [healthy ? 'healthy' : 'unhealthy'],
  });
}

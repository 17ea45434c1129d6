/** `millrace health`: the probe of a container. It asks whether this node answers, not whether all others do: a probe that fails because a neighbour is down would restart the whole cluster. */
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { reportOf } from '../error-report.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Shell } from '../shell.ts';

const PROBE_TIMEOUT_MS = 2_000;

export function healthCommand(program: Command, shell: Shell): void {
  program
    .command('health')
    .description(
      'Probe whether a node answers, for containers: exit code 0, or 7 after --timeout (default: 2s).',
    )
    .addHelpText('after', '\nExample:\n  millrace health --bootstrap-server localhost:9191')
    .action(shell.action(probe));
}

async function probe(context: CommandContext): Promise<ExitCode> {
  const chosen = context.effective.some(({ name, source }) => name === 'timeout' && source !== 'default');
  const timeoutMs = chosen ? context.options.timeoutMs : PROBE_TIMEOUT_MS;
  let reason: string | undefined;
  try {
    await context.admin().describeCluster({ ...context.callOptions(), timeoutMs });
  } catch (error) {
    context.throwIfInterrupted();
    reason = reportOf(error, context.options).message;
  }
  const healthy = reason === undefined;
  await context.show({
    value: { healthy, reason: reason ?? null },
    text: () => (healthy ? 'healthy\n' : `unhealthy: ${reason}\n`),
    names: () => [healthy ? 'healthy' : 'unhealthy'],
  });
  return healthy ? EXIT.ok : EXIT.unhealthy;
}

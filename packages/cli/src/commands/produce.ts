/** `millrace produce`: lines in, records out. Succeeds only if every line was acknowledged. */
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { CompressionCodec, ProducerOptions } from '@millrace/client';
import { type Command, Option } from 'commander';
import { CliError, InterruptedError } from '../cli-error.ts';
import { producerOptions } from '../client-properties.ts';
import type { CommandContext } from '../command-context.ts';
import { reportOf } from '../error-report.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { RepeatableOption } from '../flag-sources.ts';
import { type LineRecordFlags, lineRecordMaker } from '../line-record.ts';
import { parseChoice, parsePartition } from '../option-values.ts';
import { ProduceRun, type ProduceTally } from '../produce-run.ts';
import { ProgressLine } from '../progress-line.ts';
import { formatCount, formatRate, formatVolume } from '../quantities.ts';
import type { Shell } from '../shell.ts';

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly CompressionCodec[];

export function produceCommand(program: Command, shell: Shell): void {
  program
    .command('produce <topic>')
    .description('Send each line of standard input, or of a file, as a record.')
    .option('-f, --file <path>', 'read lines from a file instead of standard input')
    .option('-k, --key <key>', 'the same key for every record')
    .option('-K, --key-separator <text>', 'each line is key, separator, value; \\t is a tab')
    .addOption(new RepeatableOption('-H, --header <key=value>', 'header of every record'))
    .addOption(
      new Option('-p, --partition <number>', 'send to this partition instead of choosing by key').argParser(
        parsePartition,
      ),
    )
    .addOption(
      new Option(
        '--acks <who>',
        'all|1|0: every in-sync replica, the leader, nobody (default: all)',
      ).argParser(parseChoice(['all', '1', '0'])),
    )
    .addOption(
      new Option('-z, --compression <codec>', `${CODECS.join('|')} (default: none)`).argParser(
        parseChoice(CODECS),
      ),
    )
    .option('-Z, --empty-as-null', 'an empty value is null: a tombstone')
    .addHelpText('after', '\nExample:\n  millrace produce orders -K : -z zstd < orders.txt')
    .action(shell.action(produce));
}

interface ProduceFlags extends LineRecordFlags {
  readonly file?: string;
  readonly acks?: 'all' | '1' | '0';
  readonly compression?: CompressionCodec;
}

async function produce(context: CommandContext, flags: ProduceFlags, topic: string): Promise<void> {
  const { clock, interrupted } = context.environment;
  const recordOf = lineRecordMaker(topic, flags);
  const options = producerOptions(context.options, producerFlags(flags));
  const input = await openInput(context, flags.file);
  // A cluster that is not there should be told at once, not after the producer's patience.
  await context.admin().describeCluster(context.callOptions());

  const producer = context.client().producer(options);
  context.onClose(() => producer.close().catch(() => {}));
  const run = new ProduceRun(producer, recordOf);
  const startMs = clock.nowMs();
  const progress = startProgress(context, run, startMs);
  const onInterrupted = (): void => {
    const { sent, acknowledged, failed } = run.tally;
    const pending = sent - acknowledged - failed;
    if (pending === 0) return;
    context.note(
      `Interrupted: waiting for ${formatCount(pending)} of ${formatCount(sent)} lines to be acknowledged; interrupt again to end at once.`,
    );
  };
  interrupted.addEventListener('abort', onInterrupted, { once: true });
  const tally = await run.run(input, interrupted).finally(() => {
    interrupted.removeEventListener('abort', onInterrupted);
    progress?.stop();
  });
  await report(context, topic, tally, clock.nowMs() - startMs);
}

function producerFlags({ acks, compression }: ProduceFlags): ProducerOptions {
  return {
    ...(acks === undefined ? {} : { acks: acks === 'all' ? acks : (Number(acks) as 0 | 1) }),
    ...(compression === undefined ? {} : { compression }),
  };
}

async function openInput(context: CommandContext, path: string | undefined): Promise<Readable> {
  if (path === undefined || path === '-') {
    if (context.environment.isTerminal.stdin) context.note('Each line is a record; end with Ctrl-D.');
    return context.environment.stdin;
  }
  const file = await open(path);
  return file.createReadStream({ highWaterMark: 256 * 1024 });
}

function startProgress(context: CommandContext, run: ProduceRun, startMs: number): ProgressLine | undefined {
  const { stderr, clock, isTerminal } = context.environment;
  // Somebody who types lines would see them drawn over.
  if (!isTerminal.stderr || isTerminal.stdin || context.options.quiet) return undefined;
  return new ProgressLine(stderr, clock, () => {
    const { acknowledged, sent, bytes, acknowledgedBytes } = run.tally;
    const elapsedMs = clock.nowMs() - startMs;
    return `${formatVolume(sent, 'line', bytes)} sent, ${formatCount(acknowledged)} acknowledged: ${formatRate(acknowledged, 'line', acknowledgedBytes, elapsedMs)}`;
  });
}

async function report(
  context: CommandContext,
  topic: string,
  tally: ProduceTally,
  elapsedMs: number,
): Promise<void> {
  const { sent, acknowledged, failed, bytes, acknowledgedBytes, firstError, interrupted } = tally;
  await context.show({
    value: { topic, sent, acknowledged, failed, bytes, acknowledgedBytes, elapsedMs: Math.round(elapsedMs) },
    text: () => '',
    names: () => [],
  });
  context.note(
    `${formatCount(acknowledged)} of ${formatVolume(sent, 'line', acknowledgedBytes)} acknowledged in ${(elapsedMs / 1_000).toFixed(2)} s: ${formatRate(acknowledged, 'line', acknowledgedBytes, elapsedMs)}`,
  );
  if (failed > 0) throw notAcknowledged(tally);
  if (firstError !== undefined) throw firstError;
  if (interrupted) throw new InterruptedError(context.interrupted);
}

/** Some lines arrived: a failure of the whole. None did: what kept the first from arriving tells more. */
function notAcknowledged({ sent, acknowledged, failed, firstError }: ProduceTally): CliError {
  const { code, message, help, exitCode } = reportOf(firstError);
  return new CliError(
    'LINES_NOT_ACKNOWLEDGED',
    acknowledged > 0 ? EXIT.failed : (exitCode as ExitCode),
    `${formatCount(failed)} of ${formatCount(sent)} lines were not acknowledged, and reading stopped after line ${formatCount(sent)}; the first error is ${code}: ${message}`,
    help,
  );
}

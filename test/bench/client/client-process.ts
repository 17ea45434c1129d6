/** The client side of a row, in a process of its own as in real life. Does one job and then waits to be ended. */
import { runCommits } from './commit-job.ts';
import { runConsume } from './consume-job.ts';
import { runEndToEnd } from './end-to-end-job.ts';
import { runFixedRate } from './fixed-rate-job.ts';
import type { AckGap, FromClient, Job, JobResults, ToClient } from './job.ts';
import type { JobContext } from './job-context.ts';
import { runKafkaLoad } from './kafka-load-job.ts';
import { runMembers } from './members-job.ts';
import { runFill, runProduce } from './produce-job.ts';
import { runSteady } from './steady-job.ts';

const aborter = new AbortController();
let ackGap: ((sinceMs: number) => AckGap) | undefined;

const tell = (message: FromClient): void => {
  process.send!(message);
};

const context: JobContext = {
  begin: () => tell({ kind: 'begin' }),
  measured: () => tell({ kind: 'measured' }),
  stopped: aborter.signal,
  answerAckGap: (answer) => {
    ackGap = answer;
  },
};

function run(job: Job): Promise<JobResults[keyof JobResults]> {
  switch (job.kind) {
    case 'produce':
      return runProduce(job, context);
    case 'fill':
      return runFill(job, context);
    case 'consume':
      return runConsume(job, context);
    case 'endToEnd':
      return runEndToEnd(job, context);
    case 'fixedRate':
      return runFixedRate(job, context);
    case 'steady':
      return runSteady(job, context);
    case 'members':
      return runMembers(job, context);
    case 'commits':
      return runCommits(job, context);
    case 'kafkaLoad':
      return runKafkaLoad(job, context);
  }
}

process.on('message', (message: ToClient) => {
  if (message.kind === 'stop') aborter.abort();
  else if (message.kind === 'ackGap') tell({ kind: 'ackGap', gap: ackGap!(message.sinceMs) });
  else {
    run(message.job).then(
      (result) => tell({ kind: 'done', result }),
      (error: unknown) =>
        tell({ kind: 'failed', message: error instanceof Error ? error.stack! : String(error) }),
    );
  }
});
process.on('disconnect', () => process.exit(0));

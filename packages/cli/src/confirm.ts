/** Asks a yes-or-no question on the terminal. Anything but yes, and the end of input, is no. */
import { createInterface } from 'node:readline';
import type { CliEnvironment } from './environment.ts';
import { readableSentence } from './printable.ts';

export async function confirmed(
  { stdin, stderr, interrupted }: CliEnvironment,
  question: string,
): Promise<boolean> {
  const lines = createInterface({ input: stdin });
  stderr.write(`${readableSentence(question)} [y/N] `);
  try {
    const answer = await new Promise<string>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(''));
      if (interrupted.aborted) resolve('');
      interrupted.addEventListener('abort', () => resolve(''), { once: true });
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}

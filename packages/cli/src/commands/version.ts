/** `millrace version`: which program this is, and on what it runs. */
import type { Command } from 'commander';
import { printFields } from '../column-printer.ts';
import type { Shell } from '../shell.ts';

export function versionCommand(program: Command, shell: Shell): void {
  program
    .command('version')
    .description('Print the version of millrace and of Node.js.')
    .addHelpText('after', '\nExample:\n  millrace version -o json')
    .action(
      shell.action(async (context) => {
        const { version, runtime } = context.environment;
        await context.show({
          value: { millrace: version, node: runtime },
          text: () =>
            printFields([
              ['millrace', version],
              ['node', runtime],
            ]),
          names: () => [version],
        });
      }),
    );
}

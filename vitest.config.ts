/** How tests run: on TypeScript source, through the workspace's own export condition, so that no build is needed. */
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const conditions = ['millrace-source'];

/** A suite of slow tests that run one after the other, each with the machine to itself. */
function slowSuite(name: string) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      fileParallelism: false,
      testTimeout: 120_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    projects: [
      {
        extends: true,
        // The limit ends tests that hang; how fast anything is, a busy machine cannot tell.
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 60_000,
          // Of two cores the default leaves one idle.
          maxWorkers: availableParallelism(),
        },
      },
      slowSuite('cluster'),
      slowSuite('faults'),
      slowSuite('kafka-tools'),
      slowSuite('compose'),
      slowSuite('chaos'),
      slowSuite('compat'),
      slowSuite('fuzz'),
    ],
  },
});

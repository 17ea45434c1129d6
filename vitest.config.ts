/** How tests run: on TypeScript source, through the workspace's own export condition, so that no build is needed. */
import { defineConfig } from 'vitest/config';

const conditions = ['millrace-source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['packages/*/src/**/*.test.ts', 'test/*.test.ts'] },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';

// Vitest reads the TypeScript sources (the alias below), so no build is needed for unit and integration tests;
// the tests below test/ start the built services as a user would.
export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  // An alias, not the condition `source`: that would also pick the TypeScript sources of packages that ship some.
  resolve: {
    alias: [{ find: /^#libs\/(.+)$/, replacement: `${import.meta.dirname}/libs/$1/src/index.ts` }],
  },
  test: {
    setupFiles: ['reflect-metadata'],
    reporters: ['default', './test/reporting/closing-line.reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['{apps,libs}/*/src/**/*.spec.ts', 'apps/*/web/src/**/*.spec.ts', 'test/{requirements,reporting}*/**/*.spec.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{apps,libs}/*/src/**/*.it-spec.ts', 'test/crash/**/*.it-spec.ts'],
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/{e2e,faults,browser,conformance,real,security}/**/*.it-spec.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

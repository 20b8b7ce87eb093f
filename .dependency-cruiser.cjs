/** Dependencies point one way: apps → libs; libs/protocol imports nothing of ours; no app imports another app. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'libs-never-import-apps', severity: 'error', from: { path: '^libs/' }, to: { path: '^apps/' } },
    {
      name: 'no-app-imports-another-app',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    { name: 'protocol-stands-alone', severity: 'error', from: { path: '^libs/protocol/', pathNot: 'spec\\.ts$' }, to: { path: '^(libs/(?!protocol)|node_modules)' } },
    {
      name: 'harness-stays-small',
      comment: 'An idle harness must stay under 60 MB, so it imports Node itself and libs/protocol only.',
      severity: 'error',
      from: { path: '^apps/harness/src', pathNot: '(spec\\.ts$|/testing/)' },
      to: { path: '^(node_modules|libs/(?!protocol))' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^dist/|node_modules/.cache)' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['source', 'import', 'node', 'default'] },
  },
};

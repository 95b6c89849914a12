/**
 * Imports point one way: cli -> runtime, compiler, report -> workflows (types only), activities -> science, artifacts, datasets; science ->
 * compute. Each rule names what a room must not import.
 */
const only = (room, allowed) => ({
  name: `${room}-imports`,
  comment: `${room}/ may import ${allowed.length > 0 ? allowed.join(', ') : 'no other room'}.`,
  severity: 'error',
  from: { path: `^${room}/` },
  to: {
    path: '^(cli|runtime|compiler|report|workflows|activities|science|artifacts|datasets|compute|schemas|packages|bench|test)/',
    pathNot: `^(${[room, ...allowed].join('|')})/`,
  },
});

/** Rooms within a room, in the order in which they build on each other: none imports one that comes after it. */
const inOrder = (room, names) =>
  names.slice(0, -1).map((name, index) => ({
    name: `${room}-${name}-imports`,
    comment: `${room}/${name}/ builds on ${names.slice(0, index).join(', ') || 'nothing'} of ${room}/.`,
    severity: 'error',
    from: { path: `^${room}/${name}/` },
    to: { path: `^${room}/(${names.slice(index + 1).join('|')})/` },
  }));

module.exports = {
  forbidden: [
    ...inOrder('compiler', [
      'diagnostics',
      'schema',
      'source',
      'expressions',
      'spec',
      'matrix',
      'plan',
      'docs',
    ]),
    ...inOrder('activities', ['kinds', 'processes', 'engine', 'stage-parts', 'stages']),
    ...inOrder('compute', ['graph', 'kernels', 'gradients']),
    ...inOrder('runtime', ['setup', 'seal', 'server', 'watching', 'workers', 'study', 'cost', 'storage']),
    ...inOrder('artifacts', ['arrow', 'store', 'keeping']),
    ...inOrder('report/figures', ['drawing', 'kinds']),
    ...inOrder('cli', ['output', 'checks', 'progress', 'storage', 'run', 'commands']),
    only('cli', ['runtime', 'compiler', 'report', 'workflows', 'artifacts']),
    only('runtime', ['activities', 'workflows', 'compiler', 'artifacts', 'compute']),
    only('report', ['workflows', 'compiler', 'artifacts', 'science']),
    only('activities', ['workflows', 'compiler', 'science', 'artifacts', 'datasets', 'compute', 'schemas']),
    only('workflows', ['compiler', 'artifacts']),
    only('compiler', ['artifacts', 'schemas']),
    only('datasets', ['artifacts', 'science', 'schemas']),
    only('artifacts', []),
    only('science', ['compute']),
    only('compute', []),
    only('bench', ['science', 'compute', 'artifacts', 'runtime', 'report']),
    // The generator is a program of its own, which asks the rooms above for what it writes.
    {
      ...only('schemas', ['artifacts']),
      from: { path: '^schemas/', pathNot: '^schemas/(generate|kind-files|models-page)\\.ts$' },
    },
    only('packages', []),
    {
      name: 'science-index-is-for-outside',
      comment:
        'science/index.ts is the entry of @epochal/curvature; within the project the files themselves are imported.',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^science/index\\.ts$' },
    },
    {
      name: 'workflows-are-types-elsewhere',
      comment:
        'Workflow code runs in its sandbox only. Outside, workflows/ gives types and the constants of messages.ts.',
      severity: 'error',
      from: { pathNot: '^(workflows|test)/' },
      to: { path: '^workflows/(?!messages)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-are-deterministic',
      comment: 'A workflow must not reach the file system, the network or the clock.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(node_modules|dist|\\.epochal|\\.cache)/' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.json'] },
    tsConfig: { fileName: 'tsconfig.json' },
  },
};

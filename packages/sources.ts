/** What is published: each package is compiled from the rooms in place, with all that its entries import. */
export interface PackageSource {
  readonly name: string;
  /** Its folder below `dist/`. */
  readonly folder: string;
  readonly description: string;
  /** Files, as patterns of tsconfig.json, from which everything else is found. */
  readonly entries: readonly string[];
  /** Files and folders that go in as they are; `from: to` where the name changes. */
  readonly copied: Readonly<Record<string, string>>;
  /** Dependencies that no import names, beside those that are found. */
  readonly more?: 'all';
  /** Further fields of its package.json. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const index = { types: './science/index.d.ts', default: './science/index.js' };

export const curvature: PackageSource = {
  name: '@epochal/curvature',
  folder: 'curvature',
  description:
    'Exact Hessian-vector products, Hessian eigenpairs with certificates and SGD with TensorFlow.js, for losses and networks of your own.',
  entries: ['science/index.ts'],
  copied: { LICENSE: 'LICENSE', 'docs/library.md': 'README.md' },
  fields: {
    keywords: ['hessian', 'lanczos', 'eigenvalues', 'sgd', 'tensorflow'],
    exports: { '.': index, './package.json': './package.json' },
    sideEffects: false,
  },
};

export const program: PackageSource = {
  name: 'epochal',
  folder: 'epochal',
  description: 'Durable, declarative studies of the noise in epoch-based SGD.',
  entries: [
    'cli/epochal.mjs',
    'runtime/setup/main.mjs',
    'runtime/probe-tensorflow.ts',
    'runtime/workers/worker-process.ts',
    'activities/processes/compute-process.ts',
    'activities/stages/*.ts',
    'activities/kinds/public.ts',
    'workflows/index.ts',
    'workflows/seals.ts',
    'workflows/traces.ts',
  ],
  copied: {
    LICENSE: 'LICENSE',
    'README.md': 'README.md',
    pipelines: 'pipelines',
    'runtime/setup/go': 'runtime/setup/go',
    schemas: 'schemas',
  },
  // Some are used by their files, or keep others at one version.
  more: 'all',
  fields: {
    keywords: ['sgd', 'hessian', 'temporal', 'tensorflow', 'arrow'],
    bin: { epochal: 'cli/epochal.mjs' },
    exports: {
      './kinds': { types: './activities/kinds/public.d.ts', default: './activities/kinds/public.js' },
      './package.json': './package.json',
      './schemas/*': './schemas/*',
    },
  },
};

export const packageSources = [curvature, program];

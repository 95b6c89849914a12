/** What lies in deploy/, as far as no other program is needed to see whether it can be right; `npm run check:deploy` asks the linters of others. */
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createProgram } from '../../cli/main.ts';
import { milliseconds } from '../../compiler/duration.ts';

const root = path.join(import.meta.dirname, '..', '..');
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: unknown;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
}

const composeText = read('deploy/compose/compose.yaml');
const compose = parse(composeText, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};

interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly resources: {
    readonly requests: Readonly<Record<string, unknown>>;
    readonly limits: Readonly<Record<string, unknown>>;
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly securityContext: { readonly allowPrivilegeEscalation: boolean };
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsNonRoot: boolean; readonly runAsUser: number };
        readonly containers: readonly [Container];
        readonly volumes: readonly {
          readonly name: string;
          readonly secret?: { readonly secretName: string; readonly defaultMode: number };
        }[];
      };
    };
  };
}

// As Kubernetes reads it, for which 0440 is octal.
const documentsOf = (file: string) =>
  parseAllDocuments(read(file), { version: '1.1' }).map((document) => document.toJS() as Manifest);
const kustomization = parse(read('deploy/kubernetes/kustomization.yaml')) as {
  readonly resources: readonly string[];
};
const manifests = kustomization.resources.flatMap((file) => documentsOf(`deploy/kubernetes/${file}`));
const deployments = manifests.filter(({ kind }) => kind === 'Deployment');

/** Parses a command line as the program does, and gives its options. Throws what the program would say. */
async function optionsOf([name, ...words]: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const program = await createProgram(name);
  program.configureOutput({ writeErr: () => undefined });
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) throw new Error(`There is no command ${name}.`);
  const { unknown } = command.parseOptions([...words]);
  if (unknown.length > 0) throw new Error(`${name} has no ${unknown.join(' ')}`);
  return command.opts();
}

/** Every command line that a file has, without `npx epochal` and without comments. */
function commandLinesIn(text: string): string[][] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ');
  return Array.from(
    joined.matchAll(/(?:npx epochal|run --rm submit|exec epochal) ([a-z].*?)(?: +#.*|`.*)?$/gm),
    ([, words]) =>
      words!
        .split(/ *[|>&]/)[0]!
        .trim()
        .split(/\s+/)
        .map((word) => word.replaceAll(/^['"]|['"]$/g, '')),
  );
}

describe('the command lines are those of the program', () => {
  const lines = [
    ...Object.entries(compose.services).flatMap(([name, { image, command }]) =>
      image.startsWith('epochal') ? [[`compose, ${name}`, command!] as const] : [],
    ),
    ...deployments.map(
      ({ metadata, spec }) =>
        [`kubernetes, ${metadata.name}`, spec.template.spec.containers[0].args!] as const,
    ),
    ...[
      'deploy/compose/compose.yaml',
      'docs/cluster.md',
      ...globSync('deploy/slurm/*', { cwd: root }),
    ].flatMap((file) =>
      commandLinesIn(read(file)).map((words) => [`${file}: ${words.join(' ')}`, words] as const),
    ),
    ['Dockerfile', JSON.parse(/^CMD (\[.*\])$/m.exec(read('deploy/Dockerfile'))![1]!) as string[]] as const,
  ];
  test.each(lines)('%s', async (_name, words) => void (await optionsOf(words)));

  test('and there are some', () => expect(lines.length).toBeGreaterThan(10));

  test('where one is not, that is seen', async () => {
    await expect(optionsOf(['worker', '--drian', '10m'])).rejects.toThrow('worker has no --drian');
    await expect(optionsOf(['worker', '--drain', 'long'])).rejects.toThrow(/long/);
  });
});

describe('a worker that is told to stop has longer than it needs', () => {
  const drainOf = async (words: readonly string[]) => Number((await optionsOf(words)).drain);

  test.each(Object.entries(compose.services).filter(([name]) => name.startsWith('worker')))(
    'compose, %s',
    async (_name, service) => {
      expect(milliseconds(service.stop_grace_period!)).toBeGreaterThanOrEqual(
        (await drainOf(service.command!)) + 30_000,
      );
    },
  );
  test.each(deployments.map((each) => [each.metadata.name, each.spec.template.spec] as const))(
    'kubernetes, %s',
    async (_name, spec) => {
      expect(1000 * spec.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
        (await drainOf(spec.containers[0].args!)) + 30_000,
      );
    },
  );
});

describe('Compose', () => {
  test('nothing is reached from outside', () => {
    for (const [name, { networks, network_mode: mode, ports }] of Object.entries(compose.services)) {
      expect(ports, name).toBeUndefined();
      if (mode !== 'none') expect(networks, name).toEqual(['inside']);
    }
    expect(compose.networks).toEqual({ inside: { internal: true } });
  });

  test('every image has a version', () => {
    for (const { image } of Object.values(compose.services))
      expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+[\w.-]*$/);
  });

  test('no secret stands in it: they are asked for, from files or the environment', () => {
    const secrets = Object.values(compose.services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|PWD|SECRET|ACCESS_KEY/.test(name)),
    );
    expect(secrets.length).toBeGreaterThan(6);
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{\w+:\?.+\}$/);
    for (const { file } of Object.values(compose.secrets)) expect(file).toMatch(/^\.\/secrets\//);
    expect(read('.gitignore')).toMatch(/^deploy\/compose\/secrets\/$/m);
    expect(read('.gitignore')).toMatch(/^\.env$/m);
    const named = new Set(composeText.match(/(?<=\$\{)\w+(?=:\?)/g));
    for (const name of named)
      expect(read('deploy/compose/example.env')).toMatch(new RegExp(`^${name}=$`, 'm'));
  });
});

describe('Kubernetes', () => {
  test('every file is among the resources', () => {
    const files = globSync('deploy/kubernetes/*.yaml', { cwd: root }).map((file) => path.basename(file));
    expect([...kustomization.resources, 'kustomization.yaml'].sort()).toEqual(files.sort());
  });

  test.each(deployments.map((each) => [each.metadata.name, each] as const))(
    '%s is watched, bounded, and closed',
    (name, { spec }) => {
      const { containers, securityContext, volumes } = spec.template.spec;
      const [worker] = containers;
      expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
      expect(worker.livenessProbe!.httpGet.path).toBe('/health');
      expect(worker.readinessProbe!.httpGet.path).toBe('/ready');
      expect(worker.resources.limits.memory).toBe(worker.resources.requests.memory);
      expect(worker.resources.limits['nvidia.com/gpu']).toBe(name === 'worker-gpu' ? 1 : undefined);
      expect(worker.args).toContain(String(worker.resources.requests.cpu));
      expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
      expect(worker.securityContext.allowPrivilegeEscalation).toBe(false);
      const secrets = volumes.flatMap(({ secret }) => (secret === undefined ? [] : [secret]));
      expect(secrets.map(({ secretName }) => secretName).sort()).toEqual(['epochal-key', 'epochal-tls']);
      for (const { defaultMode } of secrets) expect(defaultMode).toBe(0o440);
      // What a volume is named for is there, and what is read of it is mounted.
      const mounts = worker.volumeMounts.map((mount) => mount.mountPath);
      const files = [...worker.args!, ...worker.env!.map(({ value }) => value ?? '')].filter((word) =>
        /^\/[a-z]/.test(word),
      );
      expect(files.length).toBeGreaterThan(3);
      for (const file of files)
        expect(
          mounts.some((mount) => file.startsWith(mount)),
          file,
        ).toBe(true);
      for (const { name: volume } of worker.volumeMounts)
        expect(volumes.map((each) => each.name)).toContain(volume);
    },
  );

  test('a disruption takes some of them at a time', () => {
    const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets.map(({ spec }) => spec.selector)).toEqual(deployments.map(({ spec }) => spec.selector));
  });
});

test('the image runs as nobody that matters, with what it needs of the project', () => {
  const text = read('deploy/Dockerfile');
  const last = text.slice(text.lastIndexOf('\nFROM '));
  expect(last.match(/^USER .*$/gm)).toEqual(['USER 1000:1000']);
  expect(last).toMatch(/^HEALTHCHECK .*\/opt\/epochal\/deploy\/health\.mjs/m);
  for (const [, image] of text.matchAll(/^ARG \w+_IMAGE=(.*)$/gm)) expect(image).toMatch(/:\d+\.\d+\.\d+/);
  // The Node that the set-up would fetch is the one that is there.
  expect(text).toContain(`node:${/VERSION = '([\d.]+)'/.exec(read('runtime/setup/node.mjs'))![1]}-`);
  const kept = read('.dockerignore').match(/(?<=^!).*$/gm)!;
  const rooms = [
    'activities',
    'artifacts',
    'cli',
    'compiler',
    'compute',
    'datasets',
    'report',
    'runtime',
    'schemas',
    'science',
    'workflows',
  ];
  for (const room of [...rooms, 'package-lock.json', 'deploy/health.mjs']) expect(kept).toContain(room);
  expect(read('.dockerignore')).toMatch(/^\*$/m);
});

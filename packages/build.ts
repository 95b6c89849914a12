/**
 * Builds the packages that are published, `npm run build`: JavaScript and declarations from the rooms in place, a package.json of their own, and a
 * tarball each, all in `dist/`. Names of packages as arguments build only those; prints the paths of the tarballs.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { type PackageSource, packageSources } from './sources.ts';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '..');

interface RootManifest {
  readonly version: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as RootManifest;

/** Builds one package below `dist` and gives the path of its tarball. */
export async function buildPackage(source: PackageSource, dist: string): Promise<string> {
  const folder = path.join(dist, source.folder);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [from, to] of Object.entries(source.copied))
    cpSync(path.join(root, from), path.join(folder, to), {
      recursive: true,
      filter: (file) => !file.endsWith('.ts'),
    });
  await compile(source, folder, path.join(dist, `tsconfig.${source.folder}.json`));
  writeJson(path.join(folder, 'package.json'), {
    name: source.name,
    version: manifest.version,
    description: source.description,
    license: manifest.license,
    type: 'module',
    engines: manifest.engines,
    ...source.fields,
    dependencies: source.more === 'all' ? manifest.dependencies : dependenciesOf(folder),
    ...(source.more === 'all' ? { optionalDependencies: manifest.optionalDependencies } : {}),
  });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', dist], { cwd: folder });
  return path.join(dist, tarballOf(stdout));
}

async function compile({ entries }: PackageSource, folder: string, config: string): Promise<void> {
  writeJson(config, {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      rootDir: root,
      outDir: folder,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      typeRoots: [path.join(root, 'node_modules', '@types')],
    },
    include: entries.map((entry) => path.join(root, entry)),
    exclude: [],
  });
  try {
    await run(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', config], { maxBuffer: 1 << 26 });
  } catch (error) {
    throw new Error(`It does not compile:\n${(error as { stdout: string }).stdout}`);
  }
}

/** The packages that the compiled files name, in the versions of the project. */
function dependenciesOf(folder: string): Record<string, string> {
  const text = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(js|ts)$/.test(name))
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
  return Object.fromEntries(
    Object.entries(manifest.dependencies).filter(([name]) =>
      [`'${name}'`, `'${name}/`].some((mention) => text.includes(mention)),
    ),
  );
}

/** npm answers with a list, or since version 12 with an object by name. */
function tarballOf(answer: string): string {
  const packed = Object.values(JSON.parse(answer) as Record<string, { readonly filename: string }>);
  return packed[0]!.filename.replace('@', '').replace('/', '-');
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  for (const source of packageSources)
    if (names.length === 0 || names.includes(source.name))
      console.log(path.relative(process.cwd(), await buildPackage(source, path.join(root, 'dist'))));
}

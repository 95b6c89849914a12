import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defaultPayloadConverter, type SerializationContext } from '@temporalio/common';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { closeHome, findHome, type Home, openHome } from '../../../runtime/home.ts';
import { readKey } from '../../../runtime/seal/home-key.ts';
import { sealingCodec } from '../../../runtime/seal/sealing-codec.ts';
import { rememberStore, servedStores } from '../../../runtime/seal/served-stores.ts';
import { bundleWorkflows } from '../../../runtime/workers/workflow-bundle.ts';
import { isRefusal } from '../../../workflows/messages.ts';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.warn('NOT ROOT: what belongs to another user was not tried.');

let folder: string;
let home: Home;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'epochal-test-'));
  home = findHome(path.join(folder, 'home'), '');
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

describe('a home', () => {
  test('is made for its user only, its key too', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const umask = process.umask(0);
    readKey(home);
    await rememberStore(home, '/a/store');
    process.umask(umask);
    expect(await modeOf(home.folder)).toBe(0o700);
    expect(await modeOf(home.key)).toBe(0o600);
    expect(await modeOf(home.stores)).toBe(0o600);
    expect((await readdir(home.folder)).sort()).toEqual(['key', 'stores']);
    // Never open, so that there is nothing to close.
    expect(said).not.toHaveBeenCalled();
  });

  test('that was open to others is closed, and that is said', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await mkdir(home.folder, { mode: 0o755 });
    await chmod(home.folder, 0o777);
    closeHome(home);
    expect(await modeOf(home.folder)).toBe(0o700);
    expect(said.mock.calls.flat().join('')).toMatch(/was open to other users/);
    closeHome(home);
    expect(said).toHaveBeenCalledTimes(1);
  });

  test.runIf(isRoot)(
    'of another user, a link of another user, and one that another user was in are refused',
    async () => {
      await mkdir(home.folder);
      await chown(home.folder, nobody, nobody);
      expect(() => closeHome(home)).toThrow(/belongs to another user/);
      await chown(home.folder, 0, 0);
      await chmod(home.folder, 0o777);
      await writeFile(path.join(home.folder, 'server.json'), '{}');
      await chown(path.join(home.folder, 'server.json'), nobody, nobody);
      expect(() => closeHome(home)).toThrow(/server.json belongs to another user/);
      await rm(path.join(home.folder, 'server.json'));

      const { lchown } = await import('node:fs/promises');
      const link = path.join(folder, 'link');
      await symlink(home.folder, link);
      expect(() => openHome({ home: link })).not.toThrow();
      await chown(home.folder, nobody, nobody);
      expect(() => openHome({ home: link })).toThrow(/belongs to another user/);
      await chown(home.folder, 0, 0);
      await lchown(link, nobody, nobody);
      expect(() => openHome({ home: link })).toThrow(/belongs to another user/);
    },
  );

  test('is refused where others could put another in its place, and says what to do', async () => {
    const above = path.join(folder, 'above');
    const below = path.join(above, 'below');
    await mkdir(below, { recursive: true });
    const link = path.join(folder, 'link');
    await symlink('above/below', link);
    const homes = [below, link].map((place) => path.join(place, 'home'));
    for (const mode of [0o757, 0o777]) {
      await chmod(above, mode);
      for (const place of homes)
        expect(() => openHome({ home: place })).toThrow(
          expect.objectContaining({
            name: 'EnvironmentError',
            message: expect.stringContaining(`${above} can be written by other users`),
            cure: expect.stringContaining(`chmod go-w ${above}`),
          }),
        );
    }
    expect(await readdir(below)).toEqual([]);
    // Where nobody moves what is another's, and where only the user's own group writes.
    for (const mode of [0o1777, 0o755]) {
      await chmod(above, mode);
      for (const place of homes) expect(() => openHome({ home: place })).not.toThrow();
    }
    // Of a home that is a link, what it leads to counts too.
    await symlink(path.join(below, 'home'), path.join(folder, 'linked'));
    await chmod(above, 0o757);
    expect(() => openHome({ home: path.join(folder, 'linked') })).toThrow(/can be written by other users/);
  });

  test.runIf(isRoot)(
    'is refused below a folder of another user, or one that another group may write',
    async () => {
      const above = path.join(folder, 'above');
      const open = () => openHome({ home: path.join(above, 'home') });
      await mkdir(above);
      await chmod(above, 0o775);
      await chown(above, 0, nobody);
      expect(open).toThrow(/can be written by other users/);
      await chown(above, 0, 0);
      expect(open).not.toThrow();
      await chown(above, nobody, 0);
      expect(open).toThrow(`${above} belongs to another user (id ${nobody})`);
      // Nobody else could take away what is theirs, but they could.
      await chmod(above, 0o1777);
      expect(open).toThrow(/belongs to another user/);
    },
  );

  test('that cannot be made says so', async () => {
    await writeFile(path.join(folder, 'file'), '');
    for (const below of ['home', 'a/home'])
      expect(() => openHome({ home: path.join(folder, 'file', below) })).toThrow(
        /cannot be made \(ENOTDIR\)/,
      );
    await symlink('loop', path.join(folder, 'loop'));
    expect(() => openHome({ home: path.join(folder, 'loop', 'home') })).toThrow(/cannot be made \(ELOOP\)/);
  });
});

describe('the key of a home', () => {
  test('stays what it is, and every home has another', () => {
    const key = readKey(home);
    expect(key.length).toBe(32);
    expect(readKey(home)).toEqual(key);
    expect(readKey(findHome(path.join(folder, 'other'), ''))).not.toEqual(key);
  });

  test('is the one that is named', async () => {
    const key = readKey(home);
    expect(readKey(findHome(path.join(folder, 'other'), home.key))).toEqual(key);
    vi.stubEnv('EPOCHAL_KEY_FILE', home.key);
    expect(readKey(findHome(path.join(folder, 'third')))).toEqual(key);
    vi.unstubAllEnvs();
    expect(() => readKey(findHome(home.folder, path.join(folder, 'nothing')))).toThrow(
      /cannot be read \(ENOENT\)/,
    );
    await writeFile(path.join(folder, 'wrong'), 'x', { mode: 0o600 });
    expect(() => readKey(findHome(home.folder, path.join(folder, 'wrong')))).toThrow(/holds no key/);
  });

  test('is refused when others can read it', async () => {
    readKey(home);
    for (const mode of [0o640, 0o604, 0o622]) {
      await chmod(home.key, mode);
      expect(() => readKey(home)).toThrow(/can be read or changed by others/);
    }
    await chmod(home.key, 0o600);
    if (isRoot) {
      await chown(home.key, nobody, nobody);
      expect(() => readKey(home)).toThrow(/can be read or changed by others/);
    }
  });
});

test('a worker serves the stores that are named to it, else those of its home', async () => {
  await rememberStore(home, '/b/store');
  await rememberStore(home, 'file:///b/store');
  expect(await readFile(home.stores, 'utf8')).toBe('file:///b/store\n');
  const ofHome = servedStores(home, undefined);
  for (const uri of ['file:///b/store', new URL(`file://${home.store}`).href])
    expect(await ofHome(uri)).toBe(true);
  for (const uri of ['file:///b/store/', 'file:///b', '/b/store', 'file:///c', ''])
    expect(await ofHome(uri)).toBe(false);
  await rememberStore(home, '/c');
  expect(await ofHome('file:///c')).toBe(true);
  const named = servedStores(home, ['/d']);
  expect(await named('file:///d')).toBe(true);
  expect(await named('file:///c')).toBe(false);
});

describe('a seal', () => {
  const place: SerializationContext = {
    type: 'activity',
    namespace: 'default',
    workflowId: 'w',
    activityId: '1',
    isLocal: false,
  };
  const key = Buffer.alloc(32, 1);
  const codec = sealingCodec(key, 'throw');
  const payloadOf = (value: unknown) => defaultPayloadConverter.toPayload(value)!;

  test('leaves every value as it is, and readable', async () => {
    await fc.assert(
      fc.asyncProperty(fc.option(fc.jsonValue(), { nil: undefined }), async (value) => {
        const payload = payloadOf(value);
        const [sealed] = await codec.encode([payload], place);
        expect(Buffer.from(sealed!.data ?? []).equals(Buffer.from(payload.data ?? []))).toBe(true);
        expect(await codec.decode([sealed!], place)).toEqual([
          { metadata: payload.metadata, data: payload.data ?? null },
        ]);
      }),
    );
  });

  test('hides every value from who has no key, if it is to, and shows it to all that have', async () => {
    const hiding = sealingCodec(key, 'throw', true);
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.jsonValue(), { nil: undefined }),
        fc.string({ minLength: 8 }),
        async (value, text) => {
          const payload = payloadOf({ value, text });
          const [hidden] = await hiding.encode([payload], place);
          expect(Buffer.from(hidden!.data!).includes(text)).toBe(false);
          expect(Buffer.from(hidden!.metadata!.encoding!).toString()).toBe('binary/encrypted');
          const [shown] = await codec.decode([hidden!], place);
          expect(defaultPayloadConverter.fromPayload(shown!)).toEqual(
            defaultPayloadConverter.fromPayload(payload),
          );
        },
      ),
    );
    const [once, again] = await hiding.encode([payloadOf('a'), payloadOf('a')], place);
    expect(once!.data).not.toEqual(again!.data);
  });

  test.each([false, true])(
    'is broken by any change, in any other place, and by another key (hidden: %s)',
    async (hides) => {
      const [sealed] = await sealingCodec(key, 'throw', hides).encode([payloadOf({ a: 1 })], place);
      const { metadata, data } = sealed!;
      const refuse = async (payload: typeof sealed, context: SerializationContext | undefined = place) => {
        await expect(codec.decode([payload!], context)).rejects.toMatchObject({ name: 'RefusedError' });
        const [marked] = await sealingCodec(key, 'mark').decode([payload!], context);
        expect(isRefusal(defaultPayloadConverter.fromPayload(marked!))).toBe(true);
      };
      await refuse(payloadOf({ a: 1 }));
      await refuse({ metadata: metadata!, data: Buffer.from('{"a":2}') });
      await refuse({ metadata: { ...metadata, encoding: Buffer.from('binary/plain') }, data: data! });
      await refuse({ metadata: { ...metadata, more: Buffer.from('') }, data: data! });
      await refuse({ metadata: { ...metadata, 'epochal-seal': Buffer.alloc(32) }, data: data! });
      await refuse({ metadata: { ...metadata, 'epochal-seal': Buffer.alloc(0) }, data: data! });
      await refuse(sealed, { ...place, activityId: '2' });
      await refuse(sealed, { ...place, workflowId: 'v' });
      await refuse(sealed, { ...place, namespace: 'other' });
      await refuse(sealed, { type: 'workflow', namespace: 'default', workflowId: 'w' });
      const others = sealingCodec(Buffer.alloc(32, 2), 'throw');
      await expect(others.decode([sealed!], place)).rejects.toMatchObject({ name: 'RefusedError' });
      await expect(codec.decode([sealed!], undefined)).rejects.toMatchObject({ name: 'RefusedError' });
    },
  );
});

test('workflow code that another has put into the home is not run', async () => {
  const { code } = await bundleWorkflows(home);
  const [name] = await readdir(home.bundles);
  const file = path.join(home.bundles, name!);
  const kept = await readFile(file, 'utf8');
  await appendFile(file, 'attack();');
  expect((await bundleWorkflows(home)).code).not.toContain('attack();');
  expect(await readFile(file, 'utf8')).not.toContain('attack();');
  await writeFile(file, `${kept.split('\n')[0]}\n${code.slice(0, 1000)}`);
  expect((await bundleWorkflows(home)).code.length).toBe(code.length);
  expect(await modeOf(file)).toBe(0o600);
});

test('a new home takes the workflow code from the cache, unless others can write it', async () => {
  vi.stubEnv('EPOCHAL_CACHE', path.join(home.folder, 'cache'));
  const { code } = await bundleWorkflows(home);
  const folder = path.join(home.folder, 'cache', 'workflows');
  const file = path.join(folder, (await readdir(folder))[0]!);
  expect(await readFile(file, 'utf8')).toBe(code);
  await writeFile(file, `${code}// the cache's`);
  const next = openHome({ home: path.join(home.folder, 'next') });
  expect((await bundleWorkflows(next)).code).toBe(`${code}// the cache's`);
  await chmod(file, 0o666);
  const last = openHome({ home: path.join(home.folder, 'last') });
  expect((await bundleWorkflows(last)).code).toBe(code);
  expect(await readFile(file, 'utf8')).toBe(code);
});

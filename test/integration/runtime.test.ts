import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openStore } from '../../artifacts/store/open-store.ts';
import { findHome, type Home } from '../../runtime/home.ts';
import { findFreePort } from '../../runtime/server/ports.ts';
import { startServer } from '../../runtime/server/server.ts';
import { isAlive } from '../../runtime/server/server-process.ts';
import { connect, createClient, findStudy, startStudy } from '../../runtime/study/client.ts';
import { startRuntime } from '../../runtime/workers/supervisor.ts';
import { copyBundledHome } from '../bundled-home.ts';
import { createGate } from '../fixtures/gate.ts';
import { until } from '../fixtures/local-study.ts';
import { plannedCell, plannedStage, planOf } from '../fixtures/plans.ts';

let home: Home;

beforeAll(async () => {
  process.env.EPOCHAL_STAGE_MODULES = path.join(import.meta.dirname, '..', 'fixtures', 'stages');
  home = findHome(copyBundledHome(await mkdtemp(path.join(tmpdir(), 'epochal-test-'))));
});
afterAll(() => rm(home.folder, { recursive: true, force: true, maxRetries: 20 }));

describe('the embedded server', () => {
  test('serves its web UI, is found again, and lives as long as it has a user', async () => {
    const server = await startServer({ home });
    expect(server.reused).toBe(false);
    expect((await fetch(server.uiUrl)).status).toBe(200);

    const same = await startServer({ home });
    expect(same).toMatchObject({ reused: true, pid: server.pid, address: server.address });
    await server.stop();
    expect(isAlive(server.pid)).toBe(true);
    await same.stop();
    await expect.poll(() => isAlive(server.pid)).toBe(false);
  });

  test('has its database in the home, whatever the name of the folder means in a URI', async () => {
    const odd = findHome(path.join(home.folder, 'what? 20%20 #1 & <häuschen>'));
    const server = await startServer({ home: odd });
    await server.stop();
    expect(await readdir(odd.folder)).toContain('temporal.db');
    expect((await readdir(home.folder)).filter((name) => name.startsWith('what'))).toHaveLength(1);
    const again = await startServer({ home: odd });
    expect(again).toMatchObject({ reused: false, address: server.address });
    const same = await startServer({ home: odd });
    expect(same).toMatchObject({ reused: true, pid: again.pid });
    await same.stop();
    await again.stop();
  });

  test('is reached although the environment names a proxy', async () => {
    for (const name of ['http_proxy', 'https_proxy', 'grpc_proxy']) vi.stubEnv(name, 'http://127.0.0.1:9');
    const server = await startServer({ home });
    const connection = await connect(server);
    expect((await connection.workflowService.getSystemInfo({})).serverVersion).toMatch(/\d/);
    await connection.close();
    await server.stop();
    vi.unstubAllEnvs();
  });

  test('takes no task to a worker that stops: its polls are given back first', async () => {
    const server = await startServer({ home });
    const connection = await connect(server);
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace: 'default' });
    expect(namespaceInfo?.capabilities).toMatchObject({ workerPollCompleteOnShutdown: true });
    await connection.close();
    await server.stop();
  });

  test('comes back at the same port after kill -9', async () => {
    const server = await startServer({ home });
    process.kill(server.pid, 'SIGKILL');
    await server.died;
    const again = await startServer({ home });
    expect(again).toMatchObject({ reused: false, address: server.address, uiUrl: server.uiUrl });
    await server.stop();
    await again.stop();
  });

  test('that ends while another run begins is there for that one', async () => {
    let server = await startServer({ home });
    for (let round = 0; round < 5; round++) {
      const [next] = await Promise.all([startServer({ home }), server.stop()]);
      const connection = await connect(next);
      await connection.workflowService.getSystemInfo({});
      await connection.close();
      server = next;
    }
    // The other way round: the end has begun, and nobody else has registered yet.
    for (let round = 0; round < 5; round++) {
      const ended = server.stop();
      server = await startServer({ home });
      await ended;
      const connection = await connect(server);
      await connection.workflowService.getSystemInfo({});
      await connection.close();
    }
    await server.stop();
  });

  test('is away while a connection is closed: what is tried again on it ends as cancelled', async () => {
    const server = await startServer({ home });
    const connection = await connect(server);
    process.kill(server.pid, 'SIGKILL');
    await server.died;
    const call = connection.workflowService.getSystemInfo({});
    await connection.close();
    await expect(call).rejects.toMatchObject({ code: 1, details: 'The connection was closed.' });
    await server.stop();
  });

  test('says what to do when the port is in use', async () => {
    const other = createServer();
    const port = await findFreePort();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    await expect(startServer({ home, port })).rejects.toMatchObject({
      name: 'EnvironmentError',
      message: `Port ${port} is in use by another program.`,
      cure: expect.stringContaining('--address'),
    });
    other.close();
  });

  test('says what to do when it already runs at another port', async () => {
    const server = await startServer({ home });
    await expect(startServer({ home, port: await findFreePort() })).rejects.toThrow(/already runs, on port/);
    await server.stop();
  });

  test('shows the end of its log when it does not come up', async () => {
    const broken = findHome(path.join(home.folder, 'broken'));
    vi.stubEnv('TEMPORAL_BIN', path.join(import.meta.dirname, '..', 'fixtures', 'broken-temporal.sh'));
    await expect(startServer({ home: broken })).rejects.toThrow(
      /did not come up[\s\S]*cannot open the database/,
    );
    vi.unstubAllEnvs();
  });
});

describe('the runtime', () => {
  test('continues an open study after everything was stopped, as after a reboot', async () => {
    const stage = plannedStage('slow', 'counter', { steps: 60, seed: 3 });
    const gate = createGate(path.join(home.folder, 'gate'));
    Object.assign(process.env, gate.environment);
    gate.hold(6);
    const plan = planOf('rebooted', [plannedCell('main', {}, [stage])]);
    const storeUri = pathToFileURL(home.store).href;
    const launch = async () => {
      const runtime = await startRuntime({ home, onEvent: () => undefined });
      const connection = await connect(runtime.place);
      const study = await startStudy({
        client: createClient(home, connection),
        plan,
        storeUri,
        baseDirectory: home.folder,
      });
      return { runtime, connection, study };
    };
    const before = await launch();
    const live = await until(async () => (await before.study.cells())[0]?.live.find(({ done }) => done > 5));
    await before.connection.close();
    await before.runtime.stop();
    gate.release();
    await expect.poll(() => isAlive(Number(live.message!.replace('process ', '')))).toBe(false);

    const after = await launch();
    expect(after.study.attached).toBe(true);
    expect(await after.study.result()).toMatchObject({ status: 'succeeded', stagesRun: 1 });
    const cell = await (await openStore(home.store)).readText(
      `studies/${after.study.studyId}/cells/main.json`,
    );
    expect(cell).toMatch(/continued from step \d+/);

    const found = await findStudy(createClient(home, after.connection), storeUri, after.study.studyId);
    expect((await found.result()).status).toBe('succeeded');
    await expect(findStudy(createClient(home, after.connection), storeUri, 'nothing-00')).rejects.toThrow(
      'The server knows of no study nothing-00.',
    );
    await after.connection.close();
    await after.runtime.stop();
  });

  test('waits out a server that is away, up to a limit', async () => {
    const server = await startServer({ home });
    const connection = await connect(server);
    const plan = planOf('stranded', [
      plannedCell('main', {}, [plannedStage('work', 'counter', { steps: 1, seed: 1 })]),
    ]);
    const storeUri = pathToFileURL(home.store).href;
    const study = await startStudy({
      client: createClient(home, connection),
      plan,
      storeUri,
      baseDirectory: home.folder,
    });
    const result = study.result({ outageLimitMs: 2000 });
    process.kill(server.pid, 'SIGKILL');
    await expect(result).rejects.toMatchObject({
      name: 'EnvironmentError',
      message: expect.stringContaining('has not answered'),
      cure: expect.stringContaining('not lost'),
    });
    await connection.close();
    await server.stop();
    await expect(connect(server, { connectTimeoutMs: 500 })).rejects.toThrow(/No Temporal server answers/);
  });
});

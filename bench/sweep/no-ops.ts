/**
 * Temporal's own rate: one workflow that runs activities X
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { findHome } from '../../runtime/home.ts';
import { connect } from '../../runtime/server/connection.ts';
import { startServer } from '../../runtime/server/server.ts';

const [count, atOnce, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]!];
const taskQueue = 'no-ops';
const ends: number[] = [];
const activities = {
  async nothing() {
    ends.push(Date.now() / 1000);
  },
};

const logger = new DefaultLogger('WARN');
Runtime.install({ logger });
const server = await startServer({ home: findHome(path.join(folder, 'home')) });
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: path.join(import.meta.dirname, 'no-ops-workflow.ts'),
  logger,
});
const connection = await NativeConnection.connect({ address: server.address });
const worker = await Worker.create({ connection, taskQueue, workflowBundle, activities });
const clientConnection = await connect(server);
const client = new Client({ connection: clientConnection });
await worker.runUntil(
  client.workflow.execute('noOps', { taskQueue, workflowId: 'no-ops', args: [{ count, atOnce }] }),
);
await clientConnection.close();
await connection.close();
await server.stop();
writeFileSync(path.join(folder, 'ends.json'), JSON.stringify(ends));

import { constants } from 'node:buffer';
import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import { compilePriority, type Priority } from '@temporalio/common';
import { DamagedRecordError, EnvironmentError, InputError, RefusedError } from '../../artifacts/errors.ts';
import { awaitSweeps } from '../../artifacts/keeping/sweeps.ts';
import { studyRecordName } from '../../artifacts/store/names.ts';
import { openStore } from '../../artifacts/store/open-store.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { digestOf } from '../../compiler/plan/recipe.ts';
import type { Plan } from '../../compiler/plan.ts';
import { type StudyInput, type TaskQueue, workflowIdOf, workflowVersion } from '../../workflows/messages.ts';
import { createStudyHandle, type StudyHandle } from './study-handle.ts';

export { connect, createClient } from '../server/connection.ts';
export type { LiveCell, LiveStage, LiveStages } from './live-stages.ts';
export type { StudyHandle } from './study-handle.ts';
export type { StudyEvent, StudySnapshot, StudyWatch } from './study-watch.ts';

export interface StartStudyOptions {
  readonly client: Client;
  readonly plan: Plan;
  readonly storeUri: string;
  /** Folder of the pipeline file, against which dataset locations are resolved. */
  readonly baseDirectory: string;
  /** Cells at the same time, if the plan does not say; default: 4. */
  readonly maxParallel?: number;
  /** 1 (first) to 5 (last): whose stages the workers take first. Default: as an open study has it, else 3. */
  readonly priority?: number;
  /** The command line, kept with the study. */
  readonly command?: readonly string[];
  /** Events after which a workflow's history is cut; default: when the server suggests it. */
  readonly historyLimit?: number;
}

/** What lies in `studies/<id>/study.json`. */
export interface StudyRecord {
  readonly studyId: string;
  readonly name: string;
  /** When the study was launched for the first time. */
  readonly createdAt: string;
  /** When it was launched last. */
  readonly startedAt: string;
  readonly command: readonly string[];
  /** Absent in an export. */
  readonly baseDirectory?: string;
  /** How many there are in the plan; older records do not say. */
  readonly cells?: number;
}

/**
 * Name of a study: that of its pipeline and the digest of its plan, so that launching the same plan again goes on with the same study. Throws
 * {@link InputError} if the plan is longer than a text, and thus a record of the store, may be.
 */
export function studyIdOf(plan: Plan): string {
  try {
    return `${plan.name}-${digestOf(plan).slice(0, 10)}`;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [cells, most] = [plan.cells.length, Math.floor(constants.MAX_STRING_LENGTH / 1e6)];
    throw new InputError(
      `The plan of these ${cells.toLocaleString('en-US')} cells is longer than ${most} MB, which is the most that a study can be.`,
      'Split the matrix into several studies, or shorten the settings that every cell repeats.',
    );
  }
}

/**
 * Launches a plan. A study of the same plan that is still open is attached to, and goes on if it was stopped or paused; one that has ended is
 * started again and reuses every step that is finished.
 *
 * Throws {@link EnvironmentError} if the open study writes to another store, or the store cannot be written.
 */
export async function startStudy(options: StartStudyOptions): Promise<StudyHandle> {
  const { client, plan, baseDirectory, historyLimit } = options;
  const store = await openStore(options.storeUri);
  // The same place for every process, whatever its working directory is and however the user wrote it.
  const storeUri = store.uri;
  const studyId = studyIdOf(plan);
  const input: StudyInput = {
    studyId,
    storeUri,
    baseDirectory,
    cells: plan.cells.length,
    maxParallel: plan.maxParallel ?? options.maxParallel ?? 4,
    failFast: plan.failFast,
    minSuccess: plan.minSuccess,
    ...(historyLimit === undefined ? {} : { historyLimit }),
  };
  for (let renewed = false; ; ) {
    // Each time: what was written while another launch ran would seem to be over with it, and a sweep that was waited for may have taken it.
    do await writeRecords(store, studyId, options);
    while (await awaitSweeps(store));
    try {
      await client.workflow.start('study', {
        workflowId: workflowIdOf(studyId),
        taskQueue: 'epochal' satisfies TaskQueue,
        args: [input],
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        memo: { pipeline: plan.name, study: studyId, store: storeUri, version: workflowVersion },
        staticSummary: plan.name,
        priority: priorityOf(studyId, options.priority),
      });
      return createStudyHandle({ client, store, studyId, attached: false, renewed, fresh: true });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    try {
      const memo = await checkStore(client, studyId, storeUri);
      const study = createStudyHandle({ client, store, studyId, attached: true, renewed, fresh: false });
      const version = await study.version();
      // One that another version began stays with that as long as it has a worker. The memo is of the launch, or of a server without versions.
      const goesOn =
        version === undefined ? memo.version === workflowVersion : version.served || version.replayable;
      if (!goesOn) {
        renewed = true;
        await study.endAtOnce('Another version of Epochal goes on with it, from its finished stages.');
        continue;
      }
      if (options.priority !== undefined) await changePriority(client, studyId, options.priority);
      await study.resume();
      return study;
    } catch (error) {
      // It has ended in this moment.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}

/** Characters of the key by which studies share workers evenly that Temporal takes. */
const longestFairnessKey = 64;

function priorityOf(studyId: string, priority: number | undefined): Priority {
  return {
    fairnessKey: studyId.slice(-longestFairnessKey),
    ...(priority === undefined ? {} : { priorityKey: priority }),
  };
}

/** Of the stages that an open study schedules from now on; cells that run already in a workflow of their own keep theirs. */
async function changePriority(client: Client, studyId: string, priority: number): Promise<void> {
  await client.workflowService.updateWorkflowExecutionOptions({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: workflowIdOf(studyId) },
    workflowExecutionOptions: { priority: compilePriority(priorityOf(studyId, priority)) },
    updateMask: { paths: ['priority'] },
  });
}

/** The study with this id, open or ended. Throws {@link EnvironmentError} if the server knows of none. */
export async function findStudy(client: Client, storeUri: string, studyId: string): Promise<StudyHandle> {
  try {
    const { status } = await client.workflow.getHandle(workflowIdOf(studyId)).describe();
    const attached = status.name === 'RUNNING';
    return createStudyHandle({
      client,
      store: await openStore(storeUri),
      studyId,
      attached,
      renewed: false,
      fresh: false,
    });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new EnvironmentError(
      `The server knows of no study ${studyId}.`,
      'Run the pipeline again: finished stages are in the store and are reused.',
    );
  }
}

async function writeRecords(store: Store, studyId: string, options: StartStudyOptions): Promise<void> {
  const { plan, baseDirectory, command = process.argv.slice(2) } = options;
  const recordName = studyRecordName(studyId, 'study');
  const known = await store.readText(recordName).catch((error: unknown) => {
    if (error instanceof DamagedRecordError) return undefined;
    throw error;
  });
  const startedAt = new Date().toISOString();
  const createdAt = known === undefined ? startedAt : (JSON.parse(known) as StudyRecord).createdAt;
  const cells = plan.cells.length;
  const record: StudyRecord = {
    studyId,
    name: plan.name,
    createdAt,
    startedAt,
    command,
    baseDirectory,
    cells,
  };
  await store.writeText(studyRecordName(studyId, 'plan'), `${JSON.stringify(plan)}\n`);
  await store.writeText(recordName, `${JSON.stringify(record, undefined, 2)}\n`);
}

async function checkStore(client: Client, studyId: string, storeUri: string) {
  const description = client.workflow.getHandle(workflowIdOf(studyId)).describe();
  const { memo } = await description.catch((error: unknown) => {
    // Its memo is not sealed.
    if (error instanceof RefusedError) return { memo: undefined };
    throw error;
  });
  const other = memo?.store;
  if (memo?.study !== studyId || typeof other !== 'string') {
    throw new EnvironmentError(
      `Something that is no study of this home runs on the server under the name ${workflowIdOf(studyId)}.`,
      'Terminate it in the web UI of the server, then run the pipeline again.',
    );
  }
  if (other !== storeUri) {
    throw new EnvironmentError(
      `The study ${studyId} is running and writes to ${other}, not to ${storeUri}.`,
      'Name the same store to attach to it, or cancel it first.',
    );
  }
  return { version: memo.version };
}

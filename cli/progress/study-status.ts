import { setTimeout } from 'node:timers/promises';
import type { Store } from '../../artifacts/store/store.ts';
import type { LiveCell, StudyHandle, StudyRecord } from '../../runtime/study/client.ts';
import type { StudyVersion } from '../../runtime/study/study-version.ts';
import type {
  CellCounts,
  CellFailure,
  CellResult,
  StudyProgress,
  StudyResult,
} from '../../workflows/messages.ts';
import {
  readEndedCells,
  readPlan,
  readResult,
  type TellDamage,
  unlessDamaged,
} from '../checks/study-records.ts';

/** How running cells are asked for how far they are. */
export interface AskRunning {
  /** How many; default: 32. */
  readonly most?: number;
  /** How long they have to answer. */
  readonly limitMs?: number;
}

/** A study that has not answered by then may wait for workers of another version. */
const versionAfterMs = 300;

export type StudyState = 'running' | 'paused' | StudyResult['status'] | 'not finished';

/** What `list` says of a study: `schemas/output/list.schema.json`. */
export interface ListedStudy extends StudyRecord {
  readonly status: StudyState;
  readonly cells: number;
  /** Cells that have ended, by how. */
  readonly counts: CellCounts;
}

/** What `status` says of a study: `schemas/output/status.schema.json`. */
export interface StudyStatus extends Omit<ListedStudy, 'command' | 'baseDirectory'> {
  readonly running: boolean;
  readonly ended: number;
  /** Of every failed cell, and of the stages over all cells. */
  readonly failures: readonly CellFailure[];
  readonly progress?: StudyProgress;
  /** Of an open study that no worker answers for: the version of the workflow code that it goes on with. */
  readonly version?: StudyVersion;
  /** Running cells, at most 32: those that answered in time. */
  readonly live: readonly LiveCell[];
  readonly result?: StudyResult;
  /** Records that were changed or torn, of which nothing is shown. */
  readonly damaged: readonly string[];
}

/** How far a study is, as the store and the server (if it knows of the study) tell. */
export async function examineStudy(
  store: Store,
  record: StudyRecord,
  study: StudyHandle | undefined,
  ask?: AskRunning,
): Promise<StudyStatus> {
  const { studyId, name, createdAt, startedAt } = record;
  const damaged = new Set<string>();
  const tell: TellDamage = ({ message }) => void damaged.add(message);
  let reading: Promise<CellResult[]> | undefined;
  const readEnded = () => (reading ??= readEndedCells(store, studyId, tell));
  const reads = examineBriefly(store, record, study, tell, readEnded);
  const isSlow =
    (await Promise.race([reads, setTimeout(versionAfterMs, undefined, { ref: false })])) === undefined;
  const askVersion = async () => (study?.attached ? study.version().catch(() => undefined) : undefined);
  const asked = isSlow ? askVersion() : undefined;
  const { status, counts, cells, progress, result } = await reads;
  // Failures of an earlier launch, which the one that runs has not come to yet, are none of it.
  const ended = progress?.counts.failed === 0 ? [] : await readEnded();
  const ofCells = ended.flatMap(({ cellId, failure }) =>
    failure === undefined ? [] : [{ cellId, ...failure }],
  );
  const isOfCell = new Set(ofCells.map(({ cellId }) => cellId));
  const version = result === undefined && progress === undefined ? await (asked ?? askVersion()) : undefined;
  const beyond = result?.failures.filter(({ cellId }) => !isOfCell.has(cellId)) ?? [];
  return {
    studyId,
    name,
    createdAt,
    startedAt,
    status,
    running: progress !== undefined,
    cells,
    ended: endedCells(counts),
    counts,
    failures: [...ofCells, ...beyond],
    live: progress === undefined ? [] : await askRunning(study!, progress, ask),
    ...(progress === undefined ? {} : { progress }),
    ...(version === undefined ? {} : { version }),
    ...(result === undefined ? {} : { result }),
    damaged: [...damaged],
  };
}

/** A busy worker answers when it can, which nobody waits for. */
function askRunning(study: StudyHandle, { running }: StudyProgress, ask?: AskRunning): Promise<LiveCell[]> {
  return study.cells({ running, limitMs: 500, ...ask }).catch(() => []);
}

/** The same without the single cells. Throws `DamagedRecordError` for a damaged result, unless that can be told. */
export async function examineBriefly(
  store: Store,
  { studyId, cells }: StudyRecord,
  study: StudyHandle | undefined,
  tell?: TellDamage,
  readEnded = () => readEndedCells(store, studyId, tell),
): Promise<Pick<StudyStatus, 'status' | 'cells' | 'counts' | 'progress' | 'result'>> {
  const progress = study?.attached ? await study.progress().catch(() => undefined) : undefined;
  if (progress !== undefined && progress.phase !== 'done') {
    const { paused, counts } = progress;
    return { status: paused ? 'paused' : 'running', cells: progress.cells, counts, progress };
  }
  // A study that is open but that no worker answers for: what an earlier launch has left is not its result.
  const open = study?.attached === true && progress === undefined;
  const result = open
    ? undefined
    : await (tell ? unlessDamaged(readResult(store, studyId), tell) : readResult(store, studyId));
  return {
    status: result?.status ?? 'not finished',
    cells: cells ?? (await readPlan(store, studyId)).cells.length,
    counts: result?.counts ?? countCells(await readEnded()),
    ...(result === undefined ? {} : { result }),
  };
}

export function endedCells({ succeeded, failed, cancelled }: CellCounts): number {
  return succeeded + failed + cancelled;
}

function countCells(cells: readonly CellResult[]): CellCounts {
  const count = (status: CellResult['status']) => cells.filter((cell) => cell.status === status).length;
  return { succeeded: count('succeeded'), failed: count('failed'), cancelled: count('cancelled') };
}

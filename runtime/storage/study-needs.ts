import { DamagedRecordError } from '../../artifacts/errors.ts';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { cellRecordName, studyRecordName } from '../../artifacts/store/names.ts';
import { readRecord, readRecords } from '../../artifacts/store/records.ts';
import type { Store, StoredFile } from '../../artifacts/store/store.ts';
import type { Plan, PlannedStage } from '../../compiler/plan.ts';
import type { CellResult, StageOutcome, StudyResult } from '../../workflows/messages.ts';
import { derivedCollect } from '../cost/derived-steps.ts';
import type { Outputs, StepIndex } from './step-index.ts';

/** What a study needs of a store. */
export interface StudyNeeds {
  readonly studyId: string;
  /** It was launched after it ended last, or has not ended yet: it may run, here or elsewhere, or go on later. */
  readonly isOpen: boolean;
  /** Keys of the steps that its records name, and of those that it would find if it ran on. */
  readonly steps: ReadonlySet<string>;
  /** Artifacts that its records name. */
  readonly artifacts: readonly ArtifactRef[];
  /** Whether it has stages over all cells. */
  readonly collects: boolean;
}

/**
 * What a study needs: all that the records of its cells and its result name and, of cells that have not succeeded, or of all while the study is open, every
 * finished step that its plan leads to. What a running cell has done stands in no record yet, but the plan says what it must be. Throws
 * {@link DamagedRecordError} if a record is damaged, or the plan is gone or of another version: what it needs is not known then.
 *
 * @param files The study's own, as listed before.
 */
export async function needsOfStudy(
  store: Store,
  studyId: string,
  files: readonly StoredFile[],
  index: StepIndex,
): Promise<StudyNeeds> {
  const planName = studyRecordName(studyId, 'plan');
  const plan = await readRecord<Plan>(store, planName);
  if (plan === undefined) throw new DamagedRecordError(planName, store.uri, 'is gone');
  const result = await readRecord<StudyResult>(store, studyRecordName(studyId, 'result'));
  const names = plan.cells.map(({ id }) => cellRecordName(studyId, id));
  const cells = new Map<string, CellResult>();
  for (const record of await readRecords<CellResult>(store, names)) {
    if (record instanceof DamagedRecordError) throw record;
    if (record !== undefined) cells.set(record.cellId, record);
  }
  const understood = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new DamagedRecordError(planName, store.uri, `cannot be understood: ${why}`);
    }
  };
  const isOpen = !hasEnded(studyId, files);
  const named = [...cells.values()].flatMap(({ stages }) => Object.values(stages));
  named.push(...Object.values(result?.collect ?? {}));
  const steps = new Set(named.map(({ key }) => key));
  for (const { id, stages } of plan.cells) {
    if (!isOpen && cells.get(id)?.status === 'succeeded') continue;
    for (const key of understood(() => foundBy(stages, index))) steps.add(key);
  }
  for (const collect of plan.collect) {
    const { key } = understood(() => derivedCollect(plan, collect, cells));
    if (index.steps.has(key)) steps.add(key);
  }
  return {
    studyId,
    isOpen,
    steps,
    artifacts: refsOf(named),
    collects: plan.collect.length > 0,
  };
}

/** Every launch writes `study.json` anew, and every end `result.json`, on the same disk and by the same clock. */
export function hasEnded(studyId: string, files: readonly StoredFile[]): boolean {
  const written = (record: 'study' | 'result') =>
    files.find(({ name }) => name === studyRecordName(studyId, record))?.writtenAt;
  const [launched, ended] = [written('study'), written('result')];
  return launched !== undefined && ended !== undefined && ended > launched;
}

function refsOf(outcomes: readonly StageOutcome[]): ArtifactRef[] {
  return outcomes.flatMap(({ outputs }) => Object.values(outputs));
}

/** The finished steps that the stages of a cell would find, one after another. */
function foundBy(stages: readonly PlannedStage[], index: StepIndex): Set<string> {
  const keys = new Set<string>();
  /** What each stage may have left: once, but for outside files that have changed, or another device. */
  const left = new Map<string, Outputs[]>();
  for (const stage of stages) {
    const whole = new Map<string, Outputs>();
    for (const available of choices(stage.needs, left)) {
      for (const { key, outputs } of index.stepsOf(stage, available)) {
        keys.add(key);
        // One of an older version, which lacks an output, is computed again.
        if (Object.keys(stage.outputs).every((name) => outputs[name] !== undefined)) whole.set(key, outputs);
      }
    }
    left.set(stage.name, [...whole.values()]);
  }
  return keys;
}

/** Every choice of what the needed stages may have left. */
function* choices(
  needs: readonly string[],
  left: ReadonlyMap<string, readonly Outputs[]>,
): Generator<Record<string, Outputs>> {
  const [first, ...others] = needs;
  if (first === undefined) {
    yield {};
    return;
  }
  for (const outputs of left.get(first) ?? [])
    for (const rest of choices(others, left)) yield { ...rest, [first]: outputs };
}

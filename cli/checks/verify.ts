import { isDeepStrictEqual } from 'node:util';
import pLimit from 'p-limit';
import { InputError } from '../../artifacts/errors.ts';
import type { ArtifactKind, ArtifactRef } from '../../artifacts/reference.ts';
import { type LeftOut, readLeftOut } from '../../artifacts/store/left-out.ts';
import { examineStep } from '../../artifacts/store/outputs.ts';
import type { StepRecord } from '../../artifacts/store/step.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { Plan, PlannedStage } from '../../compiler/index.ts';
import { derivedCollect, derivedStep } from '../../runtime/cost/derived-steps.ts';
import { foresee, type StageForesight } from '../../runtime/cost/foresight.ts';
import { studyIdOf } from '../../runtime/study/client.ts';
import type { CellResult, StageOutcome, StudyResult } from '../../workflows/messages.ts';
import { type Check, checkContent } from './artifact-checks.ts';
import { readCells, readPlan, readResult, readStudy, unlessDamaged } from './study-records.ts';

/** What became of every file of a study. */
export interface Verification {
  readonly checks: readonly Check[];
  /** Files in the study's folder that are no part of it. */
  readonly unknown: readonly string[];
  /** What a rerun would compute again, one line a stage; empty if nothing is bad. */
  readonly again: readonly string[];
  /** Artifacts that are not here because the export left them out: of these nothing was checked. */
  readonly leftOut: number;
}

/**
 * Checks everything that a study consists of: its records against their seals, each step against the plan and the steps before it, each artifact
 * against its digest and against the step that it says made it, and what artifacts claim. Nothing is changed.
 */
export async function verifyStudy(store: Store, studyId: string): Promise<Verification> {
  const verifier = new Verifier(store, studyId);
  await verifier.run();
  return verifier.verification();
}

class Verifier {
  readonly #store: Store;
  readonly #studyId: string;
  readonly #checks: Check[] = [];
  /** Where each step stands first, by its key. */
  readonly #claimed = new Map<string, string>();
  #plan: Plan | undefined;
  #baseDirectory: string | undefined;
  #unknown: string[] = [];
  #badCollects: string[] = [];
  /** SHA-256 of what an export has left out. */
  #leftOut: ReadonlySet<string> = new Set();
  readonly #notHere = new Set<string>();

  constructor(store: Store, studyId: string) {
    this.#store = store;
    this.#studyId = studyId;
  }

  async run(): Promise<void> {
    const { plan, result } = await this.#records();
    if (plan === undefined) return;
    this.#plan = plan;
    await this.#nameUnknown(plan);
    const before = this.#bad();
    const cells = await this.#cells(plan, result);
    const allCells = this.#bad() === before;
    const ended = plan.cells.flatMap(({ id, stages }) => {
      const record = cells.get(id);
      if (record === undefined) return [];
      for (const { name } of stages) this.#claim(record.stages[name], placeOf(id, name));
      return [{ stages, record }];
    });
    const atATime = pLimit(16);
    const found = ended.map(({ stages, record }) => atATime(() => this.#cell(stages, record)));
    for (const checks of await Promise.all(found)) for (const check of checks) this.#checks.push(check);
    for (const collect of plan.collect) {
      const outcome = result?.collect[collect.name];
      if (outcome === undefined) continue;
      const what = placeOf('study', collect.name);
      const good = this.#bad();
      this.#claim(outcome, what);
      if (allCells)
        this.#add(
          derivedCollect(plan, collect, cells).key === outcome.key,
          `${what}, step ${outcome.key.slice(0, 12)}`,
          'follows from the plan and the cells',
          'does not follow from the plan and the cells',
        );
      const [record] = await this.#store.readSteps([outcome.key]);
      this.#checks.push(...(await this.#outcome(what, outcome, record, collect.outputs)));
      if (this.#bad() > good) this.#badCollects.push(collect.name);
    }
  }

  async verification(): Promise<Verification> {
    const again = this.#bad() === 0 ? [] : await this.#again();
    return { checks: this.#checks, unknown: this.#unknown, again, leftOut: this.#notHere.size };
  }

  #add(ok: boolean, what: string, good: string, bad: string): void {
    this.#checks.push(checked(ok, what, good, bad));
  }

  #bad(): number {
    return this.#checks.filter(({ ok }) => !ok).length;
  }

  async #records(): Promise<{ plan: Plan | undefined; result: StudyResult | undefined }> {
    const [store, studyId] = [this.#store, this.#studyId];
    const read = async <T extends object>(
      name: string,
      reading: Promise<T | undefined>,
      fits: (record: T) => boolean,
    ): Promise<T | undefined> => {
      let absent = true;
      const record = await unlessDamaged(reading, () => {
        absent = false;
      });
      if (record === undefined && absent && mayBeAbsent.has(name)) return undefined;
      const good = record !== undefined && fits(record);
      this.#add(good, `studies/${studyId}/${name}`, 'sealed', changed);
      return good ? record : undefined;
    };
    const isOfStudy = (record: { readonly studyId: string }) => record.studyId === studyId;
    const study = await read('study.json', readStudy(store, studyId), isOfStudy);
    this.#baseDirectory = study?.baseDirectory;
    const plan = await read('plan.json', readPlan(store, studyId), (record) => studyIdOf(record) === studyId);
    const result = await read('result.json', readResult(store, studyId), isOfStudy);
    const left: LeftOut | undefined = await read('left-out.json', readLeftOut(store, studyId), isOfStudy);
    this.#leftOut = new Set(left?.artifacts.map(({ sha256 }) => sha256));
    return { plan, result };
  }

  #names(): Promise<string[]> {
    return this.#store.listTexts(`studies/${this.#studyId}`);
  }

  async #nameUnknown(plan: Plan): Promise<void> {
    const folder = `studies/${this.#studyId}`;
    const known = new Set(recordNames.map((name) => `${folder}/${name}`));
    for (const { id } of plan.cells) known.add(`${folder}/cells/${id}.json`);
    this.#unknown = (await this.#names()).filter((name) => !known.has(name));
  }

  async #cells(plan: Plan, result: StudyResult | undefined): Promise<Map<string, CellResult>> {
    const name = (cellId: string) => `studies/${this.#studyId}/cells/${cellId}.json`;
    const damaged: string[] = [];
    const read = await readCells(this.#store, plan, this.#studyId, (_error, cellId) => damaged.push(cellId));
    const cells = new Map(read.map((record) => [record.cellId, record]));
    for (const cellId of damaged) this.#add(false, name(cellId), 'sealed', changed);
    for (const cellId of cells.keys()) this.#add(true, name(cellId), 'sealed', changed);
    const left = read.filter(({ status }) => status === 'succeeded').length + damaged.length;
    if (result !== undefined && left < result.counts.succeeded) {
      const known = new Set([...cells.keys(), ...damaged]);
      for (const { id } of plan.cells)
        if (!known.has(id))
          this.#add(false, name(id), '', 'gone, though more cells have succeeded than have a record');
    }
    return cells;
  }

  /** The outputs of a step are checked where it stands first, whichever cells have it too. */
  #claim(outcome: StageOutcome | undefined, what: string): void {
    if (outcome !== undefined && !this.#claimed.has(outcome.key)) this.#claimed.set(outcome.key, what);
  }

  async #cell(
    stages: readonly PlannedStage[],
    { cellId, status, stages: outcomes }: CellResult,
  ): Promise<Check[]> {
    const available: Available = {};
    const checks: Check[] = [];
    const there = stages.filter(({ name }) => outcomes[name] !== undefined);
    const records = await this.#store.readSteps(there.map(({ name }) => outcomes[name]!.key));
    for (const stage of stages) {
      const outcome = outcomes[stage.name];
      const what = placeOf(cellId, stage.name);
      if (outcome === undefined) {
        if (status === 'succeeded') checks.push(checked(false, what, '', 'is not in the record of its cell'));
        continue;
      }
      available[stage.name] = outcome.outputs;
      const record = records[there.indexOf(stage)];
      if (record !== undefined && stage.needs.every((need) => available[need] !== undefined)) {
        checks.push(
          checked(
            isDerived(stage, available, record),
            `${what}, step ${outcome.key.slice(0, 12)}`,
            'follows from the plan and its inputs',
            'does not follow from the plan and its inputs',
          ),
        );
      }
      checks.push(...(await this.#outcome(what, outcome, record, stage.outputs)));
    }
    return checks;
  }

  /** A step's record, and each of its outputs. */
  async #outcome(
    what: string,
    { key, outputs }: StageOutcome,
    record: StepRecord | undefined,
    wanted: Readonly<Record<string, ArtifactKind>>,
  ): Promise<Check[]> {
    const same = record !== undefined && digests(record.outputs) === digests(outputs);
    const checks = [
      checked(
        same,
        `${what}, record of step ${key.slice(0, 12)}`,
        'sealed, with the outputs that the cell has',
        record === undefined ? 'gone, changed or torn' : 'has other outputs than the cell',
      ),
    ];
    if (record === undefined || this.#claimed.get(key) !== what) return checks;
    const { damage } = await examineStep(this.#store, record, wanted);
    for (const [output, ref] of Object.entries(record.outputs)) {
      const problem = damage.find((candidate) => candidate.output === output);
      if (problem !== undefined && this.#leftOut.has(ref.sha256)) {
        this.#notHere.add(ref.sha256);
        continue;
      }
      const where = `${what}.${output} ${ref.sha256.slice(0, 12)}`;
      checks.push(checked(problem === undefined, where, 'whole, and made by this step', problem?.what ?? ''));
      if (problem === undefined) checks.push(...(await checkContent(this.#store, ref, where)));
    }
    return checks;
  }

  async #again(): Promise<string[]> {
    if (this.#plan === undefined || this.#baseDirectory === undefined) return [];
    let foresight: StageForesight[];
    try {
      foresight = await foresee(this.#plan, this.#store, this.#baseDirectory);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return [`nothing as it is, since a run would fail: ${error.message}`];
    }
    return [
      ...foresight
        // What is gathered over all cells is checked here.
        .filter(({ cell, action }) => cell !== 'study' && action === 'run')
        .map(({ stage, cell, why }) => `${stage} in cell ${cell}: ${why}`),
      ...this.#badCollects.map((name) => `${name} over all cells`),
    ];
  }
}

function checked(ok: boolean, what: string, good: string, bad: string): Check {
  return { ok, what, found: ok ? good : bad };
}

function placeOf(cellId: string, stage: string): string {
  return `${cellId} ${stage}`;
}

type Available = Record<string, Readonly<Record<string, ArtifactRef>>>;

const recordNames = ['plan.json', 'study.json', 'result.json', 'left-out.json'];

/** A study that has not ended has no result yet, and one that was not exported has left nothing out. */
const mayBeAbsent: ReadonlySet<string> = new Set(['result.json', 'left-out.json']);

const changed = 'changed or torn, from elsewhere, or of an older version';

/** Whether a step is what the plan and the stages before it say. */
function isDerived(stage: PlannedStage, available: Available, record: StepRecord): boolean {
  try {
    // What a record lacks, as older ones lack their threads, it does not claim; its key has them all.
    return Object.entries(derivedStep(stage, available, record)).every(
      ([name, value]) =>
        (name === 'threads' && record.threads === undefined) ||
        isDeepStrictEqual(record[name as keyof StepRecord], value),
    );
  } catch {
    // An output that it takes is not there.
    return false;
  }
}

function digests(outputs: Readonly<Record<string, ArtifactRef>>): string {
  return JSON.stringify(
    Object.entries(outputs)
      .map(([name, { sha256, kind }]) => [name, sha256, kind])
      .sort(),
  );
}

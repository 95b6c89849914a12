import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ArtifactRef } from '../../artifacts/reference.ts';
import { artifactFileName } from '../../artifacts/store/names.ts';
import { partDigests } from '../../artifacts/store/outputs.ts';
import type { Store } from '../../artifacts/store/store.ts';
import type { CellStatus, StageOutcome } from '../../workflows/messages.ts';
import { readCells, readPlan, readResult, type TellDamage, unlessDamaged } from './study-records.ts';

/** An output of a stage of a study. */
export interface ListedArtifact extends ArtifactRef {
  /** `study` for the output of a stage over all cells. */
  readonly cell: string;
  /** What became of the cell; absent for the output of a stage over all cells. */
  readonly cellStatus?: CellStatus;
  readonly stage: string;
  readonly output: string;
  /** File of an artifact in a local store. */
  readonly path: string | undefined;
  /** Files that it consists of and that are there: itself and, of a trajectory, its parts. */
  readonly files: number;
  /** Their size, as they lie in the store. */
  readonly allBytes: number;
}

/** The artifacts of a study, and the files that they consist of together, each counted once whichever cells have it. */
export interface ArtifactList {
  readonly artifacts: readonly ListedArtifact[];
  readonly total: { readonly files: number; readonly bytes: number };
}

/** Every output of every finished stage, cell by cell, with its true size; cells whose record is damaged are told, not listed. */
export async function listArtifacts(store: Store, studyId: string, tell: TellDamage): Promise<ArtifactList> {
  const plan = await readPlan(store, studyId);
  const cells = await readCells(store, plan, studyId, tell);
  const order = plan.cells[0]?.stages.map(({ name }) => name) ?? [];
  const sizes = new Map((await store.listFiles('artifacts')).map(({ name, bytes }) => [name, bytes]));
  const counted = new Set<string>();
  const listed: ListedArtifact[] = [];
  const list = async (
    place: Pick<ListedArtifact, 'cell' | 'cellStatus' | 'stage'>,
    outputs: StageOutcome['outputs'],
  ) => {
    for (const [output, ref] of Object.entries(outputs)) {
      const digests = [ref.sha256, ...((await partDigests(store, ref)) ?? [])];
      const names = digests.map(artifactFileName).filter((name) => sizes.has(name));
      for (const name of names) counted.add(name);
      const { cell, stage, ...more } = place;
      listed.push({
        ...{ cell, stage, output, ...ref, ...more, path: pathOf(store, ref), files: names.length },
        allBytes: names.reduce((sum, name) => sum + sizes.get(name)!, 0),
      });
    }
  };
  for (const { cellId: cell, status: cellStatus, stages } of cells) {
    for (const stage of Object.keys(stages).sort((a, b) => order.indexOf(a) - order.indexOf(b)))
      await list({ cell, stage, cellStatus }, stages[stage]!.outputs);
  }
  const result = await unlessDamaged(readResult(store, studyId), tell);
  for (const [stage, { outputs }] of Object.entries(result?.collect ?? {}))
    await list({ cell: 'study', stage }, outputs);
  const bytes = [...counted].reduce((sum, name) => sum + sizes.get(name)!, 0);
  return { artifacts: listed, total: { files: counted.size, bytes } };
}

/** Where the file lies in this store, which may be a copy of the one that it was written to. */
function pathOf({ uri }: Store, { sha256 }: ArtifactRef): string | undefined {
  return uri.startsWith('file:') ? path.join(fileURLToPath(uri), artifactFileName(sha256)) : undefined;
}

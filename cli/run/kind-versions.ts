import { InputError } from '../../artifacts/errors.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { type Plan, stageKind } from '../../compiler/index.ts';
import { readPlan, readStudy } from '../checks/study-records.ts';

/** Throws `InputError` if this version of the program computes other stage kinds than a plan was made for. */
export function mustComputePlan({ cells, collect }: Plan, studyId: string): void {
  const others = [...cells[0]!.stages, ...collect].flatMap(({ uses, version }) => {
    const own = stageKind(uses)?.version;
    return own === undefined || own === version
      ? []
      : [`\`${uses}\` is of version ${version} there, ${own} here`];
  });
  if (others.length === 0) return;
  throw new InputError(
    `The plan of ${studyId} was made by another version of Epochal: ${[...new Set(others)].join('; ')}.`,
    `Run the pipeline file again: what is the same is reused. \`epochal cancel ${studyId}\` gives the old study up.`,
  );
}

/**
 * A line about what a study makes anew since the last one of the same pipeline, as the versions of its stage kinds were raised; undefined if none was, or
 * the study was launched before.
 */
export async function describeRaisedKinds(
  store: Store,
  plan: Plan,
  studyId: string,
): Promise<string | undefined> {
  const { stages } = plan.cells[0]!;
  if (stages.every(({ version }) => version === 1)) return undefined;
  const last = await lastStudyOf(store, plan.name);
  if (last === undefined || last === studyId) return undefined;
  const before = (await readPlan(store, last)).cells[0]!.stages;
  const raised: string[] = [];
  const anew = new Set<string>();
  const dependent: string[] = [];
  for (const { name, uses, version, needs } of stages) {
    const old = before.find((stage) => stage.name === name && stage.uses === uses)?.version;
    if (old !== undefined && old < version)
      raised.push(`${name} (\`${uses}\` is of version ${version} now, ${old} before)`);
    else if (needs.some((need) => anew.has(need))) dependent.push(name);
    else continue;
    anew.add(name);
  }
  if (raised.length === 0) return undefined;
  const builds = dependent.length === 0 ? '' : `, and what builds on that: ${dependent.join(', ')}`;
  return `made anew since ${last}: ${raised.join(', ')}${builds}`;
}

/** The study of a pipeline that was launched last. */
async function lastStudyOf(store: Store, name: string): Promise<string | undefined> {
  const ids = (await store.listFolder('studies')).filter(
    (id) => id.startsWith(`${name}-`) && /^[0-9a-f]{10}$/.test(id.slice(name.length + 1)),
  );
  const records = await Promise.all(ids.map((id) => readStudy(store, id).catch(() => undefined)));
  const known = records.filter((record) => record !== undefined);
  return known.sort((a, b) => b.startedAt.localeCompare(a.startedAt))[0]?.studyId;
}

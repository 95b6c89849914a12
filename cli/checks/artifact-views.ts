import pc from 'picocolors';
import { countOf, formatBytes, formatDuration, plural } from '../../report/numbers.ts';
import { cutForTerminal, type Output, table } from '../output/output.ts';
import type { ArtifactList, ListedArtifact } from './artifact-list.ts';
import type { Origin } from './lineage.ts';
import type { Verification } from './verify.ts';

/** Inputs and outside files of one step, as far as a tree shows them. */
const shownInputs = 10;

type Where = Pick<Output, 'interactive'>;

/** The artifacts of a study, those of cells that failed or were cancelled first, and how large all of them are. */
export function formatArtifacts(
  studyId: string,
  { artifacts, total }: ArtifactList,
  output: Where,
): string[] {
  if (artifacts.length === 0) return [`${studyId} has made no artifacts yet.`];
  const isTroubled = ({ cellStatus = 'succeeded' }: ListedArtifact) => cellStatus !== 'succeeded';
  const [troubled, others] = [true, false].map((wanted) =>
    artifacts.filter((artifact) => isTroubled(artifact) === wanted),
  ) as [ListedArtifact[], ListedArtifact[]];
  const { shown, cut } = cutForTerminal(output, [...troubled, ...others], 'artifact');
  const rows = shown.map((artifact) => {
    const { cell, stage, output: name, kind, files, allBytes, path, uri } = artifact;
    const status = isTroubled(artifact) ? ` (${artifact.cellStatus})` : '';
    return [`${cell}${status}`, `${stage}.${name}`, kind, sizeOf(files, allBytes), path ?? uri];
  });
  const all = `${plural(total.files, 'file')}, ${formatBytes(total.bytes)}, each counted once`;
  return [table(rows, ['cell', 'output', 'kind', 'size', 'file']), ...cut, all];
}

function sizeOf(files: number, bytes: number): string {
  if (files === 0) return 'gone';
  return files === 1 ? formatBytes(bytes) : `${formatBytes(bytes)} in ${plural(files, 'file')}`;
}

/** What was found, bad checks first. Those that are good are listed on a terminal only, as long as it has room for them. */
export function formatVerification(
  studyId: string,
  { checks, unknown, again, leftOut }: Verification,
  output: Where,
): string[] {
  const bad = checks.filter(({ ok }) => !ok);
  const listed = output.interactive ? [...bad, ...checks.filter(({ ok }) => ok)] : bad;
  const told = cutForTerminal(output, listed, 'check');
  const strangers = cutForTerminal(output, unknown, 'unknown file');
  const lines = [
    ...told.shown.map(({ ok, what, found }) => `${ok ? pc.green('ok  ') : pc.red('BAD ')} ${what}: ${found}`),
    ...told.cut,
    ...strangers.shown.map((name) => `unknown file ${name}: no part of the study`),
    ...strangers.cut,
    ...(leftOut > 0
      ? [
          `${plural(leftOut, 'artifact')} of tensors ${leftOut === 1 ? 'was' : 'were'} left out of this export: nothing of them was checked.`,
        ]
      : []),
    `${studyId}: ${plural(checks.length, 'check')}, ${bad.length.toLocaleString('en-US')} bad`,
  ];
  if (bad.length === 0) return lines;
  const rerun = cutForTerminal(output, again, 'stage', 20);
  return [
    ...lines,
    'Run the pipeline again: records are written anew, and what is damaged is computed again.',
    ...rerun.shown.map((line) => `run again: ${line}`),
    ...rerun.cut,
  ];
}

/** The lineage as an indented tree; what stands in it already is named, not told again. */
export function formatOrigin(origin: Origin, indent = '', told = new Set<string>()): string {
  const { output, sha256, whole, kind, uses, key, seconds, provenance, inputs, sources } = origin;
  const head = `${indent}${pc.bold(`${kind} ${sha256.slice(0, 12)}`)}  output ${output} of ${uses}, step ${key.slice(0, 12)}${whole ? '' : ' (damaged or gone)'}`;
  if (told.has(key)) return `${head}, see above`;
  told.add(key);
  const made = `${provenance.startedAt.slice(0, 16).replace('T', ' ')} UTC in ${formatDuration(seconds)}`;
  const { backend, gpu } = provenance;
  const library = backend === 'none' ? 'without a library' : `${backend} ${provenance.library}`;
  const { host, cpu, node } = provenance;
  const machine = [host, cpu, ...(gpu === undefined ? [] : [gpu]), library, `Node ${node}`].join(', ');
  const files = Object.entries(sources);
  const rest = (shown: number, all: number, noun: string) =>
    shown < all ? [`${indent}  … ${countOf(shown, all, noun)}; --json has all`] : [];
  return [
    head,
    `${indent}  made ${made} on ${machine}`,
    ...files.slice(0, shownInputs).map(([name, digest]) => `${indent}  data ${name} ${digest.slice(0, 12)}`),
    ...rest(Math.min(files.length, shownInputs), files.length, 'file'),
    ...inputs
      .slice(0, shownInputs)
      .map(({ name, origin: input }) =>
        typeof input === 'string'
          ? `${indent}  ${name}: ${input.slice(0, 12)}, of which no step is known`
          : `${indent}  ${name}:\n${formatOrigin(input, `${indent}    `, told)}`,
      ),
    ...rest(Math.min(inputs.length, shownInputs), inputs.length, 'input'),
  ].join('\n');
}

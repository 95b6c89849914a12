import type { ASTNode } from '@marcbachmann/cel-js';
import type { ArtifactKind } from '../../artifacts/reference.ts';
import { didYouMean, quoteAll } from '../diagnostics/did-you-mean.ts';
import { asMention, type Mention, mentions, results } from '../schema/names.ts';
import { type ArtifactRoot, artifactRoots, type Directory, type Report, type Scope } from './scope.ts';

/** `stages.train.state` in an expression; offsets count from the expression's start. */
export interface OutputMention {
  readonly root: ArtifactRoot;
  readonly stage: string;
  readonly output: string;
  readonly start: number;
  readonly end: number;
}

/**
 * The artifacts that an expression's value can be. Reports artifacts where a plain value belongs, plain values where an artifact belongs,
 * unknown stages and outputs, and wrong kinds; then returns undefined.
 */
export function checkOutputs(
  ast: ASTNode,
  scope: Scope,
  accepts: readonly ArtifactKind[] | undefined,
  place: string,
  report: Report,
): OutputMention[] | undefined {
  const found: OutputMention[] = [];
  let sound = true;
  const fail: Report = (start, end, message, cure) => {
    sound = false;
    report(start, end, message, cure, 'wrong-reference');
  };
  const values =
    accepts === undefined ? [] : results(ast).map((node) => ({ node, mention: asMention(node) }));
  for (const { node, mention } of values) {
    if (mention !== undefined && isRoot(mention.root)) continue;
    fail(
      node.range.start,
      node.range.end,
      `${place} takes ${kindPhrase(accepts!)}, not a plain value`,
      artifactCure(accepts!, scope),
    );
  }
  for (const mention of mentions(ast, artifactRoots)) {
    const wanted = values.some(
      ({ node }) => node.range.start === mention.start && node.range.end === mention.end,
    );
    if (!wanted) {
      fail(
        mention.start,
        mention.end,
        accepts === undefined
          ? `${place} does not take an artifact`
          : 'an artifact can only be the whole value, or a branch of `? :`',
        'an artifact can only be the whole value of a key that takes one; plain values come from `params`',
      );
      continue;
    }
    const output = resolve(mention, scope, accepts!, fail);
    if (output === undefined) continue;
    found.push(output.mention);
    if (output.kind !== undefined && !accepts!.includes(output.kind)) {
      const name = `${mention.root}.${output.mention.stage}.${output.mention.output}`;
      fail(
        mention.start,
        mention.end,
        `${place} takes ${kindPhrase(accepts!)}, but \`${name}\` is ${withArticle(output.kind)}`,
        artifactCure(accepts!, scope),
      );
    }
  }
  return sound ? found : undefined;
}

/** What is said of a reference to an output that a stage would write with other settings, and the cure. */
export function unwrittenOutput(stage: string, output: string, settings: string): [string, string] {
  return [
    `stage \`${stage}\` does not write \`${output}\` with its settings`,
    `it does with ${settings}: change its \`with\``,
  ];
}

type Suggestions = Pick<Scope, 'roots' | 'downstream'>;

/** The outputs of these kinds that may be referred to here: none of a stage that waits for this one. */
function fittingOutputs(accepts: readonly ArtifactKind[], { roots, downstream }: Suggestions) {
  return artifactRoots.flatMap((root) =>
    [...(roots[root] ?? (new Map() as Directory))]
      .filter(([stage]) => root !== 'stages' || downstream?.has(stage) !== true)
      .flatMap(([stage, outputs]) =>
        Object.entries(outputs ?? {})
          .filter(([, kind]) => accepts.includes(kind))
          .map(([output]) => ({ root, stage, output })),
      ),
  );
}

/** Where to find an artifact of these kinds here. */
export function artifactCure(accepts: readonly ArtifactKind[], scope: Suggestions): string {
  const fitting = fittingOutputs(accepts, scope).map(
    ({ root, stage, output }) => `${root}.${stage}.${output}`,
  );
  const [first] = fitting;
  if (first === undefined) return `no stage here writes ${kindPhrase(accepts)}; add one that does`;
  return fitting.length === 1 ? `write \`\${{ ${first} }}\`` : `of that kind: ${quoteAll(fitting)}`;
}

/** "a dataset artifact", "a parameters or evaluation artifact" */
export function kindPhrase(kinds: readonly ArtifactKind[]): string {
  return `${withArticle(kinds.join(' or '))} artifact`;
}

function resolve(
  { root, members, start, end }: Mention,
  scope: Scope,
  accepts: readonly ArtifactKind[],
  fail: Report,
): { readonly mention: OutputMention; readonly kind: ArtifactKind | undefined } | undefined {
  if (!isRoot(root)) return undefined;
  const directory = scope.roots[root];
  const [stage, output, ...rest] = members;
  const fitting = () => fittingOutputs(accepts, scope);
  /** What was meant, of what fits here; else all that does. */
  const suggest = (word: string, candidates: readonly string[]) => {
    const meant = didYouMean(word, candidates);
    return meant === undefined ? artifactCure(accepts, scope) : `did you mean \`${meant}\`?`;
  };
  if (directory === undefined) {
    const same = fitting().find((other) => other.stage === stage?.name && other.output === output?.name);
    const instead =
      Object.keys(scope.roots).length === 0
        ? 'only `params` are known here'
        : same === undefined
          ? artifactCure(accepts, scope)
          : `here it is \`${same.root}.${same.stage}.${same.output}\``;
    fail(start, end, `\`${root}\` is not known here`, instead);
  } else if (stage === undefined) {
    fail(start, end, `\`${root}\` alone is no artifact`, artifactCure(accepts, scope));
  } else if (!directory.has(stage.name)) {
    const message = root === 'collect' ? `nothing under \`collect:\` is named` : 'there is no stage';
    const candidates = fitting().filter(
      (other) => other.root === root && (output === undefined || other.output === output.name),
    );
    const cure = suggest(
      stage.name,
      candidates.map((other) => other.stage),
    );
    fail(stage.start, stage.end, `${message} \`${stage.name}\``, cure);
  } else {
    return resolveOutput(directory, stage.name);
  }
  return undefined;

  function resolveOutput(known: Directory, name: string) {
    const outputs = known.get(name);
    const names = () =>
      fitting().flatMap((other) => (other.root === root && other.stage === name ? [other.output] : []));
    if (output === undefined) {
      fail(start, end, `\`${root}.${name}\` names no output`, artifactCure(accepts, scope));
    } else if (known.unwritten?.[`${name}.${output.name}`] !== undefined) {
      const settings = known.unwritten[`${name}.${output.name}`]!;
      fail(output.start, output.end, ...unwrittenOutput(name, output.name, settings));
    } else if (outputs !== undefined && !Object.hasOwn(outputs, output.name)) {
      const message = `stage \`${name}\` has no output \`${output.name}\``;
      fail(output.start, output.end, message, suggest(output.name, names()));
    } else if (rest.length > 0) {
      const cure = names().includes(output.name)
        ? `write \`\${{ ${root}.${name}.${output.name} }}\``
        : artifactCure(accepts, scope);
      fail(rest[0]!.start, end, 'an artifact has no members', cure);
    } else {
      return {
        mention: { root: root as ArtifactRoot, stage: name, output: output.name, start, end },
        kind: outputs?.[output.name],
      };
    }
    return undefined;
  }
}

function isRoot(name: string): name is ArtifactRoot {
  return (artifactRoots as readonly string[]).includes(name);
}

function withArticle(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`;
}

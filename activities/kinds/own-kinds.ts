/** Kinds of one's own: stages, networks and data sets that a pipeline names by their modules. Their code runs in compute processes alone. */
import { findMetadata } from '../../artifacts/arrow/metadata.ts';
import { InputError } from '../../artifacts/errors.ts';
import { loadModule, type ModuleKind, moduleDigests } from '../../artifacts/load-module.ts';
import { isOwnModule } from '../../artifacts/own-module.ts';
import { isArtifactRef } from '../../artifacts/reference.ts';
import type { Store } from '../../artifacts/store/store.ts';
import { type OwnDataset, useOwnDataset } from '../../datasets/own.ts';
import { type OwnModel, useOwnModel } from '../../science/models/own.ts';
import { loadStage } from './registry.ts';
import type { Stage } from './stage.ts';

/** Digests of the outside files of a stage: those that its kind reads, and the modules of one's own that it names. Throws `InputError` if one is missing. */
export async function outsideDigests(
  uses: string,
  withs: Readonly<Record<string, unknown>>,
  baseDirectory: string,
): Promise<Record<string, string>> {
  const kind = isOwnModule(uses) ? undefined : ((await loadStage(uses)) as Stage<unknown>);
  const modules = await moduleDigests(uses, withs, baseDirectory);
  return { ...(await kind?.sources?.(withs, baseDirectory)), ...modules };
}

/** The step that is to be computed, as far as its kinds are concerned. */
interface Asked {
  readonly uses: string;
  readonly with: Readonly<Record<string, unknown>>;
  /** SHA-256 of the step's inputs, its modules among them. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly baseDirectory: string;
}

/** The stage kind of a step, after its network and its data set, and the networks that its inputs were trained with, are known if they are one's own. */
export async function stageOf(asked: Asked, store: Store): Promise<Stage<unknown>> {
  const { uses, inputs, baseDirectory, with: withs } = asked;
  const load = (name: string, kind: ModuleKind, sha256 = inputs[name]) =>
    loadModule(name, baseDirectory, kind, sha256);
  const { name, model } = withs as { readonly name?: unknown; readonly model?: { readonly name?: unknown } };
  if (uses === 'dataset' && isOwnModule(name))
    useOwnDataset(name, exported<OwnDataset>(await load(name, 'dataset'), name, 'dataset', 'load'));
  const networks = new Map<string, string>();
  if (isOwnModule(model?.name)) networks.set(model.name, inputs[model.name]!);
  for (const ref of Object.values(withs).filter(isArtifactRef)) {
    const training = findMetadata(await store.describe(ref), 'training');
    if (training === undefined || !('model' in training)) continue;
    const { name: trained, module } = training.model as { name: string; module?: unknown };
    if (isOwnModule(trained) && typeof module === 'string') networks.set(trained, module);
  }
  for (const [network, sha256] of networks) {
    const own = exported<OwnModel>(await load(network, 'model', sha256), network, 'model', 'build');
    useOwnModel(network, own, sha256);
  }
  if (!isOwnModule(uses)) return (await loadStage(uses)) as Stage<unknown>;
  return exported<Stage<unknown>>(await load(uses, 'stage'), uses, 'stage', 'run');
}

function exported<Kind>(
  module: Readonly<Record<string, unknown>>,
  name: string,
  what: string,
  method: string,
): Kind {
  const value = module[what] as Record<string, unknown> | undefined;
  if (typeof value?.[method] === 'function') return value as Kind;
  throw new InputError(
    `${name} must export \`${what}\` with a method \`${method}\`; it exports ${Object.keys(module).join(', ') || 'nothing'}.`,
    'See docs/own-kinds.md.',
  );
}

import type { Options } from '../options.ts';
import type { ModelKind } from './kind.ts';
import type { Layer } from './layers.ts';
import type { ImageShape } from './model.ts';
import type { Parameters } from './parameters.ts';

/** What the module of a network of one's own exports as `model`; its options stand in the schema beside it. */
export interface OwnModel<Values = Readonly<Record<string, never>>> {
  /**
   * Adds its parameters, in the order of the flat weight vector, and gives the layer that makes logits, examples x classes, of images, examples x
   * height x width x channels. Throws {@link import('./model.ts').ModelError} if its layers do not fit together, or the images.
   */
  build(
    options: Values,
    shape: { readonly imageShape: ImageShape; readonly classes: number },
    parameters: Parameters,
  ): Layer;
}

/** A network of one's own that this process knows. */
export interface KnownModel extends ModelKind {
  /** SHA-256 of its module, which becomes part of the spec: what was trained by another version is not taken for its own. */
  readonly module: string;
}

const own = new Map<string, KnownModel>();

/** Makes a network of one's own known to `createModel` in this process, under the name of its module. */
export function useOwnModel(name: string, model: OwnModel, module: string, options: Options = {}): void {
  own.set(name, { name, description: '', options, module, build: model.build as ModelKind['build'] });
}

export function ownModel(name: string): KnownModel | undefined {
  return own.get(name);
}

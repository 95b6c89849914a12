/**
 * What an artifact says of itself, in the schema metadata of its file: each key `epochal.<name>` is declared here and nowhere else, with its type and
 * how it is written and read. `docs/artifacts.md` tells people the same.
 */
import canonicalize from 'canonicalize';
import { DamagedArtifactError } from '../errors.ts';
import { type ArtifactKind, artifactKinds } from '../reference.ts';
import { type Guard, isNumber, isText, listOf, oneOf, recordOf } from './guards.ts';
import {
  isAnalysisContext,
  isCurvatureContext,
  isDataSource,
  isDensityContext,
  isEigenvalues,
  isHessianContext,
  isLayersContext,
  isNoiseContext,
  isPcaContext,
  isSketchContext,
  isTensorPlace,
  isToyContext,
  isTraceContext,
} from './measurement-contexts.ts';
import { isDataDigests, isImageShape, isTraining } from './training-context.ts';

/** How the value of a key stands in a file. */
interface Form<T> {
  write(value: T): string;
  /** What the text says, of whatever type. Throws if it says nothing. */
  parse(text: string): unknown;
  readonly guard: Guard<T>;
}

/** The text itself. */
const text = <T extends string>(guard: Guard<T>): Form<T> => ({
  write: (value) => value,
  parse: (value) => value,
  guard,
});

/** JSON, its members in the order in which they were given. */
const json = <T>(guard: Guard<T>): Form<T> => ({ write: JSON.stringify, parse: JSON.parse, guard });

/** JSON whose members are in an order of their own. */
const canonicalJson = <T>(guard: Guard<T>): Form<T> => ({
  ...json(guard),
  write: (value) => canonicalize(value)!,
});

const forms = {
  /** Kind of the artifact, of which its columns follow. */
  kind: text(oneOf(artifactKinds)),
  /** The stage kind that wrote it. */
  stage: text(isText),
  /** The step key. */
  key: text(isText),
  /** SHA-256 of each input of the step, by its name. */
  inputs: canonicalJson(recordOf(isText)),
  /** Of the format. */
  version: text(isText),

  /** height, width and channels of the images of a `dataset`. */
  shape: json(isImageShape),
  /** Number of classes of a `dataset`. */
  classes: json(isNumber),
  classNames: json(listOf(isText)),
  source: json(isDataSource),
  /** Which part of a data set a `dataset` is. */
  part: text(oneOf(['train', 'test'])),

  /** Where each tensor lies in the flat vector of weights. */
  layout: json(listOf(isTensorPlace)),
  /** How the weights came to be that this is of or from. */
  training: json(isTraining),
  /** The data that they were trained on. */
  data: json(isDataDigests),
  /** Where the moments of batch normalization come from in an evaluation, in words; absent for a network without. */
  statistics: text(isText),
  /** SHA-256 of the dataset that an `evaluation` is on. */
  evaluatedOn: text(isText),

  /** How the eigenpairs of a Hessian were found. */
  hessian: json(isHessianContext),
  trace: json(isTraceContext),
  density: json(isDensityContext),
  /** How curvature was measured along a training. */
  curvature: json(isCurvatureContext),
  /** How principal components were taken. */
  pca: json(isPcaContext),
  /** That the basis of this has fewer eigenpairs than were asked for, in words; absent where it has all. */
  shortcoming: text(isText),

  /** Steps from one row to the next of a trajectory that was thinned out, or a series of one; absent if there is every step. */
  every: json(isNumber),
  /** Of a `series` that is a random sketch: its length and the seed of its matrix. */
  sketch: json(isSketchContext),

  /** lambda_i in the directions of a `series`. */
  eigenvalues: json(isEigenvalues),
  /** What theta of a `series` is relative to, in words. */
  reference: text(isText),
  toy: json(isToyContext),
  analysis: json(isAnalysisContext),
  noise: json(isNoiseContext),
  /** How C and H compare within each layer. */
  layers: json(isLayersContext),
  /** Assumptions that do not hold, in words, of a `spectrum` or of `parameters`. */
  notes: json(listOf(isText)),

  /** Axes of the matrix that tell the rows of a `collection` apart. */
  axes: json(listOf(isText)),
  /** Stage and output that a `collection` gathers. */
  collected: text(isText),
};

/** The value of each key. */
export type Metadata = {
  readonly [K in keyof typeof forms]: (typeof forms)[K] extends Form<infer T> ? T : never;
};

export type MetadataKey = keyof Metadata;

const formOf: { readonly [K in MetadataKey]: Form<Metadata[K]> } = forms;

export const metadataKeys = Object.keys(forms) as readonly MetadataKey[];

/** A file with metadata: an opened table, or what is read of one alone. */
export interface Described {
  readonly kind: ArtifactKind;
  /** Where it lies, for errors. */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Name of a key in a file. */
export function metadataName(key: MetadataKey): string {
  return `epochal.${key}`;
}

/** The metadata of a file with these values; those that are undefined are left out. */
export function writeMetadata(
  values: {
    readonly [K in MetadataKey]?: Metadata[K] | undefined;
  },
): Record<string, string> {
  const write = <K extends MetadataKey>(key: K, value: Metadata[K] | undefined) =>
    value === undefined ? [] : [[metadataName(key), formOf[key].write(value)]];
  return Object.fromEntries(metadataKeys.flatMap((key) => write(key, values[key])));
}

/** The value of a key that this file must have. Throws {@link DamagedArtifactError} if it is not there, or not of its type. */
export function readMetadata<K extends MetadataKey>(file: Described, key: K): Metadata[K] {
  const value = findMetadata(file, key);
  if (value !== undefined) return value;
  throw new DamagedArtifactError(`${file.path} (${file.kind}) has no ${metadataName(key)} in its metadata.`);
}

/** The value of a key, or undefined if the file does not have it. Throws {@link DamagedArtifactError} if it is not of its type. */
export function findMetadata<K extends MetadataKey>(
  { kind, path, metadata }: Described,
  key: K,
): Metadata[K] | undefined {
  const name = metadataName(key);
  const said = metadata[name];
  if (said === undefined) return undefined;
  const { parse, guard } = formOf[key];
  try {
    const value = parse(said);
    if (guard(value)) return value;
  } catch {
    // It is no JSON.
  }
  const start = said.length > 100 ? `${said.slice(0, 100)}...` : said;
  throw new DamagedArtifactError(
    `${path} (${kind}) has another ${name} in its metadata than this version writes: got ${start}`,
  );
}

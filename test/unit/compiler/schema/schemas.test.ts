import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { artifactKinds } from '../../../../artifacts/reference.ts';
import { publishedSchema } from '../../../../compiler/docs/published-schema.ts';
import { typesText } from '../../../../compiler/docs/types-text.ts';
import { figureKinds, stageKinds } from '../../../../compiler/index.ts';
import { schemas, validateWith } from '../../../../compiler/schema/schemas.ts';
import { edit, sweep, tiny, withMatrix } from '../pipelines.ts';

const read = (name: string) => readFileSync(new URL(`../../../../schemas/${name}`, import.meta.url), 'utf8');

describe('generated files', () => {
  it('are up to date', async () => {
    expect(read('pipeline.schema.json')).toBe(`${JSON.stringify(publishedSchema(), null, 2)}\n`);
    expect(read('types.ts')).toBe(await typesText());
  });
});

describe('the published schema', () => {
  const validate = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(
    publishedSchema(),
  );

  it.each([
    ['tiny', tiny],
    ['sweep', sweep],
    [
      'a computed axis',
      withMatrix('batchSize: ${{ [1, 2] }}\nrate: { range: [1, "${{ params.batchSize }}"] }'),
    ],
    ['a computed model', edit(tiny, '{ name: mlp }', '${{ params.size }}')],
  ])('accepts %s', (_, text) => {
    validate(parse(text));
    expect(validate.errors ?? []).toEqual([]);
  });

  it.each([
    ['an unknown key', edit(tiny, 'epochs: 3', 'epochz: 3')],
    ['an unknown stage kind', edit(tiny, 'uses: train', 'uses: trian')],
    ['a literal for an artifact', edit(tiny, '"${{ stages.train.state }}"', 'weights.arrow')],
    ['a text for a number', edit(tiny, 'epochs: 3', 'epochs: many')],
  ])('refuses %s', (_, text) => {
    expect(validate(parse(text))).toBe(false);
  });
});

describe('stage kinds', () => {
  it.each(Object.values(stageKinds))(
    '$uses: its inputs are the artifact keys of its schema',
    ({ uses, inputs, outputs }) => {
      const sample = Object.fromEntries(
        Object.keys(schemas.stages[uses]!.properties).map((key) => [key, {}]),
      );
      const { artifacts } = validateWith(uses, sample);
      expect(Object.fromEntries(artifacts.map(({ path, kinds }) => [path.join('.'), kinds]))).toEqual(
        Object.fromEntries(Object.entries(inputs).map(([key, kinds]) => [key, [kinds].flat()])),
      );
      expect(artifactKinds).toEqual(expect.arrayContaining(Object.values(outputs)));
    },
  );
});

it('the language names the figures that the report knows', () => {
  expect(schemas.language.$defs.Figure.properties.kind.enum).toEqual(Object.keys(figureKinds));
});

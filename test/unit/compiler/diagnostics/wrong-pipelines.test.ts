import { describe, expect, it } from 'vitest';
import { compile, type Diagnostic, PipelineError } from '../../../../compiler/index.ts';
import { edit, errorsOf, sweep, tiny, withMatrix } from '../pipelines.ts';

/** name, text, line:column of the first error, part of its message, part of its cure */
type Row = readonly [string, string, string, string, string?];

const from = '"${{ stages.train.state }}"';
const report = (figure: string) => `${tiny}report:\n  figures:\n    - ${figure}\n`;

const syntax: readonly Row[] = [
  ['an empty file', '', '1:1', 'the file is empty', 'version: 1'],
  ['only comments', '# nothing\n', '1:1', 'the file is empty'],
  ['a list', '- 1\n', '1:1', 'expected a map, got a list of 1'],
  ['a text', 'hello\n', '1:1', 'expected a map, got the text "hello"'],
  ['a tab', edit(tiny, '    uses: record', '\tuses: record'), '21:1', 'a tab as indentation', 'spaces'],
  [
    'a tab after spaces',
    edit(tiny, '    uses: record', '  \tuses: record'),
    '21:3',
    'a tab as indentation',
    'spaces',
  ],
  [
    'a duplicate key',
    edit(tiny, '      epochs: 3\n', '      epochs: 3\n      epochs: 4\n'),
    '18:7',
    '`epochs` stands here twice',
  ],
  ['two documents', `${tiny}---\nversion: 1\n`, '23:1', 'a second YAML document', 'a file of its own'],
  [
    'an open quote',
    edit(tiny, 'name: tiny', 'name: "tiny'),
    '2:7',
    'in quotes is not closed',
    'end it with `"`',
  ],
  [
    'an open quote before an expression',
    edit(tiny, '${{ stages.data.train }}', '"${{ stages.data.train }}'),
    '15:13',
    'in quotes is not closed',
    'end it with `"`',
  ],
  [
    'an open quote inside { }',
    edit(tiny, '"${{ params.rate }}"', "'${{ params.rate }}"),
    '19:45',
    'in quotes is not closed',
    "end it with `'`",
  ],
  [
    'an indentation that fits no line',
    edit(tiny, '      batchSize: ${{', '     batchSize: ${{'),
    '18:1',
    'indented by 5 spaces',
    'indent it by 6',
  ],
  [
    'an open brace',
    edit(tiny, '{ name: mlp }', '{ name: mlp'),
    '16:14',
    'this `{` is not closed',
    'end it with `}`',
  ],
  [
    'an open brace above an expression',
    edit(edit(tiny, '      epochs: 3\n', ''), '{ name: mlp }', '{ name: mlp'),
    '16:14',
    'this `{` is not closed',
    'end it with `}`',
  ],
  [
    'an open bracket',
    edit(tiny, '{ name: mlp }', '{ name: mlp, hidden: [3 }'),
    '16:35',
    'this `[` is not closed',
    'end it with `]`',
  ],
  ['one brace too many', edit(tiny, 'mlp }', 'mlp }}'), '16:27', 'this `}` closes nothing', 'remove it'],
  ['no colon', edit(tiny, 'epochs: 3', 'epochs 3'), '17:7', 'a colon is missing', 'write `epochs: 3`'],
  [
    'no colon before an expression',
    edit(tiny, 'batchSize: ${{', 'batchSize ${{'),
    '18:7',
    'a colon is missing',
    'write `batchSize: ${{ params.batchSize }}`',
  ],
  [
    'no space after the colon',
    edit(tiny, 'epochs: 3', 'epochs:3'),
    '17:7',
    'a space is missing',
    'write `epochs: 3`',
  ],
  [
    'an expression inside { } without quotes',
    edit(tiny, 'name: mlp }', 'name: ${{ params.size }} }'),
    '16:22',
    'breaks the YAML around it',
    'put it in quotes: "${{ params.size }}"',
  ],
  [
    'two of them',
    edit(tiny, '{ name: mlp }', '{ name: ${{ params.size }}, activation: ${{ params.rate }} }'),
    '16:22',
    'breaks the YAML around it',
    'put each expression in quotes',
  ],
  [
    'an expression with ` : `',
    edit(tiny, 'epochs: 3', 'epochs: ${{ params.rate > 1 ? 1 : 2 }}'),
    '17:15',
    'breaks the YAML around it',
    'put it in quotes',
  ],
  [
    'a text around an expression with ` : `',
    edit(tiny, 'size: small', 'size: eta ${{ params.rate > 1 ? 1 : 2 }}'),
    '6:13',
    'breaks the YAML around it',
    'put the whole value in quotes: "eta ',
  ],
  ['a colon in a value', edit(tiny, 'name: tiny', 'name: a: b'), '2:7', 'without quotes', 'put it in quotes'],
  [
    'a character of YAML',
    edit(tiny, 'epochs: 3', 'epochs: @3'),
    '17:15',
    'cannot begin with `@`',
    'remove it',
  ],
  [
    'a line that is indented too far',
    edit(tiny, '  rate: 0.1', '    rate: 0.1'),
    '5:1',
    'indented by 4 spaces',
    'indent it by 2',
  ],
  [
    'the first line of a section, indented a bit',
    edit(tiny, '  train:\n', '   train:\n'),
    '12:1',
    'indented by 3 spaces',
    'indent it by 2',
  ],
  [
    'a stage that is not indented',
    edit(tiny, '  data:\n', 'data:\n'),
    '8:1',
    'indented by 0 spaces',
    'indent it by 2',
  ],
  [
    'a section that is indented',
    edit(tiny, 'stages:\n', ' stages:\n'),
    '7:1',
    'indented by 1 space,',
    'indent it by 0',
  ],
  [
    'a no-break space in the indentation, far above of what it breaks',
    edit(tiny, '  train:\n', '\u00a0 train:\n'),
    '12:1',
    'a no-break space (U+00A0)',
    'type a plain space',
  ],
  [
    'a dash before a key',
    edit(tiny, '      epochs: 3', '      - epochs: 3'),
    '17:7',
    'this dash begins a list',
    'remove it',
  ],
  [
    'no open brace',
    edit(tiny, '{ name: mlp }', 'name: mlp, hidden: [3] }'),
    '16:14',
    'a `{` is missing before this',
    'begin it with `{`',
  ],
  [
    'no colon before a brace',
    edit(tiny, 'model: { name: mlp }', 'model { name: mlp }'),
    '16:7',
    'unknown key `model { name`',
    'with a colon and a space',
  ],
  [
    'a no-break space as indentation',
    edit(tiny, '      epochs: 3', '    \u00a0 epochs: 3'),
    '17:5',
    'a no-break space (U+00A0)',
    'type a plain space',
  ],
  [
    'a zero-width space in a key',
    edit(tiny, 'epochs: 3', '\u200bepochs: 3'),
    '17:7',
    'a zero-width space (U+200B) stands in this key',
    'remove it',
  ],
  [
    'a control character in a key',
    edit(tiny, 'epochs', 'ep\u0000ochs'),
    '17:9',
    'a control character (U+0000)',
    'remove it',
  ],
  [
    'typographic quotes around an expression',
    edit(tiny, '"${{ params.rate }}"', '\u201c${{ params.rate }}\u201d'),
    '19:45',
    'a typographic quote (U+201C)',
    'type `"`',
  ],
  [
    'typographic quotes around a number',
    edit(tiny, 'epochs: 3', 'epochs: \u201c3\u201d'),
    '17:15',
    'a typographic quote (U+201C)',
    'type `"`',
  ],
  [
    'a dash as minus',
    edit(tiny, 'epochs: 3', 'epochs: \u20133'),
    '17:15',
    'expected a whole number',
    'a dash (U+2013)',
  ],
  [
    'a dash in an expression',
    edit(tiny, '${{ params.rate }}', '${{ 1 \u2013 params.rate }}'),
    '19:52',
    'a dash (U+2013)',
    'type `-`',
  ],
  [
    'two mistakes, each with its cure',
    edit(
      edit(tiny, '{ name: mlp }', '{ name: ${{ params.size }} }'),
      '"${{ params.rate }}"',
      '${{ params.rate }}',
    ),
    '16:22',
    'breaks the YAML around it',
    'put it in quotes: "${{ params.size }}"',
  ],
  [
    'an indentation above another mistake',
    edit(edit(tiny, '      epochs: 3', '     epochs: 3'), 'epochs: 1 }', 'epochs: 1'),
    '17:1',
    'indented by 5 spaces',
    'indent it by 6',
  ],
  [
    'an open brace and an expression without quotes',
    edit(tiny, '"${{ params.rate }}" }', '${{ params.rate }}'),
    '19:18',
    'this `{` is not closed',
    'end it with `}`, and put expressions inside of it in quotes',
  ],
  [
    'no colon above deeper lines',
    edit(tiny, '  train:\n', '  train\n'),
    '12:3',
    'a colon is missing',
    'write `train:`',
  ],
  [
    'a comma too many',
    edit(tiny, '{ name: mlp }', '{ name: mlp,, }'),
    '16:26',
    'nothing stands before this comma',
    'remove it',
  ],
  [
    'text behind quotes',
    edit(tiny, 'size: small', 'size: "a" or b'),
    '6:9',
    'cannot stand without quotes',
    `put it in quotes: '"a" or b'`,
  ],
  [
    'a colon without a key',
    edit(tiny, '  size: small', '  : small'),
    '6:3',
    'a key is missing',
    'write the key',
  ],
  [
    'a no-break space below a comment with a dash',
    edit(edit(tiny, 'version: 1', 'version: 1 # one \u2013 of one'), 'epochs: 3', 'epochs:\u00a03'),
    '17:14',
    'a no-break space (U+00A0)',
    'type a plain space',
  ],
  [
    'a no-break space behind a value',
    edit(tiny, 'epochs: 3', 'epochs: 3\u00a0'),
    '17:16',
    'a no-break space (U+00A0)',
    'type a plain space',
  ],
  [
    'typographic quotes around a text',
    edit(tiny, 'size: small', 'size: \u201csmall\u201d'),
    '6:9',
    'a typographic quote (U+201C)',
    'type `"`, and for the others like it',
  ],
  [
    'a duplicate key far from its like',
    edit(tiny, '      batchSize: ${{', '      epochs: 3\n      batchSize: ${{'),
    '18:7',
    '`epochs` stands here twice',
  ],
  ['a merge of what is no map', edit(tiny, 'epochs: 3', '<<: 3'), '17:11', '`<<` merges maps', '<<: *name'],
  [
    'an alias inside of itself',
    edit(tiny, 'size: small', 'size: &a [*a]'),
    '6:13',
    'stands inside of what it repeats',
    'write the value out',
  ],
  [
    'an unknown alias',
    edit(tiny, 'epochs: 3', 'epochs: *few'),
    '17:15',
    'the alias `*few` has no anchor',
    '&few',
  ],
  [
    'an unknown tag',
    edit(tiny, 'epochs: 3', 'epochs: !many 3'),
    '17:15',
    'a tag that means nothing',
    'remove it',
  ],
  ['infinity', edit(tiny, 'epochs: 3', 'epochs: .inf'), '17:15', 'Infinity is not a finite number'],
  ['a number beyond 2^53', edit(tiny, 'epochs: 3', 'epochs: 9007199254740993'), '17:15', 'beyond'],
];

const skeleton: readonly Row[] = [
  ['no version', edit(tiny, 'version: 1\n', ''), '1:1', '`version` is missing', 'add `version: 1`'],
  ['another version', edit(tiny, 'version: 1', 'version: 2'), '1:10', 'expected `1`, got 2'],
  ['a name with spaces', edit(tiny, 'name: tiny', 'name: My Study'), '2:7', 'expected lowercase letters'],
  [
    'an unknown section',
    edit(tiny, 'params:', 'parameters:'),
    '3:1',
    'unknown key `parameters`',
    'known keys',
  ],
  [
    'a misspelled section',
    edit(tiny, 'params:', 'param:'),
    '3:1',
    'unknown key `param`',
    'did you mean `params`?',
  ],
  [
    'a param with a dash',
    edit(tiny, 'size:', 'my-size:'),
    '6:3',
    '`my-size` cannot be a name',
    'letters, digits and _',
  ],
  ['a reserved word as param', edit(tiny, 'size:', 'in:'), '6:3', '`in` cannot be a name', 'reserved word'],
  // Every object of JavaScript has these already, so that maps by name would find what nobody wrote.
  ...['constructor', 'toString', 'hasOwnProperty', 'valueOf'].map(
    (word): [string, string, string, string, string] => [
      `${word} as param`,
      edit(tiny, 'size:', `${word}:`),
      '6:3',
      `\`${word}\` cannot be a name`,
      'reserved word',
    ],
  ),
  [
    'an empty stage',
    `${tiny}  fit:\n`,
    '23:3',
    'expected a map, got nothing',
    'remove it if it can be left out',
  ],
  ['a misspelled key', edit(tiny, 'uses: record', 'use: record'), '21:5', 'unknown key `use`', '`uses`'],
  [
    'an unknown stage kind',
    edit(tiny, 'uses: train', 'uses: trian'),
    '13:11',
    'no stage kind `trian`',
    '`train`',
  ],
  [
    'an unlike stage kind',
    edit(tiny, 'uses: train', 'uses: xyzzy'),
    '13:11',
    'no stage kind',
    '`curvature`, `dataset`',
  ],
  [
    'collect as a stage',
    edit(tiny, 'uses: record', 'uses: collect'),
    '21:11',
    'over all cells',
    'under `collect:`',
  ],
  [
    'a stage as collect',
    `${tiny}collect:\n  all: { uses: fit }\n`,
    '24:16',
    'in one cell',
    'under `stages:`',
  ],
  [
    'a timeout in words',
    edit(tiny, 'uses: record', 'uses: record\n    timeout: 12 hours'),
    '22:14',
    'a duration such as',
  ],
  [
    'no threads',
    edit(tiny, 'uses: record', 'uses: record\n    resources: { threads: 0 }'),
    '22:27',
    'from 1 to 1024, got 0',
  ],
  [
    'an unknown need',
    edit(tiny, 'uses: record', 'uses: record\n    needs: [trian]'),
    '22:13',
    'no stage `trian`',
    '`train`',
  ],
  [
    'an expression as kind',
    edit(tiny, 'uses: record', 'uses: ${{ params.size }}'),
    '21:11',
    'cannot be an expression',
  ],
  [
    'an expression as name',
    edit(tiny, 'name: tiny', 'name: ${{ params.size }}'),
    '2:7',
    '`name` cannot be an expression',
  ],
  [
    'params as an expression',
    edit(
      tiny,
      'name: tiny\nparams:\n  batchSize: 50\n  rate: 0.1\n  size: small\n',
      'name: tiny\nparams: ${{ {} }}\n',
    ),
    '3:9',
    '`params` cannot be an expression',
  ],
];

const values: readonly Row[] = [
  [
    'a param without a value',
    edit(tiny, 'rate: 0.1', 'rate:'),
    '5:3',
    '`params.rate` has no value',
    '`null` stands for none',
  ],
  [
    'a decimal with a comma in braces',
    edit(tiny, '{ name: mlp }', '{ name: mlp, initialScale: 0,5 }'),
    '16:27',
    'unknown key',
  ],
  [
    'a decimal with a comma',
    edit(tiny, '"${{ params.rate }}"', '"0,5"'),
    '19:45',
    'got the text "0,5"',
    'write `0.5`, with a point',
  ],
  [
    'a unit after a number',
    edit(tiny, 'epochs: 3', 'epochs: 3 times'),
    '17:15',
    'got the text "3 times"',
    'write `3` alone',
  ],
  [
    'a wrong value that came from a param',
    edit(tiny, 'batchSize: 50', 'batchSize: "50"'),
    '18:18',
    'got the text "50"',
    'it is written in line 4: remove the quotes',
  ],
  [
    'a wrong value that came from a param by way of another one and a choice',
    edit(
      edit(
        tiny,
        '  size: small',
        '  size: small\n  sizes:\n    small: { epochs: many }\n  use: ${{ params.sizes[params.size] }}',
      ),
      'epochs: 3',
      'epochs: ${{ params.use.epochs }}',
    ),
    '20:15',
    'got the text "many"',
    'it is written in line 8',
  ],
  [
    'a wrong value of an axis',
    withMatrix('batchSize:\n  - 10\n  - -1'),
    '23:18',
    'got -1 in cell `batchSize=-1`',
    'it is written in line 11',
  ],
  [
    'a list where keys belong',
    edit(tiny, '      name: mnist-digits', '      - name: mnist-digits'),
    '11:7',
    'got a list of 1',
    'no dash before them',
  ],

  [
    'no space after a colon, in braces',
    edit(tiny, '{ name: mlp }', '{ name:mlp }'),
    '16:16',
    'unknown key `name:mlp`',
    'write `name: mlp`, with a colon and a space',
  ],
  [
    'a misspelled key beside the right one',
    edit(tiny, 'epochs: 3', 'epochs: 3\n      epoch: 3'),
    '18:7',
    'unknown key `epoch`',
    'remove it: `epochs` stands here already',
  ],
  [
    'a setting of the kind beside it',
    edit(tiny, '    uses: train\n', '    uses: train\n    sampling: sequential\n'),
    '14:5',
    'unknown key `sampling`',
    'move it under `with:`',
  ],
  [
    'a setting of the stage under `with`',
    edit(tiny, 'epochs: 3', 'epochs: 3\n      timeout: 3h'),
    '18:7',
    'unknown key `timeout`',
    'move it out of `with:`',
  ],
  [
    'a list item that is empty',
    edit(tiny, 'uses: record', 'uses: record\n    needs:\n      -'),
    '23:7',
    'got nothing',
  ],
  [
    'a number of a unit',
    edit(tiny, 'uses: record', 'uses: record\n    timeout: 300'),
    '22:14',
    'a duration such as',
    'with its unit: `300s`',
  ],
  [
    'a duration with its unit in words',
    edit(tiny, 'uses: record', 'uses: record\n    timeout: 12 hours'),
    '22:14',
    'a duration such as',
    'write `12h`',
  ],
  [
    'a name in capitals',
    edit(tiny, 'name: tiny', 'name: Tiny Study'),
    '2:7',
    'lowercase',
    'write `tiny-study`',
  ],
  [
    'an unknown key',
    edit(tiny, 'epochs: 3', 'epochz: 3'),
    '17:7',
    'unknown key `epochz` in `stages.train.with`',
    'did you mean `epochs`?',
  ],
  [
    'an unknown nested key',
    edit(tiny, '{ name: mlp }', '{ name: mlp, hiden: [8] }'),
    '16:27',
    'unknown key `hiden`',
    '`hidden`',
  ],
  [
    'a missing key',
    edit(tiny, '      epochs: 3\n', ''),
    '14:5',
    '`stages.train.with` lacks `epochs`',
    'a whole number of at least 0',
  ],
  [
    'no with',
    edit(tiny, '    with: { from: "${{ stages.train.state }}", epochs: 1 }\n', ''),
    '20:3',
    'lacks `from`',
    'of kind state',
  ],
  [
    'a quoted number',
    edit(tiny, 'epochs: 3', 'epochs: "3"'),
    '17:15',
    'got the text "3"',
    'remove the quotes',
  ],
  [
    'a fraction',
    edit(tiny, 'epochs: 3', 'epochs: 2.5'),
    '17:15',
    'expected a whole number of at least 0, got 2.5',
    'round',
  ],
  ['below the minimum', edit(tiny, 'epochs: 3', 'epochs: -1'), '17:15', 'at least 0, got -1'],
  [
    'outside an enum',
    edit(tiny, 'mnist-digits', 'mnist-digit'),
    '11:13',
    'expected one of',
    'did you mean `mnist-digits`?',
  ],
  [
    'a list of wrong items',
    edit(tiny, '{ name: mlp }', '{ name: mlp, hidden: [8, x] }'),
    '16:39',
    '`stages.train.with.model.hidden[1]`',
  ],
  [
    'a number for a list',
    edit(tiny, '{ name: mlp }', '{ name: mlp, hidden: 8 }'),
    '16:35',
    'expected a list, got 8',
    '[8]',
  ],
];

const expressions: readonly Row[] = [
  [
    'a key that a param names and the map has not',
    edit(tiny, 'epochs: 3', `epochs: '\${{ {"smal": 1, "large": 2}[params.size] }}'`),
    '17:20',
    'there is no key `small`',
    'keys: `smal`, `large`',
  ],
  [
    'a map as a key of a map',
    edit(tiny, '  size: small', '  size: { a: 1 }\n  one: ${{ params.size[params.size] }}'),
    '7:12',
    'a key of a map is a text or a number',
  ],

  [
    'unquoted in { }',
    edit(tiny, from, '${{ stages.train.state }}'),
    '22:19',
    'breaks the YAML around it',
    'put it in quotes: "${{ stages.train.state }}"',
  ],
  [
    'unquoted in [ ]',
    edit(tiny, '{ name: mlp }', '{ name: mlp, hidden: [${{ params.batchSize }}] }'),
    '16:36',
    'breaks the YAML',
    'quotes',
  ],
  [
    'an unquoted ternary',
    edit(tiny, 'epochs: 3', 'epochs: ${{ true ? 1 : 2 }}'),
    '17:15',
    'breaks the YAML',
    'quotes',
  ],
  [
    'an unquoted comment sign',
    edit(tiny, 'epochs: 3', 'epochs: ${{ size("a #b") }}'),
    '17:15',
    'not closed',
    'in quotes',
  ],
  [
    'one closing brace',
    edit(tiny, '${{ params.batchSize }}', '${{ params.batchSize }'),
    '18:18',
    'not closed',
    '`}}`',
  ],
  [
    'braces without dollar',
    edit(tiny, 'epochs: 3', 'epochs: {{ params.batchSize }}'),
    '17:16',
    'plain word',
    'with a dollar sign',
  ],
  [
    'quoted braces without dollar',
    edit(tiny, 'epochs: 3', 'epochs: "{{ params.batchSize }}"'),
    '17:16',
    'looks like an expression',
    'with a dollar sign',
  ],
  [
    'a single brace',
    edit(tiny, 'epochs: 3', 'epochs: ${params.batchSize}'),
    '17:15',
    'looks like an expression',
    '${{',
  ],
  [
    'no braces',
    edit(tiny, 'epochs: 3', 'epochs: params.batchSize'),
    '17:15',
    'looks like an expression',
    '${{ params.batchSize }}',
  ],
  ['an empty expression', edit(tiny, 'epochs: 3', 'epochs: ${{ }}'), '17:18', 'an empty expression'],
  [
    'an unknown param',
    edit(tiny, 'params.batchSize', 'params.batchSzie'),
    '18:29',
    'no param `batchSzie`',
    'did you mean `batchSize`?',
  ],
  [
    'the matrix of GitHub Actions',
    edit(tiny, 'params.batchSize', 'matrix.batchSize'),
    '18:22',
    '`matrix` is not known',
    'params.<axis>',
  ],
  [
    'a bare param',
    edit(tiny, 'params.batchSize', 'batchSize'),
    '18:22',
    '`batchSize` is not known',
    'did you mean `params.batchSize`?',
  ],
  ['params alone', edit(tiny, 'params.batchSize', 'params'), '18:22', '`params` alone', 'params.seed'],
  [
    'an unquoted text',
    edit(tiny, 'epochs: 3', "epochs: '${{ params.size == paper ? 1 : 2 }}'"),
    '17:35',
    '`paper` is not known',
    '"paper"',
  ],
  [
    'a type error',
    edit(tiny, 'params.rate', 'params.rate + params.size'),
    '19:50',
    '`+` cannot take a decimal and a text',
    'string(x)',
  ],
  [
    'an unknown function',
    edit(tiny, 'params.rate', 'squrt(params.rate)'),
    '19:50',
    'no function `squrt`',
    '`sqrt`',
  ],
  ['an assignment', edit(tiny, 'params.rate', 'params.rate = 1'), '19:62', 'not a valid expression', '`==`'],
  [
    'branches of two types',
    edit(tiny, 'params.rate', "true ? 'a' : 1"),
    '19:50',
    'the two branches of `? :` are a text and a whole number',
  ],
  [
    'a key that a map lacks',
    edit(edit(tiny, 'params.rate', '2.0 * params.use.rat'), 'params:', 'params:\n  use: { rate: 0.1 }'),
    '20:67',
    'there is no key `rat`',
    'did you mean `rate`?',
  ],
  [
    'a key that a map lacks, in a macro',
    edit(tiny, '"${{ params.rate }}"', `'\${{ [{"rate": 0.1}].map(one, one.rat)[0] }}'`),
    '19:79',
    'there is no key `rat`',
  ],
  ['division by zero', edit(tiny, 'params.rate', '1 / (params.batchSize - 50)'), '19:50', 'division by zero'],
  [
    'an index out of a list',
    edit(tiny, 'params.rate', '[0.1][params.batchSize]'),
    '19:50',
    'there is no value at 50 of a list of 1',
  ],
  [
    'a list inside a text',
    edit(tiny, 'mnist-digits', 'mnist-${{ [1] }}'),
    '11:22',
    'cannot stand inside a text',
  ],
  [
    'a value of the wrong type',
    edit(tiny, 'rate: 0.1', 'rate: fast'),
    '19:45',
    'expected a number above 0, got the text "fast"',
  ],
  [
    'a param computed from one below',
    edit(tiny, '  rate: 0.1', '  rate: ${{ params.last }}\n  last: 1'),
    '5:20',
    '`last` stands below `rate`',
    'move `last` above',
  ],
  [
    'params computed from each other',
    edit(tiny, '  rate: 0.1', '  rate: ${{ params.last }}\n  last: ${{ params.rate }}'),
    '5:20',
    '`rate` and `last` are computed from each other',
    'write one of them out',
  ],
  [
    'a param computed from itself',
    edit(tiny, 'rate: 0.1', 'rate: ${{ params.rate }}'),
    '5:20',
    'computed from itself',
  ],
];

const references: readonly Row[] = [
  [
    'an output of its own',
    edit(tiny, 'stages.train.state', 'stages.recrd.mean'),
    '22:31',
    'no stage `recrd`',
    'write `${{ stages.train.state }}`',
  ],
  [
    'an output of its own without braces',
    edit(tiny, from, 'stages.record.mean'),
    '22:19',
    'takes a state artifact',
    'write `${{ stages.train.state }}`',
  ],
  [
    'an output that is not there, like one of another kind',
    edit(tiny, 'stages.train.state', 'stages.train.histry'),
    '22:37',
    'no output `histry`',
    'write `${{ stages.train.state }}`',
  ],
  [
    'an unknown stage where a plain value belongs',
    edit(tiny, 'epochs: 3', 'epochs: ${{ stages.dta.train }}'),
    '17:19',
    'does not take an artifact',
    'plain values come from `params`',
  ],
  [
    'an unknown stage, like one that is waited for already',
    edit(tiny, 'uses: record', 'uses: record\n    needs: [data, dta]'),
    '22:19',
    'no stage `dta`',
    'stages: `train`',
  ],
  [
    'an unknown stage',
    edit(tiny, 'stages.train.state', 'stages.trian.state'),
    '22:31',
    'no stage `trian`',
    'did you mean `train`?',
  ],
  [
    'an unknown output',
    edit(tiny, 'stages.train.state', 'stages.train.stat'),
    '22:37',
    'no output `stat`',
    '`state`',
  ],
  [
    'no output',
    edit(tiny, 'stages.train.state', 'stages.train'),
    '22:24',
    'names no output',
    'write `${{ stages.train.state }}`',
  ],
  [
    'a member of an output',
    edit(tiny, 'stages.train.state', 'stages.train.state.weights'),
    '22:43',
    'no members',
  ],
  [
    'the wrong kind',
    edit(tiny, 'stages.train.state', 'stages.train.history'),
    '22:24',
    'takes a state artifact, but `stages.train.history` is a history',
    'write `${{ stages.train.state }}`',
  ],
  [
    'a literal',
    edit(tiny, from, './weights.arrow'),
    '22:19',
    'takes a state artifact, got the text "./weights.arrow"',
    'write `${{ stages.train.state }}`',
  ],
  ['a number', edit(tiny, from, '7'), '22:19', 'takes a state artifact, got 7'],
  ['a param', edit(tiny, 'stages.train.state', 'params.size'), '22:24', 'not a plain value'],
  [
    'inside a longer text',
    edit(tiny, from, '"the ${{ stages.train.state }}"'),
    '22:19',
    'takes a state artifact, got the text',
  ],
  [
    'without braces',
    edit(tiny, from, 'stages.train.state'),
    '22:19',
    'looks like an expression',
    '${{ stages.train.state }}',
  ],
  [
    'for a plain value',
    edit(tiny, 'epochs: 3', 'epochs: ${{ stages.data.train }}'),
    '17:19',
    'does not take an artifact',
  ],
  [
    'in a condition',
    edit(tiny, 'stages.train.state', "stages.train.state == '' ? stages.train.state : stages.train.state"),
    '22:24',
    'only be the whole value',
  ],
  [
    'cells in a stage',
    edit(tiny, 'stages.train.state', 'cells.train.state'),
    '22:24',
    '`cells` is not known here',
    'stages.train.state',
  ],
  [
    'stages in a collect',
    edit(sweep, 'cells.fit', 'stages.fit'),
    '38:51',
    '`stages` is not known here',
    'cells.fit.parameters',
  ],
  [
    'a collect of the wrong kind',
    edit(sweep, 'cells.fit.parameters', 'cells.train.state'),
    '38:51',
    'takes a parameters or evaluation or history artifact',
    'of that kind: `cells.fit.parameters`',
  ],
  [
    'itself',
    edit(tiny, 'stages.train.state', 'stages.record.state'),
    '22:24',
    'stage `record` waits for itself',
  ],
  [
    'a cycle',
    edit(tiny, 'uses: train', 'uses: train\n    needs: [record]'),
    '23:24',
    'train -> record -> train',
    'waits for',
  ],
  [
    'an unknown axis to collect by',
    edit(sweep, '[batchSize, seed]', '[batchSize, seeds]'),
    '38:93',
    'no axis `seeds`',
    '`seed`',
  ],
  [
    'a figure of the wrong kind',
    report('{ kind: correlation-time, from: "${{ stages.train.history }}" }'),
    '25:44',
    'takes a spectrum artifact',
  ],
  [
    'an unknown figure',
    report('{ kind: training-curve, from: "${{ stages.train.history }}" }'),
    '25:15',
    'expected one of',
    '`training-curves`',
  ],
  [
    'a fit that cannot be drawn',
    report(
      '{ kind: training-curves, from: "${{ stages.train.history }}", fit: "${{ stages.train.history }}" }',
    ),
    '25:69',
    'takes no fit',
    'correlation-time',
  ],
  [
    'a figure of an unknown table',
    edit(sweep, 'collect.sweep.table', 'collect.swept.table'),
    '48:25',
    'named `swept`',
    '`sweep`',
  ],
];

const matrices: readonly Row[] = [
  [
    'an axis zipped with itself',
    withMatrix('batchSize: [1, 2]\nrate: [0.1, 0.2]\nzip: [[batchSize, batchsize]]'),
    '11:23',
    'no axis `batchsize`',
    'axes: `rate`',
  ],
  ['an empty axis', withMatrix('batchSize: []'), '9:16', 'at least one value'],
  [
    'a number as axis',
    withMatrix('batchSize: 50'),
    '9:16',
    'a list of values, or `{ range: [from, to] }`, got 50',
  ],
  ['a range of one', withMatrix('batchSize: { range: [1] }'), '9:25', '`[from, to]` or `[from, to, step]`'],
  [
    'a misspelled range',
    withMatrix('batchSize: { rnage: [1, 2] }'),
    '9:18',
    'unknown key `rnage`',
    '`range`',
  ],
  ['a range of texts', withMatrix('batchSize: { range: [a, b] }'), '9:26', 'expected a number'],
  ['an empty range', withMatrix('batchSize: { range: [5, 1] }'), '9:25', 'from 5 to 1 by 1 is empty'],
  ['a step of 0', withMatrix('batchSize: { range: [1, 5, 0] }'), '9:25', 'the step of the range is 0'],
  [
    'an axis from one below',
    withMatrix('rate: ["${{ 0.1 * params.batchSize }}"]\nbatchSize: [1, 2]'),
    '9:30',
    '`rate` depends on `batchSize`',
    'move `batchSize` above `rate`',
  ],
  [
    'an axis that is no list',
    withMatrix('batchSize: ${{ params.rate }}'),
    '9:16',
    'expected a list of values, got 0.1',
  ],
  [
    'all excluded',
    withMatrix('batchSize: [1, 2]\nexclude: [{ batchSize: 1 }, { batchSize: 2 }]'),
    '8:3',
    'no cell is left',
  ],
  [
    'an unknown axis excluded',
    withMatrix('batchSize: [1]\nexclude: [{ batchsize: 1 }]'),
    '10:17',
    '`batchsize`, which is no axis',
    '`batchSize`',
  ],
  [
    'an unknown axis included',
    withMatrix('batchSize: [1]\ninclude: [{ batchSze: 1 }]'),
    '10:17',
    '`batchSze`, which is no axis',
    '`batchSize`',
  ],
  ['a repeated value', withMatrix('batchSize: [1, 2, 1]'), '8:3', 'a cell twice: `batchSize=1`'],
  [
    'an included cell that is there',
    withMatrix('batchSize: [1, 2]\ninclude: [{ batchSize: 2 }]'),
    '8:3',
    'a cell twice: `batchSize=2`',
  ],
  [
    'zipped axes of two lengths',
    withMatrix('batchSize: [1, 2]\nrate: [0.1]\nzip: [[batchSize, rate]]'),
    '10:5',
    '`rate` has 1 values, but `batchSize`, zipped with it, has 2',
  ],
  [
    'an unknown zipped axis',
    withMatrix('batchSize: [1, 2]\nrate: [0.1]\nzip: [[batchSize, rat]]'),
    '11:23',
    'no axis `rat`',
    '`rate`',
  ],
  [
    'a million cells',
    withMatrix('batchSize: { range: [1, 1000] }\nrate: { range: [1, 1000] }'),
    '8:3',
    'more than 100000 cells',
  ],
  [
    'one cell with a wrong value',
    withMatrix('batchSize: [1, 2, 0.5, 0.25]'),
    '21:18',
    'got 0.5 in cell `batchSize=0.5`',
  ],
];

describe.each([
  ['syntax', syntax],
  ['skeleton', skeleton],
  ['values', values],
  ['expressions', expressions],
  ['references', references],
  ['matrix', matrices],
])('wrong %s', (_, rows) => {
  const cases = rows.map(([name, text, position, message, cure]) => ({
    name,
    text,
    position,
    message,
    cure,
  }));
  it.each(cases)('$name', ({ text, position, message, cure }) => {
    const [first] = errorsOf(text);
    expect(`${first!.line}:${first!.column} ${first!.message}`).toContain(message);
    expect(`${first!.line}:${first!.column}`).toBe(position);
    if (cure !== undefined) expect(first!.cure).toContain(cure);
    if (text !== '') expect(first!.frame).toMatch(new RegExp(`^> *${first!.line} \\|`, 'm'));
  });
});

/** The pipeline with the cure of its first error carried out as it says, or undefined where it leaves the choice to the author. */
function cured(
  text: string,
  { line, column, endLine, endColumn, cure = '' }: Diagnostic,
): string | undefined {
  const starts = [0, ...Array.from(text.matchAll(/\n/g), (match) => match.index + 1)];
  const start = starts[line - 1]! + column - 1;
  const end = starts[endLine - 1]! + endColumn - 1;
  const lineEnd = text.indexOf('\n', start);
  const replaced = (by: string, from = start, to = end) => text.slice(0, from) + by + text.slice(to);
  const meant = /^did you mean `([^`]+)`\?/.exec(cure)?.[1];
  if (meant !== undefined) return replaced(meant);
  const whole = /^put the whole value in quotes: (.*)$/.exec(cure)?.[1];
  if (whole !== undefined) return replaced(whole, text.lastIndexOf(whole.slice(1, 4), start), lineEnd);
  const quoted = /^put it in quotes: (.*?)( \(needed inside .*)?$/s.exec(cure)?.[1];
  if (quoted !== undefined) return replaced(quoted);
  const opener = /^begin it with `(.)`$/.exec(cure)?.[1];
  if (opener !== undefined) return replaced(opener, start, start);
  const closer = /^end it with `(.)`$/.exec(cure)?.[1];
  if (closer !== undefined) {
    const rest = text
      .slice(start + 1, lineEnd)
      .replace(/\$\{\{.*?\}\}/g, (expression) => '_'.repeat(expression.length));
    const inside = /['"]/.test(closer) ? /\s*[\]}]+\s*$/ : closer === ']' ? /\s*\}\s*$/ : /$/;
    const at = start + 1 + (rest.search(inside) < 0 ? rest.length : rest.search(inside));
    return text.slice(0, at) + closer + text.slice(at);
  }
  const indent = /^indent it by (\d+)$/.exec(cure)?.[1];
  if (indent !== undefined)
    return replaced(' '.repeat(Number(indent)) + text.slice(start, lineEnd).trimStart(), start, lineEnd);
  const character =
    /^(?:.*: )?(remove it|type a plain space|type `(.)`)(, and for the others like it)?$/.exec(cure);
  if (character !== null && end - start <= 2)
    return character[3] === undefined
      ? replaced(character[1] === 'remove it' ? '' : (character[2] ?? ' '))
      : replaced(text.slice(start, lineEnd).replaceAll(/[\u201c\u201d]/g, '"'), start, lineEnd);
  const line1 = /^write `([a-zA-Z]+: [^`]*)`$/.exec(cure)?.[1];
  if (line1 !== undefined) return replaced(line1, start, lineEnd);
  const reference = /^write `(\$\{\{ \S+ \}\})`$/.exec(cure)?.[1];
  if (reference !== undefined) {
    const open = text.lastIndexOf('${{', start);
    const close = text.indexOf('}}', start) + 2;
    return open > text.lastIndexOf('\n', start)
      ? replaced(reference, open, close)
      : replaced(`"${reference}"`);
  }
  const each = /^put each expression in quotes: "(.*)"$/.exec(cure)?.[1];
  if (each !== undefined)
    return each
      .split('", "')
      .reduce((result, expression) => result.replace(expression, `"${expression}"`), text);
  const duration = /^with its unit: `(\w+)`/.exec(cure)?.[1];
  if (duration !== undefined) return replaced(duration);
  return undefined;
}

describe('a cure cures', () => {
  const all = [...syntax, ...skeleton, ...values, ...expressions, ...references, ...matrices];
  const mended = all.flatMap(([name, text]) => {
    const [first] = errorsOf(text);
    const mend = first === undefined ? undefined : cured(text, first);
    return mend === undefined ? [] : [{ name, first: first!, mend }];
  });

  it('is carried out for many of them', () => {
    expect(mended.length).toBeGreaterThan(50);
  });

  it.each(mended)('$name', ({ first, mend }) => {
    const after = messagesOf(mend);
    expect(after.filter(({ message, line }) => message === first.message && line <= first.line)).toEqual([]);
    // What was wrong with the YAML is mended altogether, up to a mistake on another line.
    if (first.code === 'yaml')
      expect(after.filter(({ code, line }) => code === 'yaml' && line <= first.line)).toEqual([]);
  });
});

const damages: Readonly<Record<string, (line: string) => string>> = {
  'a space more': (line) => ` ${line}`,
  'a space less': (line) => line.replace(/^ /, ''),
  'two spaces more': (line) => `  ${line}`,
  'two spaces less': (line) => line.replace(/^ {2}/, ''),
  'a tab': (line) => line.replace(/^ {2}/, '\t'),
  'no space after the colon': (line) => line.replace(': ', ':'),
  'no colon': (line) => line.replace(':', ''),
  'an equals sign': (line) => line.replace(': ', ' = '),
  'a quote less': (line) => line.replace('"', ''),
  'a brace less': (line) => line.replace(/ \}$/, ''),
  'a brace less at its start': (line) => line.replace('{ ', ''),
  'one letter twice': (line) => line.replace(/([a-z])(\w*:)/, '$1$1$2'),
  'a param misspelled': (line) => line.replace('params.', 'params.x'),
  'a stage misspelled': (line) => line.replace('stages.', 'stages.x'),
  'a no-break space': (line) => line.replace(/^ /, '\u00a0'),
  'typographic quotes': (line) => line.replace('"', '\u201c').replace('"', '\u201d'),
  'an at sign': (line) => line.replace(/: (\w)/, ': @$1'),
  'a dash': (line) => line.replace(/^( +)/, '$1- '),
  'no value': (line) => line.replace(/: \S.*$/, ':'),
  'another type': (line) => line.replace(/: \d+(\.\d+)?$/, ': many'),
  'a comma for a point': (line) => line.replace(/(\d)\.(\d)/, '$1,$2'),
  'no dollar sign': (line) => line.replace('${{', '{{'),
};

describe.each(Object.keys(damages))('each line with %s', (name) => {
  const wrong = tiny.split('\n').flatMap((line, index, lines) => {
    const damaged = damages[name]!(line);
    const text = lines.with(index, damaged).join('\n');
    return damaged === line || messagesOf(text).length === 0 ? [] : [{ at: index + 1, text }];
  });

  it.each(wrong)(
    '$at is told in words of the language, with a cure that cures if it says how',
    ({ text }) => {
      const errors = errorsOf(text);
      for (const { message, cure = '' } of errors)
        expect(`${message} ${cure}`).not.toMatch(
          /undefined|NaN|object Object|call stack|BigInt|\bEOF\b|[A-Z]{3,}_[A-Z]|RPAREN|\bdyn\b/,
        );
      const [first] = errors;
      const mend = cured(text, first!);
      const left = mend === undefined ? [] : messagesOf(mend);
      expect(left.filter(({ message, line }) => message === first!.message && line === first!.line)).toEqual(
        [],
      );
      if (mend !== undefined && first!.code === 'yaml')
        expect(left.filter(({ code, line }) => code === 'yaml' && line <= first!.line)).toEqual([]);
    },
  );
});

function messagesOf(text: string): readonly Diagnostic[] {
  try {
    compile(text, { file: 'x.yaml' });
    return [];
  } catch (error) {
    if (error instanceof PipelineError) return error.diagnostics;
    throw error;
  }
}

describe('wrong overrides', () => {
  it.each([
    [
      'an unknown param',
      tiny,
      { batchsize: '3' },
      '3:1',
      'no param `batchsize`',
      'did you mean `batchSize`?',
    ],
    [
      'a text for a number',
      tiny,
      { batchSize: 'abc' },
      '4:3',
      'expected a number like 50, got the text "abc"',
      undefined,
    ],
    [
      'a list for a number',
      tiny,
      { batchSize: '[1, 2]' },
      '4:3',
      'expected a number like 50, got a list of 2',
      undefined,
    ],
    ['an expression', tiny, { batchSize: '${{ 1 }}' }, '4:3', 'not possible here', 'give its value'],
    ['a fraction where a whole number belongs', tiny, { batchSize: '0.5' }, '18:18', 'got 0.5', 'round'],
    ['a text for an axis', sweep, { seed: 'one' }, '15:5', 'expected a number like 1', undefined],
  ] as const)('%s', (_name, text, overrides, position, message, cure) => {
    const [first] = errorsOf(text, overrides);
    expect(first!.message).toContain(message);
    expect(`${first!.line}:${first!.column}`).toBe(position);
    if (cure !== undefined) expect(first!.cure).toContain(cure);
  });
});

it('tells everything that can be found in one pass, by position', () => {
  const wrong = [
    ['epochs: 3', 'epochz: 3'],
    ['params.batchSize', 'params.batch'],
    ['stages.train.state', 'stages.train.stat'],
    ['name: tiny', 'name: Tiny'],
  ].reduce((text, [from, to]) => edit(text, from!, to!), tiny);
  const errors = errorsOf(wrong);
  expect(errors.map(({ line }) => line)).toEqual([2, 17, 18, 22]);
});

it.each([
  ['a wrong name of a section', edit(tiny, 'params:', 'paramss:')],
  ['a wrong name of `with`', edit(tiny, '    with:\n      data', '    withh:\n      data')],
  ['a wrong key of an artifact', edit(tiny, '{ from:', '{ form:')],
  ['an expression with one brace', edit(tiny, 'rate: 0.1', 'rate: ${ params.batchSize }')],
  [
    'one brace where a number belongs',
    edit(tiny, '    uses: train\n', '    uses: train\n    resources: { gpu: "${ params.rate }" }\n'),
  ],
])('tells %s, and not what follows from it', (_, text) => {
  expect(errorsOf(text)).toHaveLength(1);
});

it('tells an error of many cells once, with how many and the first', () => {
  const wrong = edit(
    withMatrix('batchSize: { range: [1, 1000] }'),
    'epochs: 3',
    'epochs: ${{ [1, 2, 3][params.batchSize] }}',
  );
  const errors = errorsOf(wrong);
  expect(errors).toHaveLength(1);
  expect(errors[0]!.message).toMatch(/no value at 3 .* in cell `batchSize=3` and 997 more$/);
});

it('tells cells that are there twice once, with how many and the first', () => {
  const errors = errorsOf(withMatrix('batchSize: [1, 1]\nseed: { range: [1, 1000] }'));
  expect(errors.map(({ message }) => message)).toEqual([
    'the matrix has a cell twice: `batchSize=1,seed=1` and 999 more',
  ]);
});

it('never shows an error twice because it holds in many cells', () => {
  expect(
    errorsOf(withMatrix('batchSize: [1, 2]\nseed: { range: [1, 50] }', edit(tiny, 'rate: 0.1', 'rate: -1'))),
  ).toHaveLength(1);
});

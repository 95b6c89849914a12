import { expect, test } from 'vitest';
import { readComment } from '../../../docs/figure-section.ts';

const pipeline = `# yaml-language-server: $schema=../schemas/pipeline.schema.json
#
# Figure 24: weight variances,
# with and without replacement.
#
#   npx epochal run pipelines/fig24-replacement.yaml                    # about 3 minutes
#   npx epochal run pipelines/fig24-replacement.yaml --set size=paper
#
# Needs nothing else.
#
# Expect: less
# without.
version: 1
# A comment further down.
`;

test('a pipeline tells what it shows and what to expect in the comment at its top, commands apart', () => {
  expect(readComment(pipeline)).toEqual({
    about: 'Figure 24: weight variances,\nwith and without replacement.\n\nNeeds nothing else.',
    expect: 'Expect: less\nwithout.',
  });
});

test('a pipeline without a comment tells nothing', () => {
  expect(readComment('version: 1\n')).toEqual({ about: '', expect: '' });
});

import type { DataConverter } from '@temporalio/common';
import { moduleFile } from '../../artifacts/module-file.mjs';

/**
 * What a client or a worker is told of failures: with `hides`, their words go into a payload, which the codec encrypts. Whoever reads understands both. Workflows
 * say nothing of their own but names of stages.
 */
export function failuresAs(hides: boolean): Pick<DataConverter, 'failureConverterPath'> {
  return hides ? { failureConverterPath: moduleFile(import.meta.dirname, 'hidden-failures') } : {};
}

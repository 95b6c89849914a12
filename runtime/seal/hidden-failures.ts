/** Loaded by the Temporal SDK, by its place and this name: see `failures-as.ts`. */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

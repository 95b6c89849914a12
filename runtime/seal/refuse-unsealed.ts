import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptors } from '@temporalio/worker';
import { type FailureDetail, isRefusal, notSealed, sealCure } from '../../workflows/messages.ts';

/** Fails an activity, for good, whose arguments are not sealed with this home's key. */
export function refuseUnsealed(): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        if (input.args.length > 0 && !input.args.some(isRefusal)) return next(input);
        const detail: FailureDetail = { cure: sealCure };
        throw ApplicationFailure.nonRetryable(notSealed, 'RefusedError', detail);
      },
    },
  };
}

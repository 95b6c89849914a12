import { ApplicationFailure, type WorkflowInterceptors } from '@temporalio/workflow';
import { RefusedError } from '../artifacts/errors.ts';
import { type Answer, isRefusal, notSealed } from './messages.ts';

/** What no message may ask of a workflow ends it at once: the failure of a workflow task would be tried again for ever. */
export const interceptors = (): WorkflowInterceptors => ({
  inbound: [
    {
      async execute(input, next) {
        try {
          if (input.args.length === 0 || input.args.some(isRefusal)) throw new RefusedError(notSealed);
          return await next(input);
        } catch (error) {
          throw error instanceof RefusedError ? refused(error.message) : error;
        }
      },
      async handleSignal(input, next) {
        if (input.args.length > 0 && !input.args.some(isRefusal)) await next(input);
      },
    },
  ],
  outbound: [
    {
      scheduleActivity: async (input, next) => sealed(await next(input)),
      scheduleLocalActivity: async (input, next) => sealed(await next(input)),
      async startChildWorkflowExecution(input, next) {
        const [started, result] = await next(input);
        return [started, result.then(sealed)];
      },
    },
  ],
});

/** The value of an answer. Throws if it is the answer to something else. */
export function answerTo<T>(asked: string, answer: Answer<T>): T {
  if (answer.to === asked) return answer.value;
  throw refused(`The answer to ${asked} was refused: it is one to ${answer.to}.`);
}

/** Everything that is sealed is something. */
function sealed(value: unknown): unknown {
  if (value === undefined || isRefusal(value)) throw refused(notSealed);
  return value;
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'RefusedError');
}
